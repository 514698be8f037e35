"""What the operator's platform does about play: keep a player out, ask for a return, confirm what it stopped."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from django.db.models import Q
from django.http import Http404, HttpRequest
from django.shortcuts import get_object_or_404
from ninja import Query, Router, Schema, Status
from pydantic import Field

from audit.record import record_read
from cases.api import account_of
from cases.paging import BadCursor
from cases.types.gaming import orders, services
from cases.types.gaming.models import GamingRequest, StopOrder
from cases.types.gaming.offers import offers_of
from cases.types.gaming.registers import services as registers
from compliance.people.exclusions.models import Exclusion
from compliance.people.models import Account
from compliance.platform.auth import Key
from compliance.platform.idempotency import idempotent
from compliance.platform.models import ApiKey
from compliance.platform.scopes import Scope
from compliance.policy.records import Period

router = Router(tags=["play protection"])
MOST_ORDERS = 200


class PeriodIn(Schema):
    amount: int = Field(gt=0, le=1200, examples=[6])
    unit: Literal["hour", "calendar_day", "month", "year"]


class ExclusionIn(Schema):
    """What the player asks for. `period` none: without an end."""

    kind: Literal["time_out", "self_exclusion"]
    period: PeriodIn | None = None
    scope: Literal["group", "licensee"] | None = Field(
        default=None, description="Where the licensee's rules offer both"
    )


class ExclusionOut(Schema):
    """`ends_at`: when it ends if nobody asks; `return_from`: from when a return may be asked for. None: never."""

    id: UUID
    kind: str
    state: str
    starts_at: datetime
    term_ends_at: datetime | None
    ends_at: datetime | None
    return_from: datetime | None
    confirm_from: datetime | None
    confirm_until: datetime | None
    number: str | None = Field(description="The receipt: a tracking number", examples=["GAM-26-000004-8"])


class OfferOut(Schema):
    code: str = Field(examples=["self_exclusion:6:month"])
    kind: str
    period: PeriodIn | None


class Exclusions(Schema):
    account: str
    running: list[ExclusionOut]
    offers: list[OfferOut]


class ReturnIn(Schema):
    words: str = Field(default="", max_length=2000, description="What the player wrote, word for word")


class HeardOut(Schema):
    """`away`: no answer now; what was known counts until `good_until`, then the gate closes."""

    # Under another name than in JSON: a Schema has an attribute `register` of its own.
    asked: str = Field(alias="register", title="Register", examples=["SPELPAUS"])
    answer: Literal["clear", "listed", "away"]
    good_until: datetime | None


class StopOrderOut(Schema):
    id: UUID
    account: str
    brand: str
    ends: list[str] = Field(description="What is not confirmed yet")
    done: list[str]
    made_at: datetime
    due_at: datetime


class ConfirmationIn(Schema):
    """Which parts have ended: sessions, scheduled_deposits, bonuses, open_bets, marketing."""

    done: list[str] = Field(min_length=1, max_length=10, examples=[["sessions", "marketing"]])


def _key(request: HttpRequest) -> ApiKey:
    return request.auth  # type: ignore[attr-defined,no-any-return]


def _out(exclusion: Exclusion, case: GamingRequest | None, key: ApiKey) -> ExclusionOut:
    """The number of the matter only for the licensee whose it is."""
    names = ("kind", "state", "starts_at", "term_ends_at", "ends_at", "return_from", "confirm_until")
    facts = {name: getattr(exclusion, name) for name in names}
    own = exclusion.matter if exclusion.licensee_id == key.licensee_id else ""
    number = case.number if case else own or None
    return ExclusionOut(id=exclusion.pk, confirm_from=exclusion.cooling_ends_at, number=number, **facts)


def _mine(account: Account, exclusion_id: UUID) -> Exclusion:
    """One of this player's own that is in force."""
    for exclusion in services.running(account):
        if exclusion.pk == exclusion_id:
            return exclusion
    raise Http404("no such exclusion")


@router.get(
    "/accounts/{ref}/exclusions",
    auth=Key(Scope.EXCLUSIONS_READ),
    response=Exclusions,
    summary="Ask what keeps a player out",
)
def read_exclusions(request: HttpRequest, ref: str) -> Any:
    """What is in force, and what may be chosen. For the player's own page; the gate answers what is allowed."""
    key = _key(request)
    account = account_of(key, ref)
    record_read(by=key, subject=account.audit_subject, purpose="api:exclusions", about=account)
    offers = [
        OfferOut(code=one.code, kind=one.kind, period=PeriodIn(**one.period.model_dump()) if one.period else None)
        for one in offers_of(account.licensee)
    ]
    return Exclusions(account=ref, running=[_out(one, None, key) for one in services.running(account)], offers=offers)


