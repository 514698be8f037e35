"""Life of an answer: asked -> kept for `register_age` of the policy -> asked again, or the door closes by itself.

The closed door is laid down beforehand: an answer "clear" leaves a restriction that begins when the answer grows too
old. So nothing has to run for a stale answer to close; something has to run, and to hear "clear", to keep it open.
"""

import logging
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.db.models.functions import Now

from audit.actors import Acts, system
from audit.record import record
from cases.types.gaming.models import RegisterCheck
from cases.types.gaming.registers.adapters import Answer, RegisterAway, Who, register_of
from compliance.people import correcting
from compliance.people.exclusions import clock
from compliance.people.exclusions.models import Exclusion
from compliance.people.exclusions.registers import CODE, SOURCE, STOPS, close_until_asked
from compliance.people.exclusions.terms import after, needed, stopped_by
from compliance.people.models import Account, Customer, Licensee, Restriction
from compliance.people.restrictions import lift, restrict
from compliance.people.services import contact_of, known_of
from compliance.policy import Policy, PolicyMissing
from compliance.rulebook.queries import policy_of

LISTED_CODE = "self_excluded"
A_RUN = 200  # players asked about in one sweep at one register
GIVE_UP = 5  # answers missing one after the other: the register is asked again in the next sweep
AWAY, ASKED_AGAIN = "away", "register"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Heard:
    """What one register said now: clear, listed, or away; `good_until` of what counts."""

    register: str
    answer: str
    good_until: datetime | None


def registers_of(policy: Policy) -> tuple[str, ...]:
    rules = policy.exclusions
    return tuple(needed(rules, "registers")) if rules.known("registers") else ()


def ask(customer: Customer, *, by: Acts) -> list[Heard]:
    """Ask every register of the licensee's law about this player, and do what the answers say."""
    policy = policy_of(customer.licensee, on=customer.licensee.today())
    who = _who(customer)
    return [_asked(customer, name, who, policy, by=by) for name in registers_of(policy)]


def _who(customer: Customer) -> Who:
    account = Account.objects.filter(customer=customer, released_at=None).order_by("created_at").first()
    return Who(
        full_name=customer.full_name,
        birth_date=customer.birth_date,
        national_id=known_of(customer, "national_id"),
        email=(contact_of(account, "email") or "") if account else "",
        phone=(contact_of(account, "phone") or "") if account else "",
    )


def _asked(customer: Customer, name: str, who: Who, policy: Policy, *, by: Acts) -> Heard:
    answer = _answer(name, who)
    row = _keep(customer, name, who, answer, policy, by=by) if answer else None
    if row is None:
        known = RegisterCheck.objects.filter(customer=customer, register=name).first()
        return Heard(name, AWAY, known.good_until if known else None)
    return Heard(name, row.answer, row.good_until)


def _answer(name: str, who: Who) -> Answer | None:
    """None: no answer. An adapter is somebody else's code: whatever it raises is none, and its words, which may name
    the player, are kept nowhere.
    """
    try:
        return register_of(name).ask(who)
    except RegisterAway:
        return None
    except Exception as error:
        _log.error("The register %s gave no answer: %s", name, type(error).__name__)
        return None


@transaction.atomic
def _keep(customer: Customer, name: str, who: Who, answer: Answer, policy: Policy, *, by: Acts) -> RegisterCheck | None:
    """The new closed door first, then the former one goes: at no moment is there none.

    None, and nothing is kept, where name or date of birth was corrected since `who` was read: the answer is about
    somebody else.
    """
    now = Customer.objects.select_for_update(of=("self",)).get(pk=customer.pk)
    if (now.full_name, now.birth_date) != (who.full_name, who.birth_date):
        return None
    rules, at = policy.exclusions, clock.now()
    good_until = after(at, needed(rules, "register_age"), customer.licensee)
    row = RegisterCheck.objects.filter(customer=customer, register=name).first()
    row = row or RegisterCheck(customer=customer, register=name)
    former = row.restriction if row.restriction_id else None
    new = restrict(
        customer,
        stops=stopped_by(rules) if answer.listed else STOPS,
        cover_code=LISTED_CODE if answer.listed else CODE,
        source=SOURCE,
        by=by,
        starts_at=at if answer.listed else good_until,
    )
    row.answer, row.asked_at, row.good_until = ("listed" if answer.listed else "clear"), at, good_until
    row.restriction, row.reference = new, answer.reference[:60]
    row.save()
    details = {"register": name, "answer": row.answer, "good_until": good_until, "policy": policy.version}
    record("gaming.ask_register", by=by, about=row, details=details)
    if former is not None:
        lift(former, by=by, reason="asked_again")
    _open_the_first_door(customer, policy, by=by)
    return row


def _open_the_first_door(customer: Customer, policy: Policy, *, by: Acts) -> None:
    """What stood there before any register was asked goes when every one of them has answered."""
    answered = set(RegisterCheck.objects.filter(customer=customer).values_list("register", flat=True))
    if set(registers_of(policy)) <= answered:
        first = Restriction.objects.filter(customer=customer, source=SOURCE, lifted_at=None, register_check=None)
        for row in first:
            lift(row, by=by, reason="asked")


