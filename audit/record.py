"""Write one entry of the log, in the transaction of the change that it records.

An entry is a JSON object (see `canonical`) with these keys; those in brackets only where they have something to say:

    v        1
    log      main | aml
    id       UUID version 7
    ts       when it was recorded, UTC with microseconds
    action   a name of the registry
    actor    {t, id, [auth], [sess]}        kind and id of who acts, factors used, digest of the session
    [behalf] {t, id}                        for whom the actor acts
    object   {t, id, [rev]}                 what is acted on, its version after the act
    [subject] {t, id}                       whose matter it is, and whose key seals; without one, the installation's key
    [matter] tracking number
    out      done | refused
    [reason] {code}
    req      request id
    src      {app, host, version}
    [diff]   {field: [old, new]}            public fields only
    [data]   {name: value}                  public details only
    [sealed] {kid, alg, h, n}               key, form, SHA-256 and length of the ciphertext in audit_sealed
    mac      HMAC of the writer over the entry without this key

The sealed part is a JSON object too: [diff], [data], [note], [address], [agent].
"""

import logging
import re
import socket
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from hashlib import sha256
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connections, models, transaction
from django.db.utils import OperationalError

from audit import context
from audit.actors import INSTALLATION, Actor, Acts, SubjectRef
from audit.canonical import base64url, dumps, plain, timestamp
from audit.cards import without_cards
from audit.packing import pack
from audit.prepared import execute
from audit.registry import Action, Kept, UnregisteredAction, UnregisteredField, lookup
from audit.sealer import Sealed, sealer
from audit.uuid7 import uuid7

LARGEST_ENTRY = 60_000  # bytes; tlog-tiles stores leaves with a length of 16 bits
READ_AGAIN_AFTER = "15 minutes"

_log = logging.getLogger(__name__)
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:/,+-]{0,119}")


class NotInTransaction(RuntimeError):
    """An entry stands or falls with the change it records: call `record` inside `transaction.atomic`."""


class EntryTooLarge(ValueError):
    """An entry holds at most 60,000 bytes. Record a digest of what is larger."""


class ReasonIsNotACode(ValueError):
    """`reason` is a code that everybody with the log may read. Free text is a `note`, which is sealed."""


@dataclass(frozen=True, slots=True)
class ObjectRef:
    """What an entry is about, when that is no model: a route, a query, a key."""

    kind: str
    id: str
    rev: int | None = None


def record(
    action: str,
    *,
    by: Acts,
    about: models.Model | ObjectRef,
    reason: str | None = None,
    note: str | None = None,
    changes: Mapping[str, tuple[Any, Any]] | None = None,
    details: Mapping[str, Any] | None = None,
    subject: SubjectRef | None = None,
    matter: str | None = None,
    behalf: Actor | None = None,
    outcome: str = "done",
    log: str | None = None,
    using: str = "default",
) -> UUID:
    """Record that `by` did `action` to `about`; return the entry's id. Needs an open transaction on `using`.

    `reason` is a code, `note` free text (sealed). `changes` maps fields to (old, new), `details` names to values;
    each must be declared by the action. `subject`, `matter` and `log` come from the object's audit_subject,
    audit_matter and audit_log when not given. Raises NotInTransaction, MissingContext, UnregisteredAction,
    UnregisteredField, ReasonIsNotACode, NotCanonical, EntryTooLarge.
    """
    connection = connections[using]
    if not connection.in_atomic_block:
        raise NotInTransaction(NotInTransaction.__doc__)
    here = context.current()
    event_id, now = uuid7(), datetime.now(UTC)
    subject = subject or getattr(about, "audit_subject", None)
    matter = matter or getattr(about, "audit_matter", None)
    log = log or str(getattr(about, "audit_log", "main"))
    target = about if isinstance(about, ObjectRef) else _reference(about)
    declared = _declared(action)
    actor = by.audit_actor

    entry = _public(declared, changes, details) | {
        "v": 1,
        "log": log,
        "id": str(event_id),
        "ts": timestamp(now),
        "action": action,
        "actor": _without_none({"t": actor.kind, "id": actor.id, "auth": here.authentication, "sess": here.session}),
        "object": _without_none({"t": target.kind, "id": target.id, "rev": target.rev}),
        "out": outcome,
        "req": here.request_id,
        "src": {"app": here.source, "host": here.host or _host(), "version": settings.VERSION},
    }
    hidden = _hidden(declared, changes, details, note, here)
    if reason is not None:
        if _CODE.fullmatch(reason):
            entry["reason"] = {"code": reason}
        else:
            _complain(ReasonIsNotACode(f"{action}: {ReasonIsNotACode.__doc__}"))
            hidden["reason"] = plain(without_cards(reason))
    if behalf is not None:
        entry["behalf"] = {"t": behalf.kind, "id": behalf.id}
    if subject is not None:
        entry["subject"] = {"t": subject.kind, "id": subject.id}
    if matter is not None:
        entry["matter"] = plain(matter)
    sealed = _seal(entry, hidden, subject or INSTALLATION, event_id, log, using) if hidden else None

    signed = _signed(entry, log)
    if len(signed) > LARGEST_ENTRY:
        raise EntryTooLarge(f"{action}: {len(signed)} bytes. {EntryTooLarge.__doc__}")
    columns = (
        log,
        event_id,
        now,
        actor.kind,
        actor.id,
        action,
        target.kind,
        target.id,
        subject.kind if subject else None,
        subject.id if subject else None,
        entry.get("matter"),
        outcome,
        here.request_id,
        pack(signed),
    )
    if sealed is None:
        execute(connection, INSERT, columns)
    else:
        execute(connection, INSERT_SEALED, (*columns, sealed.ciphertext))
    return event_id


