"""`manage.py customers import FILE --licensee SLUG`: players of a former system."""

import json
from argparse import ArgumentParser
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from audit import context
from audit.actors import system
from audit.management.progress import Progress
from compliance.people.importing import take_in
from compliance.people.management.lookups import licensee_of
from compliance.rows import FileRefused


class Command(BaseCommand):
    help = "Take players in from a file (.csv, .jsonl); the same command goes on after an interruption."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("verb", choices=["import"])
        parser.add_argument("file", type=Path)
        parser.add_argument("--licensee", required=True, metavar="SLUG")
        parser.add_argument("--refused", type=Path, metavar="FILE", help="where refused rows go (FILE.refused.jsonl)")
        parser.add_argument("--dry-run", action="store_true", help="try every row and keep none")
        parser.add_argument("--json", action="store_true", help="print one JSON object")
        parser.add_argument("--no-progress", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        file: Path = options["file"]
        refused_to = options["refused"] or file.with_name(f"{file.name}.refused.jsonl")
        facts: dict[str, Any] = {"refused_to": refused_to, "dry_run": options["dry_run"]}
        if not options["no_progress"]:
            facts["say"] = Progress("rows", self.stderr)
        try:
            with context.use(context.new("command")):
                done = take_in(licensee_of(options["licensee"]), file, by=system(), **facts)
        except (FileRefused, OSError, UnicodeDecodeError) as error:
            raise CommandError(f"{file.name}: {error}", returncode=2) from None
        result = asdict(done) | {"dry_run": options["dry_run"]}
        if options["json"]:
            self.stdout.write(json.dumps(result))
        else:
            self.stdout.write("\n".join(f"{name}: {value}" for name, value in result.items()))
        if done.refused:
            raise CommandError(f"{done.refused} rows were refused: {refused_to}", returncode=1)
