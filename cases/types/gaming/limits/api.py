"""What the operator's platform does with limits: ask, confirm, check, report money."""

from datetime import datetime
from typing import Any, Literal

from django.conf import settings
from django.db import Error as DatabaseTrouble
from django.db import connection, transaction
from django.http import Http404, HttpRequest
from django.urls import reverse
from ninja import Router, Schema, Status
from pydantic import AwareDatetime, Field

from audit.perform import ConditionsNotMet
from audit.record import record, record_read
from cases.api import account_of
from cases.types.gaming.limits import checks, ledger, services
from cases.types.gaming.limits.models import PENDING, LimitChange, State
from cases.types.gaming.limits.player import LINK_SECONDS, link_token
from compliance.people.models import Account, Customer
from compliance.platform.api import GateClosed, GateKey
from compliance.platform.auth import Key
from compliance.platform.idempotency import idempotent
from compliance.platform.problems import register
from compliance.platform.scopes import Scope

router = Router(tags=["limits"])
register(ledger.OtherCurrency, status=422, code="other_currency", errors=lambda error: ())
register(ledger.EventDiffers, status=409, code="event_differs", errors=lambda error: ())

MeasureName = Literal["deposit", "loss", "wager", "session"]
SpanName = Literal["day", "week", "month"]
WindowName = Literal["fixed", "rolling", "calendar"]
KindName = Literal["deposit", "withdrawal", "withdrawal_cancelled", "bet", "bet_void", "win", "session"]
ActName = Literal["deposit", "wager"]
StateName = Literal["requested", "waiting", "confirmable", "effective", "superseded", "lapsed", "cancelled", "blocked"]
CURRENCY = Field(examples=["EUR"], pattern=r"^[A-Z]{3}$", description="ISO 4217; an account has one")
SOURCE_ID = Field(examples=["PAY-20261122-0017"], min_length=1, max_length=80, pattern=r"^[\x21-\x7e]+$")
MINOR = "minor units of the currency (12000 is 120.00 EUR); of time of play, seconds"


class LimitIn(Schema):
    """What the player asks for."""

    measure: MeasureName
    span: SpanName
    amount: int | None = Field(examples=[12000], ge=0, le=10**14, description=f"{MINOR}; null: no limit any more")
    currency: str = Field(default="", examples=["EUR"], pattern=r"^([A-Z]{3})?$", description="Empty for session")
    window: WindowName | None = Field(default=None, description="Absent: as it is, or the first the policy offers")


class LimitOut(Schema):
    """One limit, or a raise of one. `state` effective: in force. A raise may be confirmed between the two moments."""

    receipt: str = Field(examples=["LIM-7K2QX9AB"])
    measure: MeasureName
    span: SpanName
    window: WindowName
    basis: Literal["gross", "net"]
    amount: int | None = Field(description=MINOR)
    currency: str
    source: Literal["player", "operator"]
    raises: bool
    state: StateName
    requested_at: datetime
    confirmable_at: datetime | None
    lapses_at: datetime | None
    effective_at: datetime | None
    requires: str = Field(description="What the law asks for before the raise, such as test; empty when met or nothing")


class LimitsOut(Schema):
    """`in_force` are counted together, and the lowest counts; `asked` are raises that wait."""

    account: str
    in_force: list[LimitOut]
    asked: list[LimitOut]


class CheckIn(Schema):
    """May this amount be deposited, or staked, now?"""

    act: ActName
    currency: str = CURRENCY
    amount: int | None = Field(default=None, examples=[5000], gt=0, le=10**14, description=MINOR)
    reserve: bool = Field(default=False, description="Set room aside for `amount` until it is reported")
    source_id: str | None = Field(default=None, max_length=80, pattern=r"^[\x21-\x7e]+$", description="With reserve")


class BoundOut(Schema):
    """One limit and what is left of it."""

    source: Literal["player", "operator", "law"]
    ref: str = Field(description="The receipt of the limit, or the rule's id", examples=["DE.RG.LIMIT.CAP"])
    measure: MeasureName
    span: SpanName
    window: WindowName
    basis: Literal["gross", "net"]
    limit: int
    used: int
    reserved: int
    left: int
    since: datetime
    until: datetime | None = Field(description="When the next stretch begins; null for a rolling one")


class Held(Schema):
    source_id: str
    amount: int
    expires_at: datetime


