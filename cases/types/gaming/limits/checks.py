"""How much may be deposited or staked now, and why: from events, never from balances.

Every limit in force counts, whoever set it: the player, staff, the law. The lowest room is the answer; what the gate
stops, and a limit that the law asks for and the player has not set, leave none.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection, transaction
from django.utils.translation import gettext as _

from audit.actors import Acts
from audit.perform import ConditionsNotMet
from audit.record import record
from cases.types.gaming.limits import ledger, rules, windows
from cases.types.gaming.limits.models import Act, Ledger, MoneyEvent, Reservation
from compliance.people.gate import permissions_of
from compliance.people.models import Account
from compliance.policy import Policy
from compliance.rulebook.queries import policy_of

MEASURES = {Act.DEPOSIT: ("deposit",), Act.WAGER: ("wager", "loss", "session")}
EFFECT = {Act.DEPOSIT: "deposit", Act.WAGER: "play"}
COUNTED = {
    ("deposit", "gross"): {"deposit": 1},
    ("deposit", "net"): {"deposit": 1, "withdrawal": -1, "withdrawal_cancelled": 1},
    ("loss", "net"): {"bet": 1, "bet_void": -1, "win": -1},
    ("wager", "gross"): {"bet": 1, "bet_void": -1},
    ("session", "gross"): {"session": 1},
}
ROOM = -1  # where a stretch has its number, room set aside has this
NEEDED, REACHED, LOWER = "limit_needed", "limit_reached", "limit"


@dataclass(frozen=True, slots=True)
class Bound:
    """One limit and what is left of it. `source` is player, operator or law; `ref` its receipt, or the rule's id."""

    source: str
    ref: str
    measure: str
    span: str
    window: str
    basis: str
    limit: int
    used: int
    reserved: int
    since: datetime
    until: datetime | None

    @property
    def left(self) -> int:
        return max(0, self.limit - self.used - self.reserved)


@dataclass(frozen=True, slots=True)
class Answer:
    """`allowed` None: no limit. `code` says what leaves nothing, or what the lowest room comes from; None: no limit."""

    act: str
    currency: str
    allowed: int | None
    code: str | None
    bounds: list[Bound]
    fits: bool | None
    reservation: Reservation | None
    policy: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Standing:
    """What was set for an account, by the player or by us, at one moment of the database; `currency` "": none yet."""

    at: datetime
    currency: str
    limits: "list[_Limit]"


@dataclass(frozen=True, slots=True)
class _Limit:
    source: str
    ref: str
    terms: rules.Terms
    zone: ZoneInfo
    anchor: datetime


def check(account: Account, *, act: str, currency: str, amount: int | None = None) -> Answer:
    """What is possible now; sets nothing aside, so two who ask at once hear the same."""
    standing = _standing(account)
    if standing.currency:
        ledger.settle_currency(Ledger(account=account, currency=standing.currency), currency)
    return answer(account, standing, act=act, currency=currency, amount=amount)


@transaction.atomic
def reserve(account: Account, *, act: str, currency: str, amount: int, source_id: str, by: Acts) -> Answer:
    """What is possible now, and if `amount` fits, room set aside for it until it is reported under `source_id`.

    Asked again with the same source id it is the same room; with another amount or act, ConditionsNotMet.
    """
    row = ledger.locked(account)
    ledger.settle_currency(row, currency)
    standing = _standing(account)  # after the lock
    at = standing.at
    earlier = Reservation.objects.filter(account=account, source_id=source_id).first()
    if earlier is not None:
        return _again(account, earlier, standing, act=act, currency=currency, amount=amount)
    if MoneyEvent.objects.filter(account=account, source_id=source_id).exists():
        raise ConditionsNotMet([_("source_id: this was reported already.")])
    found = answer(account, standing, act=act, currency=currency, amount=amount)
    if not found.fits:
        return found
    policy = policy_of(account.licensee, on=account.licensee.day_of(at))
    until = windows.after(policy.limits.reservation.value, at, account.licensee.zone)  # type: ignore[union-attr]
    made = Reservation(account=account, act=act, amount=amount, source_id=source_id, made_at=at, expires_at=until)
    made.save(force_insert=True)
    record("limits.reserve", by=by, about=made, details={"act": act})
    return _with(found, made, fits=True)


def _again(
    account: Account, earlier: Reservation, standing: Standing, *, act: str, currency: str, amount: int
) -> Answer:
    if (earlier.act, earlier.amount) != (act, amount):
        raise ConditionsNotMet([_("source_id: room was asked for under it for something else.")])
    held = earlier.settled_at is None and earlier.released_at is None and earlier.expires_at > standing.at
    found = answer(account, standing, act=act, currency=currency, amount=None)
    return _with(found, earlier if held else None, fits=held or earlier.settled_at is not None)


def _with(found: Answer, reservation: Reservation | None, *, fits: bool) -> Answer:
    return Answer(
        found.act,
        found.currency,
        found.allowed,
        found.code,
        found.bounds,
        fits,
        reservation,
        found.policy,
        found.at,
    )


def answer(account: Account, standing: Standing, *, act: str, currency: str, amount: int | None) -> Answer:
    """The arithmetic, for the moment of `standing`. Whoever sets room aside read it under the ledger's lock."""
    at = standing.at
    policy = policy_of(account.licensee, on=account.licensee.day_of(at))
    limits = _limits(account, standing, policy, MEASURES[Act(act)], currency)
    bounds = _counted(account, limits, at)
    gate = permissions_of(account.licensee_id, account.reference)[EFFECT[Act(act)]]
    allowed: int | None
    if not gate.allowed:
        allowed, code = 0, gate.code
    elif _needed(standing, policy, act):
        allowed, code = 0, NEEDED
    else:
        allowed, code = _lowest(bounds)
    fits = None if amount is None else allowed is None or amount <= allowed
    return Answer(act, currency, allowed, code, bounds, fits, None, policy.version, at)


