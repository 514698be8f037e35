"""`Idempotency-Key`: the same request sent twice happens once, and both get the same reply.

    @router.post("/customers", auth=Key(Scope.CUSTOMERS_WRITE), response={201: CustomerOut})
    @idempotent
    def create_customer(request, payload: CustomerIn) -> Status: ...

The reply is stored in the transaction of what the operation did: after a crash there are both or neither. What raised
an error is not stored, for it changed nothing, and can be sent again. An operation that must commit although it fails
(`proposals.confirm`) cannot be wrapped: its state machine already makes a repeat harmless.
"""

import hashlib
import re
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext_lazy as _
from ninja import Status
from ninja.renderers import JSONRenderer
from pydantic import BaseModel

from audit.actors import INSTALLATION
from compliance.keys.services import open_sealed, seal
from compliance.platform import problems
from compliance.platform.models import ApiKey, IdempotencyRecord

HEADER = "Idempotency-Key"
REPLAYED = "Idempotent-Replayed"
PURPOSE = "platform.reply"
_KEY = re.compile(r"[\x21-\x7e]{1,255}")


class KeyReused(Exception):
    """The key was used for another request. A new request needs a new key."""


class StillRunning(Exception):
    """The first request with this key is not finished."""


class KeyUnreadable(Exception):
    """Not 1 to 255 visible ASCII characters."""


class NoFingerprint(TypeError):
    """An operation that takes files says what makes two requests the same: @idempotent(fingerprint=...)."""


problems.register(
    KeyReused,
    status=422,
    code="idempotency_key_reused",
    detail=_("This Idempotency-Key was used for another request. Use a new one."),
)
problems.register(
    StillRunning,
    status=409,
    code="idempotency_in_progress",
    detail=_("The first request with this Idempotency-Key is still running."),
    headers=lambda error: {"Retry-After": "1"},
)
problems.register(
    KeyUnreadable,
    status=400,
    code="idempotency_key_unreadable",
    detail=_("Idempotency-Key: 1 to 255 visible ASCII characters."),
)


def idempotent(operation: Any = None, *, fingerprint: Callable[..., bytes] | None = None) -> Any:
    """Wrap an operation that returns `Status(code, schema)` or an HttpResponse. Without the header it runs as it is.

    `fingerprint(request, **inputs)` replaces the body in telling whether two requests are the same, for uploads.
    """
    if operation is None:
        return lambda named: idempotent(named, fingerprint=fingerprint)

    @wraps(operation)
    def once(request: HttpRequest, *args: Any, **inputs: Any) -> Any:
        name = request.headers.get(HEADER)
        if name is None:
            return operation(request, *args, **inputs)
        if not _KEY.fullmatch(name):
            raise KeyUnreadable
        same = _digest(request, fingerprint(request, **inputs) if fingerprint else None)
        return _once(request, name, same, lambda: operation(request, *args, **inputs))

    return once


def _once(request: Any, name: str, same: bytes, run: Callable[[], Any]) -> HttpResponseBase:
    key: ApiKey = request.auth
    route = f"{request.method} {request.resolver_match.route}"
    where = {"api_key": key, "route": route, "key": name}
    with transaction.atomic():
        if not _locked(lock_number(key, route, name)):
            raise StillRunning
        earlier = IdempotencyRecord.objects.filter(**where).first()
        if earlier is not None:
            if bytes(earlier.request_digest) != same:
                raise KeyReused
            return _replay(earlier)
        reply = _reply(request, run())
        row = IdempotencyRecord(**where, request_digest=same, status=reply.status_code)
        row.body_sealed = seal(INSTALLATION, PURPOSE, reply.content, aad=row.pk.bytes)
        row.save(force_insert=True)
    return reply


def lock_number(key: ApiKey, route: str, name: str) -> int:
    """Names this caller, route and key among PostgreSQL's advisory locks."""
    digest = hashlib.sha256(f"{key.pk}|{route}|{name}".encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)


def _locked(number: int) -> bool:
    """Whether nobody else is at the same request now: the lock goes with the transaction, so also with a crash."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [number])
        return bool(cursor.fetchone()[0])


def _digest(request: HttpRequest, given: bytes | None) -> bytes:
    if given is None and request.content_type == "multipart/form-data":
        raise NoFingerprint(NoFingerprint.__doc__)
    body = request.body if given is None else given
    head = f"{request.method} {request.get_full_path()}\n".encode()
    return hashlib.sha256(head + hashlib.sha256(body).digest()).digest()


def _reply(request: HttpRequest, result: Any) -> HttpResponse:
    if isinstance(result, HttpResponse):
        return result
    if isinstance(result, Status) and isinstance(result.value, BaseModel):
        content = JSONRenderer().render(request, result.value.model_dump(), response_status=result.status_code)
        return HttpResponse(content, content_type="application/json; charset=utf-8", status=result.status_code)
    raise TypeError("An idempotent operation returns Status(code, schema) or an HttpResponse.")


def _replay(row: IdempotencyRecord) -> HttpResponse:
    content = open_sealed(INSTALLATION, PURPOSE, bytes(row.body_sealed), aad=row.pk.bytes)
    return HttpResponse(
        content, content_type="application/json; charset=utf-8", status=row.status, headers={REPLAYED: "true"}
    )