class CheckOut(Schema):
    """`allowed` null: no limit. `fits`: whether `amount` does; null when none was named."""

    account: str
    act: ActName
    currency: str
    allowed: int | None
    code: str | None = Field(examples=["limit", "limit_reached", "limit_needed", "play_stopped"])
    fits: bool | None
    why: list[BoundOut]
    reservation: Held | None
    policy: str
    at: datetime


class EventIn(Schema):
    source_id: str = SOURCE_ID
    kind: KindName
    amount: int = Field(examples=[5000], gt=0, le=10**14, description=MINOR)
    at: AwareDatetime = Field(description="When it happened; of time of play, its end")


class EventsIn(Schema):
    currency: str = CURRENCY
    events: list[EventIn] = Field(min_length=1, max_length=ledger.MOST_EVENTS)


class EventsOut(Schema):
    taken: int
    known: int = Field(description="Reported before with the same facts")


class Released(Schema):
    released: bool


class LinkOut(Schema):
    url: str
    seconds: int = Field(description="How long the link can be opened, once")


@router.get("/accounts/{ref}/limits", auth=Key(Scope.LIMITS_READ), response=LimitsOut, summary="Read limits")
def read_limits(request: HttpRequest, ref: str) -> Any:
    """The limits in force and the raises that wait."""
    account = _account(request, ref)
    record_read(by=_key(request), subject=account.audit_subject, purpose="api", about=account)
    rows = LimitChange.objects.filter(account=account, state__in=(*PENDING, State.EFFECTIVE)).order_by("requested_at")
    out = [limit_out(row) for row in rows]
    in_force = [one for one in out if one.state == "effective" and one.amount is not None]
    return LimitsOut(account=ref, in_force=in_force, asked=[one for one in out if one.state in PENDING])


@router.post(
    "/accounts/{ref}/limits", auth=Key(Scope.LIMITS_WRITE), response={201: LimitOut}, summary="Ask for a limit"
)
@idempotent
def ask_limit(request: HttpRequest, ref: str, body: LimitIn) -> Any:
    """A first limit and a lowering hold at once. A raise waits: show the player `confirmable_at`, and ask them then."""
    facts = body.model_dump() | {"window": body.window or ""}
    return Status(201, limit_out(services.ask(_account(request, ref), by=_key(request), **facts)))


@router.post(
    "/accounts/{ref}/limits/{receipt}/confirm",
    auth=Key(Scope.LIMITS_WRITE),
    response=LimitOut,
    summary="Confirm a raise",
)
@idempotent
def confirm_limit(request: HttpRequest, ref: str, receipt: str) -> Any:
    """The player was asked after the wait and said yes. 422 before the wait is over and after the time to confirm."""
    return Status(200, limit_out(services.confirm(_change(request, ref, receipt), by=_key(request))))


@router.post(
    "/accounts/{ref}/limits/{receipt}/withdraw",
    auth=Key(Scope.LIMITS_WRITE),
    response=LimitOut,
    summary="Withdraw a raise",
)
@idempotent
def withdraw_limit(request: HttpRequest, ref: str, receipt: str) -> Any:
    """The player wants the raise no longer; the limit stays as it is."""
    return Status(200, limit_out(services.withdraw(_change(request, ref, receipt), by=_key(request))))


@router.post(
    "/accounts/{ref}/limits/{receipt}/test-passed",
    auth=Key(Scope.LIMITS_WRITE),
    response=LimitOut,
    summary="Report a test passed",
)
@idempotent
def report_test(request: HttpRequest, ref: str, receipt: str) -> Any:
    """The player passed the test that the law asks for before this raise."""
    return Status(200, limit_out(services.meet_requirement(_change(request, ref, receipt), by=_key(request))))


@router.post(
    "/accounts/{ref}/limit-checks",
    auth=GateKey(Scope.LIMITS_CHECK),
    response=CheckOut,
    summary="Ask how much is possible now",
)
def check_limits(request: HttpRequest, ref: str, body: CheckIn) -> Any:
    """How much may be deposited or staked now, and why. Whatever is no answer 200 means: nothing.

    With `reserve`, an amount that fits is set aside under `source_id` until it is reported with the same id, so that of
    many at once no two use the same room. Ask again with the same id after a time-out: it is the same room.
    """
    key = _key(request)
    try:
        if not body.reserve:
            found = checks.check(_checked(key, ref), act=body.act, currency=body.currency, amount=body.amount)
            return _check_out(ref, found)
        if body.amount is None or not body.source_id:
            raise ConditionsNotMet(["reserve: send amount and source_id with it."])
        found = checks.reserve(
            account_of(key, ref),
            act=body.act,
            currency=body.currency,
            amount=body.amount,
            source_id=body.source_id,
            by=key,
        )
        return _check_out(ref, found)
    except DatabaseTrouble as error:
        raise GateClosed from error


