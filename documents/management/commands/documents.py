"""`manage.py documents scrub`: compare the vault's files with their digests now."""

import json
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from audit import context
from audit.management.progress import Progress
from documents.models import Document
from documents.scrubbing import Scrub, scrub


class Command(BaseCommand):
    help = "Look after the vault's files."

    def add_arguments(self, parser: CommandParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
        scrubbing = verbs.add_parser(
            "scrub", help="compare files with their digests (exit 1 when one is not what it was); goes on where it was"
        )
        scrubbing.add_argument("--everything", action="store_true", help="not only what was not seen for 30 days")
        scrubbing.add_argument("--seconds", type=float, default=float("inf"), help="stop after so many")
        scrubbing.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, everything: bool, seconds: float, json: bool, **options: Any) -> None:
        of, progress = Document.objects.exclude(state="destroyed").count(), Progress("files", self.stderr)
        with context.use(context.new("command")):
            found = scrub(everything=everything, seconds=seconds, on_file=lambda so_far: progress(so_far.checked, of))
        self._tell(found, as_json=json)
        if found.failed:
            raise SystemExit(1)

    def _tell(self, found: Scrub, *, as_json: bool) -> None:
        if as_json:
            self.stdout.write(json.dumps(asdict(found)))
            return
        self.stdout.write(
            f"{found.checked} files checked, {found.failed} not what they were, {found.orphans} without a row, "
            f"{found.left} left for the next run"
        )