def record_refusal(
    action: str, *, by: Acts, about: models.Model | ObjectRef, reason: str, note: str | None = None, **facts: Any
) -> UUID:
    """Record that `by` was refused `action`, at once on the connection "log": it survives the request's rollback.

    Takes what `record` takes. The caller's own transaction may hold a lock that this one would wait for (a key just
    made for a new customer): it then waits a moment only, and drops what it would have sealed rather than the
    refusal.
    """
    facts = {"outcome": "refused", **facts, "using": "log"}
    entry = _refused(action, by=by, about=about, reason=reason, note=note, **facts)
    context.note_refusal(facts.get("log", "main"), reason)
    return entry


def _refused(
    action: str, *, by: Acts, about: models.Model | ObjectRef, reason: str, note: str | None, **facts: Any
) -> UUID:
    try:
        with transaction.atomic(using="log"), connections["log"].cursor() as cursor:
            cursor.execute("SET LOCAL lock_timeout = '300ms'")
            return record(action, by=by, about=about, reason=reason, note=note, **facts)
    except OperationalError:
        _log.warning("A refusal is recorded without its sealed part: the key is held by another transaction.")
    with transaction.atomic(using="log"), context.use(context.bare(context.current())):
        facts["details"] = {
            name: value
            for name, value in (facts.get("details") or {}).items()
            if _declared(action).kept(name) is Kept.PUBLIC
        }
        return record(action, by=by, about=about, reason=reason, **facts | {"changes": None})


def record_read(
    *,
    by: Acts,
    subject: SubjectRef,
    purpose: str,
    about: models.Model | ObjectRef,
    matter: str | None = None,
    mark: str | None = None,
) -> str:
    """Record that `by` read about `subject`: one entry per person, subject and `purpose` (a code) in 15 minutes.

    `mark` narrows what counts as the same reading ("review:<document>"); without it, it is the purpose. Returns the
    view id, 10 hex digits, the same for all reads of these 15 minutes. With a mark it stands in the entry, so that
    what carries it leads there.
    """
    actor = by.audit_actor
    key = (f"{actor.kind}:{actor.id}", f"{subject.kind}:{subject.id}", mark or purpose)
    with transaction.atomic(), connections["default"].cursor() as cursor:
        # Two at once: the second waits for the first to commit and then finds its mark.
        cursor.execute(MARK, key)
        first = cursor.fetchone()
        if not first:
            cursor.execute(MARKED, key)
        (until,) = first or cursor.fetchone()
        view = sealer().mac("|".join(("view", *key, timestamp(until))).encode()).hex()[:10]
        if first:
            details = {"purpose": purpose, **({"view": view} if mark else {})}
            record("audit.read", by=by, about=about, subject=subject, matter=matter, details=details)
    return view


def query_digest(text: str) -> str:
    """16 hex digits that name what was searched for, in public: keyed, because a national id or a name can be guessed.

    The same words give the same digest, so that a repeated search is seen as one.
    """
    # Entries, which the same key signs, start with a brace.
    return sealer().mac(b"search|" + text.encode()).hex()[:16]


_COLUMNS = (
    "log, event_id, at, actor_kind, actor_id, action, object_kind, object_id,"
    " subject_kind, subject_id, matter, outcome, request_id, entry"
)
INSERT = f"INSERT INTO audit_entry ({_COLUMNS}) VALUES ({', '.join(['%s'] * 14)})"
INSERT_SEALED = (
    f"WITH written AS ({INSERT} RETURNING id) "
    "INSERT INTO audit_sealed (entry_id, ciphertext) SELECT id, %s FROM written"
)
MARK = (
    "INSERT INTO audit_read_mark (actor, subject, purpose, until)"
    f" VALUES (%s, %s, %s, clock_timestamp() + interval '{READ_AGAIN_AFTER}')"
    " ON CONFLICT (actor, subject, purpose) DO UPDATE SET until = EXCLUDED.until"
    " WHERE audit_read_mark.until <= clock_timestamp() RETURNING until"
)
MARKED = "SELECT until FROM audit_read_mark WHERE actor = %s AND subject = %s AND purpose = %s"


