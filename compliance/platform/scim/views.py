"""Find somebody, and close their sign-in. Nobody is added and no sign-in is opened here: people of the house do that.

The key is one of the API, with the scope `staff:write`. Closing goes through the same act as everywhere else.
"""

import json
import re
from collections.abc import Callable
from functools import wraps
from typing import Any
from uuid import UUID

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_http_methods

from audit.access import Rule, rule
from audit.perform import Denied
from audit.record import record
from compliance.people.models import User
from compliance.people.staff import close_sign_in
from compliance.platform.auth import Key, TooManyRequests
from compliance.platform.models import ApiKey
from compliance.platform.scopes import Scope
from compliance.platform.signatures import NotSigned

MEDIA_TYPE = "application/scim+json"
SCHEMAS = "urn:ietf:params:scim:"
USER = f"{SCHEMAS}schemas:core:2.0:User"
BY_NAME = re.compile(r'\s*userName\s+eq\s+"([^"\\]{1,254})"\s*', re.IGNORECASE)
WORDS = {"false": False, "true": True}  # some directories send texts
OURS = {"userName": ("email", None), "displayName": ("name", 120)}  # what it is here, and how much of it is kept
MOST_OPERATIONS = 20

View = Callable[..., HttpResponse]


class _Wrong(Exception):
    """`kind` is SCIM's own word (RFC 7644, 3.12)."""

    def __init__(self, status: int, kind: str, detail: str) -> None:
        super().__init__(detail)
        self.status, self.kind, self.detail = status, kind, detail


def _answer(said: dict[str, Any], status: int = 200) -> HttpResponse:
    return HttpResponse(json.dumps(said), status=status, content_type=MEDIA_TYPE)


def _error(status: int, detail: str, kind: str = "") -> HttpResponse:
    said: dict[str, Any] = {"schemas": [f"{SCHEMAS}api:messages:2.0:Error"], "status": str(status), "detail": detail}
    answer = _answer(said | ({"scimType": kind} if kind else {}), status)
    if status == 401:
        answer["WWW-Authenticate"] = "Bearer"
    return answer


def _with_key(view: View) -> View:
    @wraps(view)
    def answered(request: HttpRequest, **kwargs: Any) -> HttpResponse:
        try:
            key = Key(Scope.STAFF_WRITE)(request)
            if key is None:
                return _error(401, "Send a valid key: Authorization: Bearer mzn_...")
            return view(request, key, **kwargs)
        except TooManyRequests as much:
            answer = _error(429, "More requests than this key may make in a minute.")
            answer["Retry-After"] = str(much.allowance.resets_in)
            return answer
        except NotSigned as wrong:
            return _error(401, str(wrong))
        except Denied:
            return _error(403, "This key does not have the scope staff:write.")
        except _Wrong as wrong:
            return _error(wrong.status, wrong.detail, wrong.kind)

    return answered


@csrf_exempt
@never_cache
@rule(Rule.PUBLIC)
@require_GET
@_with_key
def users(request: HttpRequest, key: ApiKey) -> HttpResponse:
    """`filter=userName eq "ayse@example.com"`: one, or none. There is no list of everybody."""
    asked = BY_NAME.fullmatch(request.GET.get("filter", ""))
    if asked is None:
        raise _Wrong(400, "invalidFilter", 'Ask with filter=userName eq "address".')
    user = User.objects.filter(email=asked[1].strip().lower()).first()
    found = [_shown(user, key)] if user else []
    said = {"totalResults": len(found), "startIndex": 1, "itemsPerPage": len(found), "Resources": found}
    return _answer({"schemas": [f"{SCHEMAS}api:messages:2.0:ListResponse"], **said})


@csrf_exempt
@never_cache
@rule(Rule.PUBLIC)
@require_http_methods(["GET", "PATCH", "PUT", "DELETE"])
@_with_key
def user(request: HttpRequest, key: ApiKey, user_id: UUID) -> HttpResponse:
    """One sign-in. PATCH or PUT with active=false, and DELETE, close it; nothing else is changed from outside."""
    found = User.objects.filter(pk=user_id).first()
    if found is None:
        raise _Wrong(404, "", "There is no such sign-in.")
    if request.method != "GET" and _closes(request, found):
        found = close_sign_in(found, by=key)
    return HttpResponse(status=204) if request.method == "DELETE" else _answer(_shown(found, key))


def _shown(user: User, key: ApiKey) -> dict[str, Any]:
    """What a directory needs to know its own again. Showing it is an entry."""
    with transaction.atomic():
        record("access.view_staff", by=key, about=user)
    said = {"id": str(user.pk), "userName": user.email, "displayName": user.name, "active": user.is_active}
    return {"schemas": [USER], **said, "meta": {"resourceType": "User"}}


def _closes(request: HttpRequest, user: User) -> bool:
    """Whether this asks to close the sign-in. Refused is what would open it, or change anything else."""
    if request.method == "DELETE":
        return True
    said = _body(request)
    wanted = [said.get("active", user.is_active)] if request.method == "PUT" else list(_patched(said))
    active = [_truth(one) for one in wanted]
    if any(active) and not user.is_active:
        raise _Wrong(400, "mutability", "A closed sign-in is opened by an administrator here.")
    if all(active) and request.method == "PUT":  # who closes is heard, whatever else was sent
        _same(said, user)
    return not all(active)


def _truth(value: Any) -> bool:
    found = WORDS.get(value.lower()) if isinstance(value, str) else value
    if not isinstance(found, bool):  # 0 and 1 are numbers
        raise _Wrong(400, "invalidValue", "active is true or false.")
    return found


def _same(said: dict[str, Any], user: User) -> None:
    """What was sent in full names the person as they are here, as far as a name is kept here."""
    for name, (ours, kept) in OURS.items():
        there, here = said.get(name), getattr(user, ours)
        if there is not None and str(there).strip()[:kept].strip().lower() != here.lower():
            raise _Wrong(400, "mutability", f"{name} is changed here, not from outside.")


def _patched(said: dict[str, Any]) -> list[Any]:
    """The values that a PATCH gives to `active`."""
    operations = said.get("Operations")
    if not isinstance(operations, list) or not 0 < len(operations) <= MOST_OPERATIONS:
        raise _Wrong(400, "invalidSyntax", "Send Operations.")
    values = []
    for one in operations:
        value = one.get("value") if isinstance(one, dict) else None
        path = str(one.get("path") or "").lower() if isinstance(one, dict) else ""
        if not path and isinstance(value, dict) and set(value) == {"active"}:
            path, value = "active", value["active"]
        if path != "active" or str(one.get("op", "")).lower() not in ("replace", "add"):
            raise _Wrong(400, "mutability", "Only active can be changed from outside.")
        values.append(value)
    return values


def _body(request: HttpRequest) -> dict[str, Any]:
    try:
        said = json.loads(request.body)
    except ValueError:
        said = None
    if not isinstance(said, dict):
        raise _Wrong(400, "invalidSyntax", "Send a JSON object.")
    return said
