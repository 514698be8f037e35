"""Rotation: a new epoch of the wrapping key, and every subject's key rewrapped under it. No document is rewritten.

Both epochs open meanwhile. What was rewrapped is committed batch by batch, so a killed rotation goes on where it
stopped: rows of an older epoch are what is left to do. An old epoch is destroyed only after every row was opened under
the new one; from then on the wrapped keys in old backups are dead.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from django.db import connection, transaction

from audit.actors import Acts
from audit.record import ObjectRef, record
from compliance.keys.locks import destroying_an_epoch, one_rotation
from compliance.keys.models import EpochEnd, SubjectKey
from compliance.keys.providers import KeyUnavailable, Provider, Wrapped, provider

BATCH = 2000

_BEHIND = """
SELECT id, kind, subject_id, version, epoch, wrapped FROM keys_subjectkey
WHERE provider = %s AND epoch < %s AND wrapped IS NOT NULL AND id > %s ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED
"""
_MOVE = """
UPDATE keys_subjectkey k SET epoch = v.epoch, wrapped = v.wrapped
FROM unnest(%b::bigint[], %b::int[], %b::bytea[]) AS v(id, epoch, wrapped) WHERE k.id = v.id
"""
_LIVE = """
SELECT id, kind, subject_id, version, epoch, wrapped FROM keys_subjectkey
WHERE provider = %s AND wrapped IS NOT NULL AND id > %s ORDER BY id LIMIT %s
"""

Say = Callable[[int, int], None]


class StillInUse(Exception):
    """Keys are still wrapped under an older epoch: rotate to the end first."""


@dataclass(frozen=True, slots=True)
class Rotation:
    epoch: int
    rewrapped: int
    resumed: bool
    seconds: float


def silent(done: int, of: int) -> None:
    """Says nothing of the progress."""


def rotate(*, by: Acts, say: Say = silent) -> Rotation:
    """Start a new epoch, or go on with one that is not finished, and rewrap every key. Must be outside a transaction.

    Raises Busy, KeyUnavailable. `say` hears how many of how many are done.
    """
    began, keys = time.monotonic(), provider()
    with one_rotation():
        resumed = _count_behind(keys) > 0
        epoch = keys.epoch() if resumed else keys.rotate()
        of = _count_behind(keys)
        facts: dict[str, Any] = {"provider": keys.name, "epoch": epoch}
        _note("keys.begin_rotation", keys, by=by, **facts, resumed=resumed)
        done = 0
        for moved in _batches(keys, epoch):
            done += moved
            say(done, of)
        _note("keys.rotate", keys, by=by, **facts, rewrapped=done)
    return Rotation(epoch, done, resumed, time.monotonic() - began)


def _note(action: str, keys: Provider, *, by: Acts, **details: Any) -> None:
    with transaction.atomic():
        record(action, by=by, about=ObjectRef("epoch", f"{keys.name}:{details['epoch']}"), details=details)


def _batches(keys: Provider, epoch: int) -> Iterator[int]:
    """Rewrap batch after batch, by id, until no row is behind; how many each time.

    What somebody held is found by the next way through the table.
    """
    last = 0
    while True:
        moved, last = _batch(keys, epoch, after=last)
        if moved:
            yield moved
        elif not _count_behind(keys):
            return
        else:
            last = 0
            time.sleep(0.05)


def _batch(keys: Provider, epoch: int, *, after: int) -> tuple[int, int]:
    """How many were moved, and the last one's id."""
    with transaction.atomic(), psycopg.Cursor(connection.connection) as cursor:
        rows = cursor.execute(_BEHIND, [keys.name, epoch, after, BATCH], binary=True).fetchall()
        if rows:
            # A batch that a power cut takes back is rows of the old epoch again. The entry at the end waits for the
            # disk, and with it for every batch before it; only after that may an epoch be destroyed.
            cursor.execute("SET LOCAL synchronous_commit = off")
            new = keys.rewrap_many([_wrapping(row) for row in rows])
            values = [[row[0] for row in rows], [each.epoch for each in new], [each.blob for each in new]]
            cursor.execute(_MOVE, values)
    return len(rows), rows[-1][0] if rows else after


def _wrapping(row: Any) -> tuple[Wrapped, bytes]:
    """Of (id, kind, subject id, version, epoch, wrapped)."""
    _id, kind, subject_id, version, epoch, wrapped = row
    return Wrapped(epoch, bytes(wrapped)), SubjectKey.aad_of(kind, subject_id, version)


def _count_behind(keys: Provider) -> int:
    rows = SubjectKey.objects.filter(provider=keys.name, epoch__lt=keys.epoch(), wrapped__isnull=False)
    return rows.count()


def verify(*, say: Say = silent) -> int:
    """Open every subject's key; how many. Raises KeyUnavailable, naming the first that does not open."""
    keys, done, last = provider(), 0, 0
    of = SubjectKey.objects.filter(wrapped__isnull=False).count()
    if strangers := SubjectKey.objects.filter(wrapped__isnull=False).exclude(provider=keys.name).count():
        raise KeyUnavailable(f"{strangers} keys are wrapped by another provider than {keys.name}.")
    while True:
        with transaction.atomic(), psycopg.Cursor(connection.connection) as cursor:
            rows = cursor.execute(_LIVE, [keys.name, last, BATCH], binary=True).fetchall()
        if not rows:
            return done
        for row in rows:
            wrapped, aad = _wrapping(row)
            keys.unwrap(wrapped, aad=aad)
        done, last = done + len(rows), rows[-1][0]
        say(done, of)


def destroy_old_epochs(*, by: Acts, say: Say = silent) -> dict[int, datetime]:
    """Destroy every epoch but the present one, after each key was opened under it: {epoch: when it is final}.

    Raises StillInUse, Busy, KeyUnavailable. An entry comes first: a crash in between is mended by doing it again.
    """
    keys, ends = provider(), {}
    with one_rotation():
        if _count_behind(keys):
            raise StillInUse(StillInUse.__doc__)
        verify(say=say)
        current = keys.epoch()
        for epoch in [epoch for epoch in keys.epochs() if epoch < current]:
            _note("keys.destroy_epoch", keys, by=by, provider=keys.name, epoch=epoch)
            with transaction.atomic():
                destroying_an_epoch()
                if _count_behind(keys):
                    raise StillInUse(StillInUse.__doc__)
                ends[epoch] = keys.destroy_epoch(epoch)
                EpochEnd.objects.get_or_create(provider=keys.name, epoch=epoch, defaults={"final_at": ends[epoch]})
    return ends


def end_of(provider_name: str, epoch: int) -> datetime | None:
    """When an epoch was destroyed for good; None while it still opens what was wrapped under it."""
    end = EpochEnd.objects.filter(provider=provider_name, epoch=epoch).first()
    return end.final_at if end else None
