"""Hand over the newest checkpoint to each anchor that is due, keep what comes back, say so in the log.

Every token's digest is in the entry `audit.anchor`, so the next anchored checkpoint vouches for the tokens before it.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from django.conf import settings
from django.db import connections, transaction

from audit.actors import system
from audit.anchors import CannotAnchor, Configured, Held, Proof, configured
from audit.anchors.timestamps import TimeStamps
from audit.checkpoints import BadNote, Checkpoint
from audit.database import tile_fetcher
from audit.models import LOGS
from audit.queries import standing
from audit.record import ObjectRef, record
from audit.tiles import Nodes
from audit.tree import consistency

RENEW_BEFORE = "30 days"  # the end of a time stamp's certificate

_log = logging.getLogger(__name__)

COLUMNS = "id, log, size, name, note, proof, chain, at, expires_at, renews, form"
_NEWEST = f"SELECT {COLUMNS} FROM audit_anchor WHERE log = %s AND name = %s AND renews IS NULL ORDER BY id DESC LIMIT 1"
_WRITE = """
INSERT INTO audit_anchor (log, size, name, note, proof, chain, at, expires_at, renews, form)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""
# The newest stamp of each certificate that ends soon and that no newer stamp covers. It covers those before it: the log
# below its checkpoint holds their digests.
_ENDING = f"""
SELECT DISTINCT ON (expires_at) {COLUMNS} FROM audit_anchor a
WHERE log = %s AND name = %s AND expires_at BETWEEN now() AND now() + %s::interval
  AND NOT EXISTS (SELECT FROM audit_anchor r WHERE r.renews = a.id)
ORDER BY expires_at, size DESC, id DESC
"""
_LAST_WORD = """
SELECT action FROM audit_entry WHERE object_id = %s AND object_kind = 'anchor' AND log = %s ORDER BY id DESC LIMIT 1
"""


