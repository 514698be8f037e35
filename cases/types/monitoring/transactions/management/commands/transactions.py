"""`manage.py transactions import|generate|waiting|retry|count`: from files, invented ones, and what waits."""

import json
import secrets
from argparse import ArgumentParser
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from audit import context
from audit.actors import system
from audit.management.progress import Progress
from cases.types.monitoring.rules.counting import count_waiting
from cases.types.monitoring.transactions import crowd
from cases.types.monitoring.transactions.importing import take_in
from cases.types.monitoring.transactions.models import Waiting
from cases.types.monitoring.transactions.services import retry_parked
from compliance.people.management.lookups import licensee_of
from compliance.rows import FileRefused

FAILED, BAD_ARGUMENTS = 1, 2


class Command(BaseCommand):
    help = "Take transactions in from a file, invent some, see what waits to be counted."

    def add_arguments(self, parser: ArgumentParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
        options = ArgumentParser(add_help=False)
        options.add_argument("--json", action="store_true", help="print one JSON object")
        options.add_argument("--no-progress", action="store_true")

        words = "take in a file (.csv, .jsonl, .parquet); the same command goes on after an interruption"
        verb = verbs.add_parser("import", parents=[options], help=words)
        verb.add_argument("file", type=Path)
        verb.add_argument("--licensee", required=True, metavar="SLUG")
        verb.add_argument("--mapping", type=Path, metavar="FILE", help="JSON: our field, then your column")
        verb.add_argument("--refused", type=Path, metavar="FILE", help="where refused rows go (FILE.refused.jsonl)")

        words = "invent players and their histories, some of them labelled typologies; not in production"
        verb = verbs.add_parser("generate", parents=[options], help=words)
        verb.add_argument("--licensee", required=True, metavar="SLUG")
        verb.add_argument("--customers", type=int, default=500, metavar="N", help="players (default 500)")
        verb.add_argument("--days", type=int, default=90, metavar="N", help="length of the history (default 90)")
        verb.add_argument(
            "--one-in", type=int, default=10, metavar="N", help="one in N follows a typology (default 10)"
        )
        verb.add_argument("--seed", help="the same seed gives the same histories (default: a random one)")

        verbs.add_parser("count", parents=[options], help="count what waits, now and here")
        verbs.add_parser("waiting", parents=[options], help="how much waits to be counted, and what was set aside")
        verbs.add_parser("retry", parents=[options], help="have counted again what was set aside")

    def handle(self, *args: Any, **options: Any) -> None:
        act = {"import": self.take_in}.get(options["verb"]) or getattr(self, options["verb"])
        with context.use(context.new("command")):
            result: dict[str, Any] = act(options)
        if options["json"]:
            self.stdout.write(json.dumps(result, ensure_ascii=False))
        else:
            for name, value in result.items():
                self.stdout.write(f"{name}: {value}")
        if result.get("refused"):
            raise CommandError(f"{result['refused']} rows were refused: {result['refused_rows']}", returncode=FAILED)

    def take_in(self, options: dict[str, Any]) -> dict[str, Any]:
        file: Path = options["file"]
        refused_to = options["refused"] or file.with_name(f"{file.name}.refused.jsonl")
        try:
            mapping = json.loads(options["mapping"].read_text()) if options["mapping"] else None
            done = take_in(
                licensee_of(options["licensee"]),
                file,
                mapping,
                refused_to=refused_to,
                by=system(),
                say=self._progress("rows", options),
            )
        except (FileRefused, OSError, ValueError) as error:
            raise CommandError(f"{file.name}: {error}", returncode=BAD_ARGUMENTS) from None
        counts = {"rows": done.rows_done, "accepted": done.accepted, "known": done.known, "refused": done.refused}
        return {**counts, "refused_rows": str(refused_to)}

    def generate(self, options: dict[str, Any]) -> dict[str, Any]:
        if settings.IN_PRODUCTION:
            raise CommandError("Invented transactions are refused in production (MIZAN_ENV=production).", returncode=2)
        licensee = licensee_of(options["licensee"])
        days, customers = options["days"], options["customers"]
        if not 2 <= days <= 399 or customers < 1 or options["one_in"] < 1:
            raise CommandError("--days: from 2 to 399; --customers and --one-in: at least 1.", returncode=2)
        begins = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=days)
        facts = {"seed": options["seed"] or secrets.token_hex(3), "begins": begins, "days": days}
        try:
            made = crowd.fill(
                licensee, customers=customers, one_in=options["one_in"], say=self._progress("players", options), **facts
            )
        except crowd.SeedUsed as error:
            raise CommandError(str(error), returncode=2) from None
        return {"seed": facts["seed"], **made, "counted": count_waiting(most=10**9)}

    def count(self, options: dict[str, Any]) -> dict[str, Any]:
        return {"counted": count_waiting(most=10**9)}

    def waiting(self, options: dict[str, Any]) -> dict[str, Any]:
        parked = Waiting.objects.exclude(parked_at=None)
        troubles = parked.values_list("trouble", flat=True).distinct()
        waiting = Waiting.objects.filter(parked_at=None).count()
        return {"waiting": waiting, "set_aside": parked.count(), "troubles": ", ".join(sorted(troubles))}

    def retry(self, options: dict[str, Any]) -> dict[str, Any]:
        return {"rows": retry_parked(by=system())}

    def _progress(self, what: str, options: dict[str, Any]) -> Any:
        shown = Progress(what, self.stderr)
        return (lambda done, total: None) if options["no_progress"] else shown
