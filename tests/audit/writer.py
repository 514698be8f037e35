"""A writer of its own: short entries for some seconds, one in ten rolled back.

Reads a line before it begins, so that several begin together, and prints how many of its transactions committed:
`python -m tests.audit.writer SECONDS ISOLATION`. A program rather than a fork: a fork of the test's
process takes the connections along that are open there, and two that share one mix up their answers.
"""

import os
import random
import sys
import time

import django
from django.db import OperationalError, connections, transaction

from audit import context
from audit.actors import system
from audit.record import ObjectRef, record


class Undone(Exception):
    """Raised to roll a transaction back."""


def write(seconds: float, isolation: str) -> int:
    """How many transactions committed."""
    written, chance = 0, random.Random(os.getpid())
    with connections["default"].cursor() as cursor:
        cursor.execute(f"SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL {isolation}")
    sys.stdin.readline()
    ends = time.monotonic() + seconds
    with context.use(context.new("test")):
        while time.monotonic() < ends:
            try:
                with transaction.atomic():
                    record("access.deny", by=system(), about=ObjectRef("route", "x"), reason="no_right")
                    time.sleep(chance.random() * 0.01)
                    if chance.random() < 0.1:
                        raise Undone
                written += 1
            except (Undone, OperationalError):
                pass
    return written


if __name__ == "__main__":
    django.setup()
    print(write(float(sys.argv[1]), sys.argv[2]), flush=True)