def _lowest(bounds: Sequence[Bound]) -> tuple[int | None, str | None]:
    if any(bound.left == 0 for bound in bounds):
        return 0, REACHED
    money = [bound.left for bound in bounds if bound.measure != "session"]
    return (min(money), LOWER) if money else (None, None)


def _needed(standing: Standing, policy: Policy, act: str) -> bool:
    """No deposit without a deposit limit and no play without any of those that the law asks for."""
    if not policy.limits.known("mandatory"):
        return False
    asked = set(policy.limits.mandatory.value)  # type: ignore[union-attr]
    if act == Act.DEPOSIT:
        asked &= {"deposit"}
    return bool(asked) and not asked <= {one.terms.measure for one in standing.limits if one.source == "player"}


# What holds of an account, its currency and the database's time: one statement, as a check is asked for all the time.
_STANDING = """
SELECT clock_timestamp(), l.currency, c.imposed, c.receipt, c.measure, c.span, c."window", c.basis, c.amount, c.zone,
       c.anchor_at
  FROM (SELECT 1) AS always
  LEFT JOIN limits_ledger l ON l.account_id = %s
  LEFT JOIN limits_limitchange c ON c.account_id = %s AND c.state = 'effective' AND c.amount IS NOT NULL
"""


def _standing(account: Account) -> Standing:
    with connection.cursor() as cursor:
        cursor.execute(_STANDING, [account.pk, account.pk])
        rows = cursor.fetchall()
    at, currency = rows[0][:2]
    limits = [
        _Limit("operator" if imposed else "player", receipt, rules.Terms(*terms), ZoneInfo(zone), anchor)
        for _at, _currency, imposed, receipt, *terms, zone, anchor in rows
        if receipt is not None
    ]
    return Standing(at, currency or "", limits)


def _limits(
    account: Account, standing: Standing, policy: Policy, measures: Sequence[str], currency: str
) -> list[_Limit]:
    found = [one for one in standing.limits if one.terms.measure in measures]
    # A limit of the player's own stands in the default's place, raised or lowered; one that was removed does not.
    own = {(one.terms.measure, one.terms.span) for one in found if one.source == "player"}
    day, born = account.licensee.day_of(standing.at), account.customer.birth_date
    zone = ZoneInfo(account.time_zone)
    for name in ("caps", "defaults"):
        for ceiling, rule in rules.ceilings(policy, name, born=born, on=day):
            if ceiling.measure not in measures or (name == "defaults" and (ceiling.measure, ceiling.span) in own):
                continue
            # What the law says in another currency cannot be compared: nothing is left of it.
            most = rules.minor(ceiling.amount, currency) if ceiling.currency == currency else 0
            terms = rules.Terms(ceiling.measure, ceiling.span, ceiling.window, ceiling.basis, most)
            found.append(_Limit("law", rule, terms, zone, account.created_at))
    return found


# Events and room set aside in one statement: what is settled meanwhile is counted once, as one or as the other.
_SUMS = """
SELECT -1, act, SUM(amount)::bigint FROM limits_reservation
 WHERE account_id = %s AND settled_at IS NULL AND released_at IS NULL AND expires_at > %s GROUP BY act
UNION ALL
SELECT w.n, e.kind, SUM(CASE WHEN e.kind = 'session'
         THEN LEAST(e.amount, CEIL(EXTRACT(EPOCH FROM e.happened_at - w.since)))::bigint ELSE e.amount END)::bigint
  FROM unnest(%s::int[], %s::timestamptz[]) AS w(n, since)
  JOIN limits_moneyevent e
    ON e.account_id = %s AND e.happened_at >= w.since AND e.kind = ANY(%s)
 GROUP BY w.n, e.kind
"""


def _counted(account: Account, limits: Sequence[_Limit], at: datetime) -> list[Bound]:
    if not limits:
        return []
    spans = [windows.stretch(one.terms.window, one.terms.span, at, zone=one.zone, anchor=one.anchor) for one in limits]
    kinds = sorted({kind for one in limits for kind in COUNTED[one.terms.measure, one.terms.basis]})
    with connection.cursor() as cursor:
        since = [span.since for span in spans]
        cursor.execute(_SUMS, [account.pk, at, list(range(len(spans))), since, account.pk, kinds])
        sums: dict[tuple[int, str], int] = {(n, kind): total for n, kind, total in cursor.fetchall()}
    reserved = {act: total for (n, act), total in sums.items() if n == ROOM}
    return [_bound(one, span, n, sums, reserved) for n, (one, span) in enumerate(zip(limits, spans, strict=True))]


def _bound(one: _Limit, span: windows.Stretch, n: int, sums: dict[Any, int], reserved: dict[str, int]) -> Bound:
    counted = COUNTED[one.terms.measure, one.terms.basis]
    used = sum(sign * sums.get((n, kind), 0) for kind, sign in counted.items())
    if one.terms.measure == "deposit":
        used = max(0, used)  # a withdrawal gives room back, never more than the limit
    held = {"deposit": reserved.get("deposit", 0), "session": 0}.get(one.terms.measure, reserved.get("wager", 0))
    return Bound(
        one.source,
        one.ref,
        one.terms.measure,
        one.terms.span,
        one.terms.window,
        one.terms.basis,
        one.terms.amount or 0,
        used,
        held,
        span.since,
        span.until,
    )
