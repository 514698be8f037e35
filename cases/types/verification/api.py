"""What the operator's platform does with verifications."""

from typing import Any, Literal

from django.http import Http404, HttpRequest
from ninja import Router, Schema, Status
from pydantic import AwareDatetime, Field

from cases.api import CaseIn, CaseOut, account_of, case_out
from cases.queries import get_case
from cases.types.verification import services
from cases.types.verification.models import KIND
from cases.types.verification.requirements import WithdrawalTrap
from compliance.people.sameness.services import notice
from compliance.platform.auth import Key
from compliance.platform.idempotency import idempotent
from compliance.platform.problems import register
from compliance.platform.scopes import Scope

router = Router(tags=["verification"])
register(WithdrawalTrap, status=422, code="withdrawal_trap", errors=lambda trap: trap.errors)


class VerificationIn(CaseIn):
    """Why it is opened, and since when. What a withdrawal asks for must not have been due before."""

    because: Literal["application", "threshold", "withdrawal", "new_fact"] = Field(
        default="application",
        description="threshold: an amount was reached; withdrawal: the player withdraws; new_fact: something became"
        " known. Only who applies is written to at once",
    )
    crossed_at: AwareDatetime | None = Field(
        default=None, examples=["2026-11-22T09:30:00+03:00"], description="When it became due; now, if you leave it out"
    )
    knowable_at: AwareDatetime | None = Field(
        default=None,
        description="When it could first have been asked for: with the account, or with the amount reached, if you"
        " leave it out",
    )


@router.post("/verifications", auth=Key(Scope.CASES_WRITE), response={201: CaseOut}, summary="Open a verification")
@idempotent
def open_verification(request: HttpRequest, body: VerificationIn) -> Any:
    """One open verification per player. Who applies is told the tracking number.

    A withdrawal for which something is asked that could have been asked before is refused as `withdrawal_trap`: let it
    go on without.
    """
    key = request.auth  # type: ignore[attr-defined]
    case = services.open(account_of(key, body.account), by=key, **body.model_dump(exclude={"account"}))
    return Status(201, case_out(case))


@router.post(
    "/verifications/{number}/withdraw", auth=Key(Scope.CASES_WRITE), response=CaseOut, summary="Withdraw a verification"
)
@idempotent
def withdraw_verification(request: HttpRequest, number: str) -> Any:
    """The player wants no verification. Deposits and play stop until one is approved; withdrawals stay open."""
    key = request.auth  # type: ignore[attr-defined]
    case = get_case(number, user=key)
    if case.kind != KIND:
        raise Http404("no such verification")
    return Status(200, case_out(services.withdraw(case, by=key)))


class TraitIn(Schema):
    """Something that a player is known by, as your platform names it."""

    what: str = Field(examples=["device"], description="device or payment_instrument")
    value: str = Field(
        examples=["tok_5f3c9a1b7e"], description="Your own token of it, 8 to 200 characters; never a card number"
    )


@router.post(
    "/accounts/{ref}/traits",
    auth=Key(Scope.ACCOUNTS_WRITE),
    response={204: None},
    summary="Report a device or instrument",
)
@idempotent
def report_trait(request: HttpRequest, ref: str, body: TraitIn) -> Any:
    """Players who share one may be one person: somebody looks. Kept as a keyed digest, nothing can be read back."""
    key = request.auth  # type: ignore[attr-defined]
    notice(account_of(key, ref), body.what, body.value, by=key)
    return Status(204, None)
