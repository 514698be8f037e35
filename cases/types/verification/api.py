"""What the operator's platform does with verifications."""

from typing import Any

from django.http import Http404, HttpRequest
from ninja import Router, Status

from cases.api import CaseIn, CaseOut, account_of, case_out
from cases.queries import get_case
from cases.types.verification import services
from cases.types.verification.models import KIND
from compliance.platform.auth import Key
from compliance.platform.idempotency import idempotent
from compliance.platform.scopes import Scope

router = Router(tags=["verification"])


@router.post("/verifications", auth=Key(Scope.CASES_WRITE), response={201: CaseOut}, summary="Open a verification")
@idempotent
def open_verification(request: HttpRequest, body: CaseIn) -> Any:
    """One open verification per player. The player is told the tracking number."""
    key = request.auth  # type: ignore[attr-defined]
    case = services.open(account_of(key, body.account), level=body.level, by=key)
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
    return case_out(services.withdraw(case, by=key))
