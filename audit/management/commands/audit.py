"""`manage.py audit VERB`: run the sequencer, verify the log, export it, show its keys."""

import signal
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from audit import context
from audit.checkpoints import KeyProblem
from audit.sequencer import Sequencer


class Command(BaseCommand):
    help = "The audit log: sequence, verify, export, key."

    def add_arguments(self, parser: ArgumentParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        verbs.add_parser("sequence", help="place and sign entries until stopped (needs the login mizan_sequencer)")

    def handle(self, *args: Any, verb: str, **options: Any) -> None:
        with context.use(context.new("command")):
            getattr(self, f"_{verb}")(**options)

    def _sequence(self, **options: Any) -> None:
        sequencer = Sequencer(folder=settings.LOG_KEY_DIR, tick=settings.AUDIT_TICK_SECONDS)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: sequencer.stop.set())
        try:
            sequencer.run()
        except KeyProblem as problem:
            raise CommandError(str(problem)) from None
