"""The platform's own operations."""

from typing import Any

from django.http import HttpRequest
from ninja import Router, Schema

from compliance.platform.auth import Key
from compliance.platform.scopes import Scope

router = Router(tags=["platform"])


class Pong(Schema):
    """Which key called, and what it may do."""

    key: str
    licensee: str
    scopes: list[str]


@router.get("/ping", auth=Key(Scope.PING), response=Pong, summary="Try a key")
def ping(request: HttpRequest) -> Any:
    """Answers with the shown part of the key, its licensee and its scopes. Changes nothing."""
    key = request.auth  # type: ignore[attr-defined]
    return Pong(key=key.prefix, licensee=key.licensee.slug, scopes=key.scopes)