@router.post(
    "/accounts/{ref}/exclusions",
    auth=Key(Scope.EXCLUSIONS_WRITE),
    response={201: ExclusionOut},
    summary="Keep a player out",
)
@idempotent
def keep_out(request: HttpRequest, ref: str, payload: ExclusionIn) -> Any:
    """In force before you read the answer, at every account of the person. It cannot be taken back."""
    key = _key(request)
    period = Period(**payload.period.model_dump()) if payload.period else None
    exclusion, case = services.keep_out(
        account_of(key, ref), kind=payload.kind, period=period, scope=payload.scope or "", via="api", by=key
    )
    return Status(201, _out(exclusion, case, key))


@router.post(
    "/accounts/{ref}/exclusions/{id}/return",
    auth=Key(Scope.EXCLUSIONS_WRITE),
    response=ExclusionOut,
    summary="Hand in a request to return",
)
@idempotent
def ask_return(request: HttpRequest, ref: str, id: UUID, payload: ReturnIn) -> Any:
    """Nothing changes by asking. Two officers decide; then time to reflect runs, and the player confirms."""
    key = _key(request)
    account = account_of(key, ref)
    done, case = services.ask_return(_mine(account, id), account, channel="online", words=payload.words, by=key)
    return Status(200, _out(done, case, key))


@router.post(
    "/accounts/{ref}/exclusions/{id}/return/confirmation",
    auth=Key(Scope.EXCLUSIONS_WRITE),
    response=ExclusionOut,
    summary="Hand in the player's confirmation",
)
@idempotent
def confirm_return(request: HttpRequest, ref: str, id: UUID) -> Any:
    """After the time to reflect, within the window: from then on the player may play again."""
    key = _key(request)
    return Status(200, _out(services.confirm_return(_mine(account_of(key, ref), id), by=key), None, key))


@router.post(
    "/accounts/{ref}/exclusions/{id}/return/withdrawal",
    auth=Key(Scope.EXCLUSIONS_WRITE),
    response=ExclusionOut,
    summary="Take a request to return back",
)
@idempotent
def take_back_return(request: HttpRequest, ref: str, id: UUID) -> Any:
    """The player thought better of it, at any time before the confirmation."""
    key = _key(request)
    return Status(200, _out(services.take_back_return(_mine(account_of(key, ref), id), by=key), None, key))


@router.post(
    "/accounts/{ref}/register-checks",
    auth=Key(Scope.EXCLUSIONS_WRITE),
    response=list[HeardOut],
    by_alias=True,
    summary="Ask the national registers now",
)
@idempotent(commits_itself=True)  # type: ignore[untyped-decorator]
def ask_registers(request: HttpRequest, ref: str) -> Any:
    """At a sign-in, where the law says so. Then ask the gate: it knows the answer already."""
    key = _key(request)
    heard = registers.ask(account_of(key, ref).customer, by=key)
    said = [{"register": one.register, "answer": one.answer, "good_until": one.good_until} for one in heard]
    return Status(200, said)


@router.get("/stop-orders", auth=Key(Scope.EXCLUSIONS_READ), response=list[StopOrderOut], summary="List orders to stop")
def read_stop_orders(
    request: HttpRequest,
    after: Annotated[UUID | None, Query(description="The last order of the list before")] = None,
    limit: Annotated[int, Query(ge=1, le=MOST_ORDERS, description="How many at most")] = MOST_ORDERS,
) -> Any:
    """Those that you have not confirmed, oldest first: for a platform that lost its events.

    A list shorter than `limit` is the last; the next begins `after` the last order of this one, confirmed or not.
    """
    mine = StopOrder.objects.filter(account__licensee_id=_key(request).licensee_id)
    rows = mine.filter(confirmed_at=None).select_related("account__brand").order_by("made_at", "pk")
    if after is not None:
        last = mine.filter(pk=after).first()
        if last is None:
            raise BadCursor(BadCursor.__doc__)
        rows = rows.filter(Q(made_at__gt=last.made_at) | Q(made_at=last.made_at, pk__gt=last.pk))
    return [_order(row) for row in rows[:limit]]


@router.post(
    "/stop-orders/{id}/confirmations",
    auth=Key(Scope.EXCLUSIONS_WRITE),
    response=StopOrderOut,
    summary="Confirm what was stopped",
)
@idempotent
def confirm_stop(request: HttpRequest, id: UUID, payload: ConfirmationIn) -> Any:
    """Part by part, as you end them. You are told again until nothing is left."""
    key = _key(request)
    order = get_object_or_404(StopOrder, pk=id, account__licensee_id=key.licensee_id)
    orders.confirm(order, payload.done, by=key)
    return Status(200, _order(StopOrder.objects.select_related("account__brand").get(pk=order.pk)))


def _order(row: StopOrder) -> StopOrderOut:
    return StopOrderOut(
        id=row.pk,
        account=row.account.reference,
        brand=row.account.brand.slug,
        ends=row.left,
        done=row.done,
        made_at=row.made_at,
        due_at=row.due_at,
    )
