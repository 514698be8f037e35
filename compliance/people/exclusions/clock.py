"""The clock by which exclusions end: the database's, and only while nobody has moved it.

The sweep leaves a mark each minute. A gap of more than a day between the mark and now is a long outage, a backup, or a
clock that somebody set forward: nothing ends by itself until a person has vouched for it.
"""

from datetime import datetime, timedelta
from typing import Final

from django.db import connection, transaction

from audit.actors import Acts
from audit.perform import Denied
from audit.record import ObjectRef, record

LEAP: Final = timedelta(days=1)
_MARK = (
    "INSERT INTO exclusions_clockmark (id, seen_at) VALUES (1, clock_timestamp())"
    " ON CONFLICT (id) DO UPDATE SET seen_at = clock_timestamp()"
)


def now() -> datetime:
    """The database's present moment: what two machines with different clocks agree on."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        moment: datetime = cursor.fetchone()[0]
        return moment


def gap() -> timedelta | None:
    """Time since the last mark; None before the first."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp() - seen_at FROM exclusions_clockmark")
        row = cursor.fetchone()
        return row[0] if row else None


def can_be_trusted() -> bool:
    passed = gap()
    return passed is not None and abs(passed) <= LEAP


@transaction.atomic
def tick() -> bool:
    """Leave a mark, unless there is a leap to be vouched for. Whether the clock can be trusted."""
    passed = gap()
    if passed is not None and abs(passed) > LEAP:
        return False
    _mark()
    return True


@transaction.atomic
def trust(*, by: Acts) -> None:
    """A person looked at the clock and vouches for it."""
    if by.human_id is None:
        raise Denied("person_needed")
    passed = gap()
    record("exclusion.trust_clock", by=by, about=ObjectRef("clock", "exclusions"), details={"gap": str(passed or "")})
    _mark()


def _mark() -> None:
    with connection.cursor() as cursor:
        cursor.execute(_MARK)