@dataclass(frozen=True, slots=True)
class Anchored:
    """A row of audit_anchor: a checkpoint that lies outside, and what came back."""

    id: int
    log: str
    size: int
    name: str
    note: str
    proof: bytes
    chain: str
    at: datetime
    expires_at: datetime | None
    renews: int | None
    form: str

    @property
    def held(self) -> Held:
        return Held(self.log, self.note, checkpoint_of(self.note))


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one attempt; `problem` is empty when the checkpoint lies outside now."""

    log: str
    name: str
    size: int
    problem: str = ""


def place_due(*, logs: tuple[str, ...] = LOGS, now: datetime | None = None, at_once: bool = False) -> list[Outcome]:
    """Every anchor that is due (each one, with `at_once`), then renewals and alarms. Needs that no transaction is
    open. Does nothing while another process is at it.
    """
    now, outcomes = now or datetime.now(UTC), []
    with _alone() as alone:
        for anchor in configured() if alone else ():
            for log in logs:
                if log not in anchor.logs:
                    continue
                newest = newest_of(log, anchor.name)
                every = timedelta(seconds=settings.AUDIT_ANCHOR_EVERY)
                if at_once or newest is None or newest.at + every <= now:
                    outcomes += _place(anchor, log, newest)
                outcomes += _renew(anchor, log)
                _raise_alarm(anchor.name, log, now)
    return outcomes


def newest_of(log: str, name: str) -> Anchored | None:
    with connections["default"].cursor() as cursor:
        cursor.execute(_NEWEST, [log, name])
        row = cursor.fetchone()
    return anchored(row) if row else None


def anchored(row: tuple[object, ...]) -> Anchored:
    """A row of `COLUMNS` as PostgreSQL gives it."""
    number, log, size, name, note, proof, *rest = row
    return Anchored(number, log, size, name, note, bytes(proof), *rest)  # type: ignore[arg-type, call-overload]


def checkpoint_of(note: str) -> Checkpoint:
    """What a note says, whoever signed it."""
    return Checkpoint.parse(note.rpartition("\n\n")[0] + "\n")


def late(now: datetime | None = None) -> list[tuple[str, str, datetime | None]]:
    """(log, anchor, when last) of each anchor that has not confirmed for AUDIT_ANCHOR_ALARM_AFTER seconds."""
    now, limit = now or datetime.now(UTC), timedelta(seconds=settings.AUDIT_ANCHOR_ALARM_AFTER)
    found = []
    for name, given in settings.AUDIT_ANCHORS.items():
        for log in given["LOGS"]:
            newest = newest_of(log, name)
            since = newest.at if newest else None
            if since is None or since + limit < now:
                found.append((log, name, since))
    return found


def _place(anchor: Configured, log: str, newest: Anchored | None) -> list[Outcome]:
    now = standing(log)
    if not now.note or now.refusal or (newest and newest.size == now.signed_size):
        return []
    try:
        held = Held(log, now.note, checkpoint_of(now.note))
        with connections["default"].cursor() as cursor:
            nodes = Nodes(tile_fetcher(cursor, log))
            proof = anchor.anchor.place(
                held, newest.size if newest else 0, lambda old, new: consistency(nodes, old, new)
            )
    except (CannotAnchor, BadNote) as problem:
        _log.error("The anchor %s did not take the log %s at %s: %s", anchor.name, log, now.signed_size, problem)
        return [Outcome(log, anchor.name, now.signed_size, str(problem))]
    _keep(anchor, held, proof, "audit.anchor")
    return [Outcome(log, anchor.name, held.size)]


def _renew(anchor: Configured, log: str) -> list[Outcome]:
    if not isinstance(anchor.anchor, TimeStamps):
        return []
    with connections["default"].cursor() as cursor:
        cursor.execute(_ENDING, [log, anchor.name, RENEW_BEFORE])
        ending = [anchored(row) for row in cursor.fetchall()]
    outcomes = []
    for old in ending:
        try:
            proof = anchor.anchor.stamp(old.proof)
            if old.expires_at and proof.expires_at and proof.expires_at <= old.expires_at:
                raise CannotAnchor(
                    f"the authority's certificate ends on {old.expires_at:%Y-%m-%d} and has no successor"
                )
        except CannotAnchor as problem:
            _log.error("The time stamp %s of the log %s is not renewed: %s", old.size, log, problem)
            outcomes.append(Outcome(log, anchor.name, old.size, str(problem)))
            continue
        _keep(anchor, old.held, proof, "audit.renew_anchor", renews=old.id)
        outcomes.append(Outcome(log, anchor.name, old.size))
    return outcomes


def _keep(anchor: Configured, held: Held, proof: Proof, action: str, *, renews: int | None = None) -> None:
    """The row and its entry, together."""
    details = {"at": proof.at, "proof": sha256(proof.proof).hexdigest(), "size": held.size}
    came = (proof.proof, proof.chain, proof.at, proof.expires_at)
    values = (held.log, held.size, anchor.name, held.note, *came, renews, anchor.anchor.form)
    with transaction.atomic(durable=True), connections["default"].cursor() as cursor:
        cursor.execute(_WRITE, values)
        record(action, by=system(), about=ObjectRef("anchor", anchor.name), details=details, log=held.log)


def _raise_alarm(name: str, log: str, now: datetime) -> None:
    """One entry when an anchor becomes late; the next one after it has confirmed again."""
    since = next((when for its_log, its, when in late(now) if (its_log, its) == (log, name)), now)
    if since == now:
        return
    _log.critical("The anchor %s has not confirmed the log %s since %s", name, log, since or "ever")
    with transaction.atomic(durable=True), connections["default"].cursor() as cursor:
        cursor.execute(_LAST_WORD, [name, log])
        row = cursor.fetchone()
        if row is None or row[0] != "audit.lack_anchor":
            details = {"since": since} if since else {}
            record("audit.lack_anchor", by=system(), about=ObjectRef("anchor", name), details=details, log=log)


@contextmanager
def _alone() -> Iterator[bool]:
    """Whether no other process hands over at this moment: a task may run twice."""
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(hashtext('audit_anchor'))")
        (got,) = cursor.fetchone()
        try:
            yield got
        finally:
            if got:
                cursor.execute("SELECT pg_advisory_unlock(hashtext('audit_anchor'))")
