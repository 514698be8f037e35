"""A writer of its own: short entries for some seconds, one in ten rolled back.

Says "ready", reads until when (seconds since 1970), so that several begin and end together, and appends the id of each
entry to a file once its transaction is committed: `python -m tests.audit.writer ISOLATION FILE`. What it was not told
of may be committed all the same. A program rather than a fork: a fork takes the connections along that are
open there, and two that share one mix up their answers.
"""

import os
import random
import sys
import time

import django
from django.db import DatabaseError, InterfaceError, connections, transaction

from audit import context
from audit.actors import system
from audit.record import ObjectRef, record


class Undone(Exception):
    """Raised to roll a transaction back."""


def write(isolation: str, file: str) -> None:
    chance = random.Random(os.getpid())
    level = f"SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL {isolation}"
    print("ready", flush=True)
    ends = float(sys.stdin.readline())
    with context.use(context.new("test")), open(file, "a") as told:
        while time.time() < ends:
            try:
                with connections["default"].cursor() as cursor:
                    cursor.execute(level)
                with transaction.atomic():
                    event_id = record("access.deny", by=system(), about=ObjectRef("route", "x"), reason="no_right")
                    time.sleep(chance.random() * 0.01)
                    if chance.random() < 0.1:
                        raise Undone
                told.write(f"{event_id}\n")
                told.flush()
            except Undone:
                pass
            except (DatabaseError, InterfaceError):
                connections.close_all()
                time.sleep(0.05)


if __name__ == "__main__":
    django.setup()
    write(sys.argv[1], sys.argv[2])
