"""Visits every mailbox: takes letters in, puts aside what cannot be read, and says how the visit went.

A letter is removed from its mailbox only after it is committed here; one that was committed and not yet removed is
known by its digest the next time.
"""

import hashlib
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.conf import settings
from django.db import DatabaseError, InterfaceError, OperationalError, connection, transaction
from django.utils import timezone

from audit.actors import system
from audit.record import ObjectRef, record
from cases.mail import letters
from cases.mail.boxes import Box, boxes
from cases.mail.models import Poll
from cases.mail.sources import Source, SourceAway, open_source
from compliance.keys.services import KeyUnavailable
from compliance.people.models import Licensee

log = logging.getLogger(__name__)
AT_ONCE = 200  # letters of one visit; the rest waits for the next
MOST_TRIES = 3  # a letter that ends its worker each time is put aside unread


@dataclass(slots=True)
class Visit:
    """What came of a visit to one mailbox."""

    box: str
    taken: int = 0
    known: int = 0
    parked: int = 0
    error: str = ""


def poll(*, parked: bool = False) -> list[Visit]:
    """Visit every mailbox once; `parked`: read again what was put aside. Never raises for a mailbox that is away."""
    return [_visit(box, parked=parked) for box in boxes()]


def _visit(box: Box, *, parked: bool) -> Visit:
    visit = Visit(box.licensee)
    with _alone(box) as free:
        if not free:
            visit.error = "busy"
            return visit
        row, _made = Poll.objects.get_or_create(name=box.licensee)
        try:
            licensee = Licensee.objects.filter(slug=box.licensee).first()
            if licensee is None:
                raise SourceAway(f"there is no licensee {box.licensee}")
            with open_source(box) as source:
                _read_all(source, box, licensee, row, visit, parked=parked)
        except (OSError, DatabaseError, KeyUnavailable) as error:
            visit.error = str(error)[:80] if isinstance(error, SourceAway) else type(error).__name__
            log.error("mailbox %s: %s", box.licensee, visit.error)
        _tell(row, visit)
    return visit


def _read_all(source: Source, box: Box, licensee: Licensee, row: Poll, visit: Visit, *, parked: bool) -> None:
    ours = (box.address,) if box.address else ()
    for count, key in enumerate(source.keys(parked=parked)):
        if count == AT_ONCE:
            return
        if _is_poison(row, key):
            _park(source, key, box, visit, error="WorkerLost")
            continue
        try:
            raw, size = source.read(key)
            letter = letters.take_in(raw, licensee=licensee, size=size, ours=ours, authority=settings.MAIL_AUTHORITY)
        except (OSError, OperationalError, InterfaceError, KeyUnavailable):
            _let_go(row)
            raise  # ours to mend: the letter waits
        except Exception as error:  # whatever is wrong with it, the others are read
            log.warning("a letter was put aside: %s", type(error).__name__)
            _park(source, key, box, visit, error=type(error).__name__)
        else:
            visit.taken += letter is not None
            visit.known += letter is None
            source.done(key)
        _let_go(row)


def _is_poison(row: Poll, key: str) -> bool:
    """Whether this letter was in hand each time the worker died. Written down before it is read."""
    mark = hashlib.sha256(key.encode()).hexdigest()
    row.tries = row.tries + 1 if row.trying == mark else 1
    row.trying = mark
    row.save(update_fields=["trying", "tries"])
    if row.tries <= MOST_TRIES:
        return False
    _let_go(row)
    return True


def _let_go(row: Poll) -> None:
    row.trying, row.tries = "", 0
    row.save(update_fields=["trying", "tries"])


def _park(source: Source, key: str, box: Box, visit: Visit, *, error: str) -> None:
    source.park(key)
    visit.parked += 1
    with transaction.atomic():
        about = ObjectRef("mailbox", box.licensee)
        record("mail.park", by=system(), about=about, details={"mailbox": box.licensee, "error": error})


def _tell(row: Poll, visit: Visit) -> None:
    now = timezone.now()
    row.parked += visit.parked
    if visit.error:
        row.failed_at, row.error = row.failed_at or now, visit.error
    else:
        row.polled_at, row.failed_at, row.error = now, None, ""
    row.save()


@contextmanager
def _alone(box: Box) -> Iterator[bool]:
    """One worker at a time for each mailbox, for as long as its connection lives."""
    key = int.from_bytes(hashlib.sha256(f"mail|{box.licensee}".encode()).digest()[:8], "big", signed=True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [key])
        (free,) = cursor.fetchone()
    try:
        yield bool(free)
    finally:
        if free:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [key])
