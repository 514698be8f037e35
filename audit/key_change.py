"""Change a log's key while its sequencer works: announce, wait until that is signed, rotate, wait for the new key."""

import time
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

from django.db import connections, transaction

from audit.actors import Acts
from audit.checkpoints import KeyProblem
from audit.queries import standing
from audit.record import ObjectRef, record
from audit.rotation import Rotation, prepare, rotate

PATIENCE = 30.0  # seconds for the sequencer to place and sign the announcement


def change_key(log: str, folder: Path, *, by: Acts) -> str:
    """Give the log a new key; the rotation note. Needs that no transaction is open. Raises KeyProblem."""
    if not standing(log).alive:
        raise KeyProblem("The sequencer does not answer, or refuses to sign. Nothing is changed until it does.")
    following = prepare(folder, log)
    details = {"before": standing(log).vkey, "vkey": str(following)}
    with transaction.atomic(durable=True):
        event_id = record("audit.announce_key", by=by, about=ObjectRef("log", log), details=details, log=log)
    _wait(lambda: _signed(log, event_id))
    note = rotate(folder, log)
    _wait(lambda: standing(log).vkey == str(Rotation.parse(note).new))
    return note


def _signed(log: str, event_id: UUID) -> bool:
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT seq FROM audit_leaf WHERE log = %s AND event_id = %s", [log, event_id])
        row = cursor.fetchone()
    return row is not None and standing(log).signed_size > row[0]


def _wait(true: Callable[[], bool]) -> None:
    ends = time.monotonic() + PATIENCE
    while not true():
        if time.monotonic() > ends:
            raise KeyProblem("The sequencer does not answer. Look at its lines, then run the command again.")
        time.sleep(0.05)
