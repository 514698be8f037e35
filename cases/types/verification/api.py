"""What the operator's platform does with verifications."""

from typing import Any

from django.http import HttpRequest
from ninja import Router, Status

from cases.api import CaseIn, CaseOut, account_of, case_out
from cases.types.verification import services
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
