"""`manage.py mail poll`: visit the mailboxes now."""

import json
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from audit import context
from cases.mail import polling


class Command(BaseCommand):
    help = "Read what players write by e-mail."

    def add_arguments(self, parser: CommandParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
        poll = verbs.add_parser("poll", help="visit every mailbox once (exit 1 when one cannot be read)")
        poll.add_argument("--parked", action="store_true", help="read again what was put aside")
        poll.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, parked: bool, **options: Any) -> None:
        with context.use(context.new("command")):
            visits = polling.poll(parked=parked)
        if options["json"]:
            self.stdout.write(json.dumps([asdict(visit) for visit in visits]))
        elif not visits:
            self.stdout.write("No mailbox is set. MAILBOXES names them (docs/how-to/read-the-mail.md).")
        else:
            for visit in visits:
                words = visit.error or f"{visit.taken} taken, {visit.known} known already, {visit.parked} put aside"
                self.stdout.write(f"{visit.box}: {words}")
        if any(visit.error or visit.parked for visit in visits):
            raise SystemExit(1)
