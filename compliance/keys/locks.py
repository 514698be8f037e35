"""What must not happen at the same time, by PostgreSQL's advisory locks."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connections

_ROTATION = 0x4D5A_0001  # session-wide: one rotation at a time
_EPOCHS = 0x4D5A_0002  # per transaction: shared while a key is made, alone while an epoch is destroyed


class Busy(Exception):
    """Another process does the same now. Wait for it, or end it; what it did stays done."""


@contextmanager
def one_rotation() -> Iterator[None]:
    """Raises Busy when another process rotates. A killed process leaves no lock behind."""
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [_ROTATION])
        if not cursor.fetchone()[0]:
            raise Busy(Busy.__doc__)
        try:
            yield
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [_ROTATION])


def making_a_key(*, using: str) -> None:
    """Until the transaction ends no epoch is destroyed: what is wrapped now must be seen by whoever destroys one."""
    with connections[using].cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock_shared(%s)", [_EPOCHS])


def destroying_an_epoch() -> None:
    """Waits until every key that is being made is committed, and lets none be made until the transaction ends."""
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_EPOCHS])
