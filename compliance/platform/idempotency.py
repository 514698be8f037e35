"""`Idempotency-Key`: the same request sent twice happens once, and both get the same reply.

    @router.post("/customers", auth=Key(Scope.CUSTOMERS_WRITE), response={201: CustomerOut})
    @idempotent
    def create_customer(request, payload: CustomerIn) -> Status: ...

The reply is stored in the transaction of what the operation did: after a crash there are both or neither. What the
operation refused (4xx) is rolled back and its problem stored, so that a repeat is told the same. Not stored is what
came to no answer of its own, and can be sent again: a body that does not fit the schema, a key without the right, 429,
and 5xx. An operation that must commit although it fails (`proposals.confirm`) cannot be wrapped: its state machine
already makes a repeat harmless. One that asks somebody outside says `commits_itself=True`: no transaction stands open
while it waits, and after a crash it asks again.

A key and what it was replaced by are one caller: while both work, the repeat may come under the other.
"""

import hashlib
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from functools import wraps
from typing import Any

from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse, RawPostDataException
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
PASSING = {401, 403, 429}  # who asks may be let in a moment later
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


def idempotent(
    operation: Any = None, *, fingerprint: Callable[..., bytes] | None = None, commits_itself: bool = False
) -> Any:
    """Wrap an operation that returns `Status(code, schema, list of dicts or None)` or an HttpResponse. Without the
    header it runs as it is.

    `fingerprint(request, **inputs)` replaces the body in telling whether two requests are the same, for uploads.
    """
    if operation is None:
        return lambda named: idempotent(named, fingerprint=fingerprint, commits_itself=commits_itself)

    @wraps(operation)
    def once(request: HttpRequest, *args: Any, **inputs: Any) -> Any:
        name = request.headers.get(HEADER)
        if name is None:
            return operation(request, *args, **inputs)
        if not _KEY.fullmatch(name):
            raise KeyUnreadable
        same = _digest(request, fingerprint(request, **inputs) if fingerprint else None)
        running = _alone_committing_itself if commits_itself else _alone
        undone = nullcontext if commits_itself else transaction.atomic
        return _once(request, name, same, lambda: _carried_out(request, operation, args, inputs, undone), running)

    return once


def _once(request: Any, name: str, same: bytes, run: Callable[[], HttpResponse], alone: Any) -> HttpResponseBase:
    key: ApiKey = request.auth
    oldest = _oldest(key)
    where = {"route": f"{request.method} {request.resolver_match.route}", "key": name}
    with alone(lock_number(oldest, where["route"], name)):
        earlier = IdempotencyRecord.objects.filter(api_key__in=_line(oldest), **where).order_by("created_at").first()
        if earlier is not None:
            if bytes(earlier.request_digest) != same:
                raise KeyReused
            return _replay(earlier)
        reply = run()
        row = IdempotencyRecord(api_key=key, **where, request_digest=same, status=reply.status_code)
        row.body_sealed = seal(INSTALLATION, PURPOSE, reply.content, aad=row.pk.bytes)
        IdempotencyRecord.objects.bulk_create([row], ignore_conflicts=True)  # without a lock the first one stays
    return reply


def _carried_out(request: Any, operation: Any, args: Any, inputs: Any, undone: Any) -> HttpResponse:
    """What it replied, or the problem that it refused with: then nothing of what it did stays. Other errors go on."""
    try:
        with undone():
            return _reply(request, operation(request, *args, **inputs))
    except Exception as error:
        refusal = problems.answer(request, error)  # raises what is no answer
        if 400 <= refusal.status_code < 500 and refusal.status_code not in PASSING:
            return refusal
        raise


def _oldest(key: ApiKey) -> ApiKey:
    """The first of the keys that were replaced until it came to this one: the same caller under all of them."""
    while (former := ApiKey.objects.filter(replaced_by=key).first()) is not None:
        key = former
    return key


def _line(oldest: ApiKey) -> list[ApiKey]:
    """It and all that came after it. Asked under the lock: a key may be replaced while a request waits its turn."""
    line = [oldest]
    while (newer := ApiKey.objects.filter(replaces=line[-1]).first()) is not None:
        line.append(newer)
    return line


@contextmanager
def _alone(number: int) -> Iterator[None]:
    """One transaction, and nobody else at the same request: the lock goes with it, so also with a crash."""
    with transaction.atomic():
        if not _said("pg_try_advisory_xact_lock", number):
            raise StillRunning
        yield


@contextmanager
def _alone_committing_itself(number: int) -> Iterator[None]:
    """The same without a transaction: the lock is the connection's.

    Behind a pooler in transaction mode each statement may go over another connection: the lock would be taken on one
    and never given back. There nobody waits; what is asked twice at the same moment is asked twice, the first reply
    is kept.
    """
    if connection.settings_dict.get("DISABLE_SERVER_SIDE_CURSORS", False):
        yield
        return
    if not _said("pg_try_advisory_lock", number):
        raise StillRunning
    try:
        yield
    finally:
        _said("pg_advisory_unlock", number)


def lock_number(key: ApiKey, route: str, name: str) -> int:
    """Names this caller (the oldest of its line), route and key among PostgreSQL's advisory locks."""
    digest = hashlib.sha256(f"{key.pk}|{route}|{name}".encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)


def _said(function: str, number: int) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {function}(%s)", [number])
        return bool(cursor.fetchone()[0])


def _digest(request: HttpRequest, given: bytes | None) -> bytes:
    try:
        body = request.body if given is None else given
    except RawPostDataException:  # its files were read already
        raise NoFingerprint(NoFingerprint.__doc__) from None
    head = f"{request.method} {request.get_full_path()}\n".encode()
    return hashlib.sha256(head + hashlib.sha256(body).digest()).digest()


def _reply(request: HttpRequest, result: Any) -> HttpResponse:
    if isinstance(result, HttpResponse):
        return result
    if isinstance(result, Status) and result.value is None:
        return HttpResponse(status=result.status_code)
    if isinstance(result, Status) and isinstance(result.value, BaseModel | list):
        value = result.value
        plain = value.model_dump() if isinstance(value, BaseModel) else value
        content = JSONRenderer().render(request, plain, response_status=result.status_code)
        return HttpResponse(content, content_type="application/json; charset=utf-8", status=result.status_code)
    raise TypeError("An idempotent operation returns Status(code, schema, list of dicts or None) or an HttpResponse.")


def _replay(row: IdempotencyRecord) -> HttpResponse:
    content = open_sealed(INSTALLATION, PURPOSE, bytes(row.body_sealed), aad=row.pk.bytes)
    kind = problems.MEDIA_TYPE if row.status >= 400 else "application/json; charset=utf-8"
    return HttpResponse(content, content_type=kind, status=row.status, headers={REPLAYED: "true"})