def additional_data(log: str, event_id: UUID | str, subject: SubjectRef) -> bytes:
    """What the sealed part is bound to, besides its key's name."""
    return f"{log}|{event_id}|{subject.kind}:{subject.id}".encode()


def _reference(about: models.Model) -> ObjectRef:
    # The concrete model: a proxy's rows are the same rows.
    concrete = about._meta.concrete_model or type(about)
    return ObjectRef(concrete._meta.model_name or "", str(about.pk), getattr(about, "version", None))


def _declared(action: str) -> Action:
    """The registered action. In production an unknown one is recorded all the same, everything in it sealed."""
    try:
        return lookup(action)
    except UnregisteredAction as error:
        _complain(error)
        return Action(action, action)


def _kept(declared: Action, name: str) -> Kept:
    try:
        return declared.kept(name)
    except UnregisteredField as error:
        _complain(error)
        return Kept.SEALED


def _complain(error: Exception) -> None:
    """A mistake of ours: loud in tests and development; in production the act goes on, its facts sealed."""
    if settings.MIZAN_ENV != "production":
        raise error
    _log.error("%s", error)


def _public(declared: Action, changes: Mapping[str, Any] | None, details: Mapping[str, Any] | None) -> dict[str, Any]:
    return _sorted_out(declared, changes, details, Kept.PUBLIC)


def _hidden(
    declared: Action,
    changes: Mapping[str, Any] | None,
    details: Mapping[str, Any] | None,
    note: str | None,
    here: context.Context,
) -> dict[str, Any]:
    hidden = {key: _without_cards(found) for key, found in _sorted_out(declared, changes, details, Kept.SEALED).items()}
    extra = {"note": without_cards(note) if note else None, "address": here.address, "agent": here.user_agent}
    hidden.update({key: plain(value) for key, value in extra.items() if value is not None})
    return hidden


def _sorted_out(declared: Action, changes: Any, details: Any, wanted: Kept) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, given in (("diff", changes), ("data", details)):
        if given and (kept := {name: plain(value) for name, value in given.items() if _kept(declared, name) is wanted}):
            found[key] = kept
    return found


def _without_cards(value: Any) -> Any:
    """What people typed, however deep it lies. Public facts are ids and codes: a digest is not searched for cards."""
    match value:
        case str():
            return without_cards(value)
        case list():
            return [_without_cards(one) for one in value]
        case dict():
            return {key: _without_cards(one) for key, one in value.items()}
    return value


def _without_none(values: dict[str, Any]) -> dict[str, Any]:
    return {key: plain(value) for key, value in values.items() if value is not None}


def _seal(
    entry: dict[str, Any], hidden: dict[str, Any], subject: SubjectRef, event_id: UUID, log: str, using: str
) -> Sealed:
    """Seal `hidden` and put what proves it into the entry."""
    sealed = sealer().seal(subject, event_id, additional_data(log, event_id, subject), dumps(hidden), using=using)
    entry["sealed"] = {
        "kid": sealed.kid,
        "alg": sealed.alg,
        "h": base64url(sha256(sealed.ciphertext).digest()),
        "n": len(sealed.ciphertext),
    }
    return sealed


def _signed(entry: dict[str, Any], log: str) -> bytes:
    """The entry's canonical bytes, the writer's MAC in its place among the sorted keys: after `log`."""
    unsigned = dumps(entry)
    mac = base64url(sealer().mac(unsigned)).encode()
    # Nothing that sorts after the entry's own `log` contains this text: quotes inside strings are escaped.
    head, place, tail = unsigned.rpartition(b',"log":"%s"' % log.encode())
    return b'%s%s,"mac":"%s"%s' % (head, place, mac, tail)


def flaw_of(signed: bytes, log: str, mac: Callable[[bytes], bytes] | None = None) -> str | None:
    """None when these bytes carry our writer's MAC, else "no_mac" or "wrong_mac". For many, `mac=sealer().writer()`."""
    head, place, tail = signed.rpartition(b',"mac":"')
    if not place or tail[43:44] != b'"' or not head.endswith(b',"log":"%s"' % log.encode()):
        return "no_mac"
    return None if urlsafe_b64encode((mac or sealer().mac)(head + tail[44:])) == tail[:43] + b"=" else "wrong_mac"


@cache
def _host() -> str:
    return socket.gethostname()
