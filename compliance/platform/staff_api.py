"""Closing sign-ins from outside: the operator's directory says who left, as SCIM does."""

from typing import Any

from django.http import Http404, HttpRequest
from ninja import Router, Schema, Status
from pydantic import Field

from compliance.people.models import User
from compliance.people.staff import close_sign_in
from compliance.platform.auth import Key
from compliance.platform.idempotency import idempotent
from compliance.platform.scopes import Scope

router = Router(tags=["staff"])


class Leaver(Schema):
    email: str = Field(examples=["ayse@example.com"], max_length=254, description="What the person signs in with")


class Closed(Schema):
    active: bool


@router.post("/staff/deactivate", auth=Key(Scope.STAFF_WRITE), response=Closed, summary="Close a sign-in")
@idempotent
def deactivate(request: HttpRequest, payload: Leaver) -> Any:
    """Ends the sign-in with its sessions, API keys, roles and proposals, at once. Closing it twice changes nothing.

    The scope reaches all staff, of every licensee. A key of a test licensee cannot have it.
    """
    user = User.objects.filter(email=payload.email.strip().lower()).first()
    if user is None:
        raise Http404("no such sign-in")
    return Status(200, Closed(active=close_sign_in(user, by=request.auth).is_active))  # type: ignore[attr-defined]