@router.post(
    "/accounts/{ref}/reservations/{source_id}/release",
    auth=Key(Scope.LIMITS_CHECK),
    response=Released,
    summary="Give room back",
)
def release_reservation(request: HttpRequest, ref: str, source_id: str) -> Any:
    """The payment or stake came to nothing. Twice changes nothing."""
    return Released(released=ledger.release(_account(request, ref), source_id, by=_key(request)))


@router.post("/accounts/{ref}/money-events", auth=Key(Scope.MONEY_WRITE), response=EventsOut, summary="Report money")
@idempotent
def report_money(request: HttpRequest, ref: str, body: EventsIn) -> Any:
    """What happened to the account's money and time of play, at most 500 at once; each `source_id` counts once."""
    events = [ledger.Reported(one.source_id, one.kind, one.amount, one.at) for one in body.events]
    taken = ledger.take(_account(request, ref), body.currency, events, by=_key(request))
    return Status(200, EventsOut(taken=taken.new, known=taken.known))


@router.post(
    "/accounts/{ref}/player-links", auth=Key(Scope.LIMITS_WRITE), response=LinkOut, summary="Send the player to us"
)
@idempotent
def make_player_link(request: HttpRequest, ref: str) -> Any:
    """An address that opens the player's own page of limits once. Only for a player who is signed in with you now."""
    account = _account(request, ref)
    with transaction.atomic():
        record("limits.make_link", by=_key(request), about=account)
    path = reverse("cases:my-limits-enter", kwargs={"token": link_token(account)})
    return Status(200, LinkOut(url=f"{settings.BASE_URL}{path}", seconds=LINK_SECONDS))


def limit_out(change: LimitChange) -> LimitOut:
    facts = {name: getattr(change, name) for name in LimitOut.model_fields if name not in ("source", "requires")}
    requires = change.requires if change.requirement_met_at is None else ""
    return LimitOut(source="operator" if change.imposed else "player", requires=requires, **facts)


def _check_out(ref: str, found: checks.Answer) -> CheckOut:
    held = found.reservation
    return CheckOut(
        account=ref,
        act=found.act,  # type: ignore[arg-type]
        currency=found.currency,
        allowed=found.allowed,
        code=found.code,
        fits=found.fits,
        why=[BoundOut(**{name: getattr(bound, name) for name in BoundOut.model_fields}) for bound in found.bounds],
        reservation=Held(source_id=held.source_id, amount=held.amount, expires_at=held.expires_at) if held else None,
        policy=found.policy,
        at=found.at,
    )


def _account(request: HttpRequest, ref: str) -> Account:
    return account_of(_key(request), ref)


# As `account_of`, with no more than a check reads: it is asked at every deposit and stake, where building is dear.
_CHECKED = """
SELECT a.id, a.time_zone, a.created_at, c.id, c.birth_date
  FROM people_account a JOIN people_customer c ON c.id = a.customer_id
 WHERE a.licensee_id = %s AND a.reference = %s AND a.released_at IS NULL
"""


def _checked(key: Any, ref: str) -> Account:
    """The account with what a check reads of it. Never to be saved."""
    with connection.cursor() as cursor:
        cursor.execute(_CHECKED, [key.licensee_id, ref])
        row = cursor.fetchone()
    if row is None:
        raise Http404("no such account")
    pk, zone, created_at, customer_id, born = row
    customer = Customer(pk=customer_id, birth_date=born)
    facts = {"customer": customer, "licensee": key.licensee, "reference": ref}
    return Account(pk=pk, time_zone=zone, created_at=created_at, **facts)


def _change(request: HttpRequest, ref: str, receipt: str) -> LimitChange:
    rows = LimitChange.objects.filter(account=_account(request, ref), receipt=receipt, imposed=False)
    found: LimitChange | None = rows.select_related("account__licensee", "account__customer").first()
    if found is None:
        raise Http404("no such limit")
    return found


def _key(request: HttpRequest) -> Any:
    return request.auth  # type: ignore[attr-defined]
