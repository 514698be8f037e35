"""`manage.py documents scrub|index`: compare the vault's files with their digests now; fill what finds papers."""

from dataclasses import asdict
from json import dumps
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import transaction

from audit import context
from audit.actors import system
from audit.management.progress import Progress
from audit.record import ObjectRef, record
from documents.indexing import fill_documents
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

        indexing = verbs.add_parser("index", help="let papers of before be found by the last four of their number")
        indexing.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, verb: str, **options: Any) -> None:
        getattr(self, verb)(**options)

    def index(self, *, json: bool, **options: Any) -> None:
        with context.use(context.new("command")):
            found = fill_documents(say=Progress("papers", self.stderr))
            if found.read:
                with transaction.atomic():
                    record("documents.index", by=system(), about=ObjectRef("index", "documents"), details=asdict(found))
        self.stdout.write(
            dumps(asdict(found))
            if json
            else f"{found.read} papers read, {found.filled} indexed, {found.unreadable} could not be opened"
        )
        if found.unreadable:
            raise SystemExit(1)

    def scrub(self, *, everything: bool, seconds: float, json: bool, **options: Any) -> None:
        of, progress = Document.objects.exclude(state="destroyed").count(), Progress("files", self.stderr)
        with context.use(context.new("command")):
            found = scrub(everything=everything, seconds=seconds, on_file=lambda so_far: progress(so_far.checked, of))
        self._tell(found, as_json=json)
        if found.failed:
            raise SystemExit(1)

    def _tell(self, found: Scrub, *, as_json: bool) -> None:
        if as_json:
            self.stdout.write(dumps(asdict(found)))
            return
        self.stdout.write(
            f"{found.checked} files checked, {found.failed} not what they were, {found.orphans} without a row, "
            f"{found.left} left for the next run"
        )
