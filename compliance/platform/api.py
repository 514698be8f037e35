"""The platform's own operations: try a key, ask the gate."""

from datetime import date, datetime
from typing import Annotated, Any

from django.db import Error as DatabaseTrouble
from django.http import Http404, HttpRequest
from django.utils.translation import gettext_lazy as _
from ninja import Router, Schema, Status
from pydantic import Field

from audit.perform import ConditionsNotMet
from compliance.people.gate import permissions_of
from compliance.people.models import Account
from compliance.platform import counts
from compliance.platform.auth import Key
from compliance.platform.idempotency import idempotent
from compliance.platform.models import ApiKey
from compliance.platform.problems import MOMENT, register
from compliance.platform.scopes import Scope

router = Router(tags=["platform"])
MOST_REFERENCES = 20_000


class Pong(Schema):
    """Which key called, and what it may do."""

    key: str = Field(examples=["mzn_1a2b3c4d"])
    licensee: str = Field(examples=["lale"])
    scopes: list[str] = Field(examples=[["gate:read", "ping"]])
    test: bool = Field(description="The licensee is a test one: whatever this key sees is invented")
    version: str = Field(examples=["2026-11-22"], description="Of the API, that this request was answered in")


@router.get("/ping", auth=Key(Scope.PING), response=Pong, summary="Try a key")
def ping(request: HttpRequest) -> Any:
    """Answers with the shown part of the key, its licensee and its scopes. Changes nothing."""
    key = request.auth  # type: ignore[attr-defined]
    facts = {
        "key": key.prefix,
        "licensee": key.licensee.slug,
        "scopes": key.scopes_that_count,
        "test": key.licensee.is_test,
    }
    return Pong(**facts, version=request.api_version)  # type: ignore[attr-defined]


class GateClosed(Exception):
    """The rows cannot be asked: nothing is allowed until they can."""


register(
    GateClosed,
    status=503,
    code="gate_closed",
    detail=_("The gate cannot be asked. Allow nothing, stop the session, and ask again in a moment."),
    headers=lambda error: {"Retry-After": MOMENT},
    members={"stop": True},
)


class GateKey(Key):
    """A key whose check fails closed as the gate does: without the database nobody can say that anything is allowed."""

    def authenticate(self, request: HttpRequest, token: str) -> ApiKey | None:
        try:
            return super().authenticate(request, token)
        except DatabaseTrouble as error:
            raise GateClosed from error


class Permission(Schema):
    """`code` and `until` (none: no end is known) are there when it is not allowed."""

    allowed: bool
    code: str | None = Field(examples=["play_stopped"])
    until: datetime | None


class Gate(Schema):
    """What the account may do now. `stop`: end a session that runs."""

    account: str = Field(examples=["P-88213"])
    stop: bool
    sign_in: Permission
    deposit: Permission
    play: Permission
    withdraw: Permission
    marketing: Permission


@router.get("/accounts/{ref}/gate", auth=GateKey(Scope.GATE_READ), response=Gate, summary="Ask the gate")
def ask_gate(request: HttpRequest, ref: str) -> Any:
    """May this account sign in, deposit, play, withdraw and get marketing? Ask at each of them; keep no answer.

    Whatever is no answer 200 means: nothing is allowed. Not recorded in the log: it names no person who looks.
    """
    key: ApiKey = request.auth  # type: ignore[attr-defined]
    try:
        found = permissions_of(key.licensee_id, ref)
    except Account.DoesNotExist:
        raise Http404("no such account") from None
    except DatabaseTrouble as error:
        raise GateClosed from error
    stop = not (found["sign_in"].allowed and found["play"].allowed)
    return Gate(account=ref, stop=stop, **{effect: Permission.from_orm(one) for effect, one in found.items()})


class DailyCounts(Schema):
    """What your platform counted on one day of the licensee of the key."""

    day: date = Field(examples=["2026-11-20"], description="A day that is over, in the licensee's time zone")
    counts: dict[str, Annotated[int, Field(ge=0, le=2_147_483_647)]] = Field(
        examples=[{"accounts_opened": 12, "accounts": 4813}], min_length=1, description="How many, by what was counted"
    )
    references: dict[str, list[Annotated[str, Field(max_length=64, pattern=r"^[^\x00-\x1f]+$")]]] = Field(
        default_factory=dict,
        examples=[{"accounts_opened": ["P-1041", "P-1042"]}],
        description="Your own numbers of what you counted, so that a difference can be named; at most 20,000 each",
    )


class Compared(Schema):
    """One count, yours and ours. `missing` are references that we lack, `extra` those that you lack, 100 at most."""

    thing: str
    theirs: int
    ours: int
    missing: list[str]
    extra: list[str]


class Comparison(Schema):
    day: date
    agrees: bool
    counts: list[Compared]


@router.post("/daily-counts", auth=Key(Scope.COUNTS_WRITE), response=Comparison, summary="Report a day's counts")
@idempotent
def report_counts(request: HttpRequest, payload: DailyCounts) -> Any:
    """Compares at once and answers with each difference. Reporting a day again replaces it. Once a day is enough."""
    if any(len(given) > MOST_REFERENCES for given in payload.references.values()):
        raise ConditionsNotMet([str(_("references: at most 20,000 of each."))])
    key = request.auth  # type: ignore[attr-defined]
    rows = counts.report(key.licensee, payload.day, payload.counts, payload.references, by=key)
    compared = [Compared(**{name: getattr(row, name) for name in Compared.model_fields}) for row in rows]
    return Status(200, Comparison(day=payload.day, agrees=not any(row.differs for row in rows), counts=compared))
