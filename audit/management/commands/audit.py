"""`manage.py audit VERB`: run the sequencer, verify the log, export it, show its keys."""

import signal
import sys
from argparse import ArgumentParser
from json import dumps
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, transaction

from audit import context
from audit.actors import system
from audit.checkpoints import KeyProblem
from audit.models import LOGS
from audit.record import ObjectRef, record
from audit.sequencer import Sequencer
from audit.verify import Report, number, verify

CHECK_FAILED = 1


class Command(BaseCommand):
    help = "The audit log: sequence, verify, export, key."

    def add_arguments(self, parser: ArgumentParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        verbs.add_parser("sequence", help="place and sign entries until stopped (needs the login mizan_sequencer)")
        verb = verbs.add_parser(
            "verify", help="check entries, tree, checkpoints and triggers; 1 when something is wrong"
        )
        verb.add_argument("--log", choices=LOGS, help="only this one")
        verb.add_argument("--json", action="store_true", help="print one JSON object")

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

    def _verify(self, *, log: str | None, json: bool, **options: Any) -> None:
        reports = [verify(name, folder=settings.LOG_KEY_DIR) for name in ([log] if log else LOGS)]
        recorded = all([self._record_run(report) for report in reports])
        if json:
            facts = {"ok": all(report.ok for report in reports), "recorded": recorded}
            self.stdout.write(dumps(facts | {"logs": [report.as_dict() for report in reports]}, indent=1))
        else:
            for report in reports:
                self.stdout.write(report.line)
                for finding in report.findings:
                    place = "" if finding.seq is None else f" at entry {number(finding.seq)}"
                    self.stdout.write(f"  {'note: ' if finding.notice else ''}{finding.kind}{place}: {finding.text}")
        if not all(report.ok for report in reports):
            sys.exit(CHECK_FAILED)

    def _record_run(self, report: Report) -> bool:
        """A run is an entry too; a login that may only read cannot write one."""
        details = {"findings": report.counts, "result": "ok" if report.ok else "failed", "size": report.entries}
        try:
            with transaction.atomic():
                record("audit.verify", by=system(), about=ObjectRef("log", report.log), details=details, log=report.log)
        except DatabaseError:
            self.stderr.write("This run is not recorded: the login may only read.")
            return False
        return True