@transaction.atomic
def close_again(customer: Customer, fields: frozenset[str], by: Acts) -> str:
    """Whoever was "clear" under a wrong name or date of birth was somebody else: closed until a register was asked
    about the right ones. Whoever is listed stays so. The doors that were laid down before go when all have answered.
    """
    if not fields & {"full_name", "birth_date"}:
        return ""
    clear = RegisterCheck.objects.filter(customer=customer, answer="clear", good_until__gt=clock.now())
    rows = list(clear.order_by("register"))
    for row in rows:
        row.restriction = restrict(customer, stops=STOPS, cover_code=CODE, source=SOURCE, by=by)
        row.good_until = clock.now()
        row.save(update_fields=["restriction", "good_until"])
        details = {"register": row.register, "good_until": row.good_until}
        record("gaming.forget_register", by=by, about=row, details=details)
    return ASKED_AGAIN if rows else ""


def sweep() -> int:
    """Ask about who was never asked about, and whose answer grows old. How many players.

    Each register by itself: one that is away keeps nobody from being asked about elsewhere.
    """
    if not settings.REGISTERS_COUNT:
        return 0
    return len({pk for name, licensees in _in_use().items() for pk in _swept(name, licensees)})


def _in_use() -> dict[str, list[Any]]:
    """The registers that the law of some licensee names, with the ids of those licensees."""
    found: dict[str, list[Any]] = {}
    for licensee in Licensee.objects.order_by("pk"):
        with suppress(PolicyMissing):  # nobody plays there
            for name in registers_of(policy_of(licensee, on=licensee.today())):
                found.setdefault(name, []).append(licensee.pk)
    return found


def _swept(name: str, licensees: list[Any]) -> list[Any]:
    """A run of those who are due at one register: the door is closed to whoever has none yet, then it is asked."""
    away, asked = 0, []
    for customer in _some(_due(name, licensees)):
        close_until_asked(customer, by=system())
        if away < GIVE_UP:
            policy = policy_of(customer.licensee, on=customer.licensee.today())
            heard = _asked(customer, name, _who(customer), policy, by=system())
            away = away + 1 if heard.answer == AWAY else 0
            asked.append(customer.pk)
    return asked


def _due(name: str, licensees: list[Any]) -> Any:
    """Never asked about, such as players from before the law named it; an answer is renewed in the last quarter of its
    time.
    """
    checks = RegisterCheck.objects.filter(customer=OuterRef("pk"), register=name)
    current = checks.filter(good_until__gt=Now() + (clock.LEAP / 4))
    accounts = Account.objects.filter(customer=OuterRef("pk"), released_at=None)
    rows = Customer.objects.filter(Exists(checks) | Exists(accounts), licensee__in=licensees, erased_at=None)
    return rows.exclude(Exists(current)).select_related("licensee")


def _some(due: Any) -> list[Customer]:
    """Those after a random id, then from the beginning: nobody of whom no answer comes stands before the others."""
    start = uuid4()
    rows = list(due.filter(pk__gte=start).order_by("pk")[:A_RUN])
    return rows + list(due.filter(pk__lt=start).order_by("pk")[: A_RUN - len(rows)])


def reconcile(customers: Iterable[Customer]) -> dict[str, Any]:
    """Ask about all of them again; what differs from what was known, by the operator's references."""
    counted: dict[str, Any] = {"asked": 0, "away": 0, "newly_listed": [], "let_go": []}
    for customer in customers:
        before = dict(RegisterCheck.objects.filter(customer=customer).values_list("register", "answer"))
        for heard in ask(customer, by=system()):
            counted["asked"] += 1
            counted["away"] += heard.answer == AWAY
            if heard.answer == "listed" != before.get(heard.register):
                counted["newly_listed"].append(_reference(customer))
            if heard.answer == "clear" and before.get(heard.register) == "listed":
                counted["let_go"].append(_reference(customer))
    return counted


def _reference(customer: Customer) -> str:
    account = Account.objects.filter(customer=customer).order_by("created_at").first()
    return account.reference if account else ""


def has_let_go(exclusion: Exclusion) -> bool:
    """Whether every register of the exclusion's licensee answered "clear" since the player asked to return."""
    if exclusion.customer is None or exclusion.return_asked_at is None:
        return False
    names = registers_of(policy_of(exclusion.licensee, on=exclusion.licensee.today()))
    rows = RegisterCheck.objects.filter(customer=exclusion.customer, asked_at__gte=exclusion.return_asked_at)
    rows = rows.filter(good_until__gt=clock.now())  # none that was given for a name or day that was corrected since
    answers = dict(rows.values_list("register", "answer"))
    return bool(names) and all(answers.get(name) == "clear" for name in names)


correcting.also(close_again)
