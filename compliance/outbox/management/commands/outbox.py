"""`manage.py outbox list|retry|drop`: what waits, what was given up, another attempt at it, or none any more."""

import json
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError, CommandParser

from audit import context
from audit.actors import system
from compliance.outbox import delivery
from compliance.outbox.models import OutboxRow


class Command(BaseCommand):
    help = "Show what waits to be delivered; try again what was given up, or drop it."

    def add_arguments(self, parser: CommandParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
        listing = verbs.add_parser("list", help="what was given up (exit 1 when there is any), and how much waits")
        listing.add_argument("--json", action="store_true", help="print one JSON object")
        again = verbs.add_parser("retry", help="give parked rows all their attempts again")
        again.add_argument("rows", nargs="*", type=UUID, metavar="ID", help="all that are parked when none is named")

        never = verbs.add_parser("drop", help="never deliver a parked row; what waits behind it goes on")
        never.add_argument("row", type=UUID, metavar="ID")
        never.add_argument("--note", required=True, help="why it is not needed, for the log")
        never.add_argument("--by", required=True, metavar="EMAIL", help="who drops it")

    def handle(self, *args: Any, verb: str, **options: Any) -> None:
        with context.use(context.new("command")):
            if verb == "list":
                self.list(as_json=options["json"])
            elif verb == "retry":
                self.retry(options["rows"])
            elif not self._dropped(options["row"], note=options["note"].strip(), email=options["by"]):
                raise CommandError(f"not given up, or unknown: {options['row']}", returncode=2)

    def list(self, *, as_json: bool) -> None:
        parked = [
            {"id": str(row.pk), "kind": row.kind, "attempts": row.attempts, "error": row.last_error}
            for row in OutboxRow.objects.parked().order_by("failed_at")
        ]
        waiting = OutboxRow.objects.begun().count()
        if as_json:
            self.stdout.write(json.dumps({"waiting": waiting, "parked": parked}))
        else:
            self.stdout.write(f"{waiting} waiting, {len(parked)} given up")
            for row in parked:
                self.stdout.write(f"{row['id']}  {row['kind']}  {row['attempts']} attempts  {row['error']}")
        if parked:
            raise SystemExit(1)

    def retry(self, rows: Sequence[UUID]) -> None:
        chosen = OutboxRow.objects.parked()
        if rows:
            chosen = chosen.filter(pk__in=rows)
            unknown: set[UUID] = set(rows) - set(chosen.values_list("pk", flat=True))
            if unknown:
                raise CommandError(f"not given up, or unknown: {', '.join(map(str, sorted(unknown)))}", returncode=2)
        for row in chosen:
            delivery.retry(row, by=system())
        self.stdout.write(f"{len(rows) or 'all'} to be tried again")

    def _dropped(self, row_id: UUID, *, note: str, email: str) -> bool:
        if not 0 < len(note) <= 400:
            raise CommandError("--note: 1 to 400 characters.", returncode=2)
        who = get_user_model().objects.filter(email=email.strip().lower(), is_active=True).first()
        if who is None:
            raise CommandError(f"{email}: no active member of staff signs in with this address", returncode=2)
        row = OutboxRow.objects.filter(pk=row_id).first()
        return row is not None and delivery.drop(row, by=who, note=note)
