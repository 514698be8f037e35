"""`manage.py reports add-schema PROFILE FILE`: an authority's own XSD, which we may not bring along."""

import argparse
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from audit import context
from audit.actors import system
from audit.perform import ConditionsNotMet
from cases.types.monitoring.reports import services
from cases.types.monitoring.reports.goaml import NotTaken

BAD_ARGUMENTS = 2


class Command(BaseCommand):
    help = "Reports to authorities: add the schema of one."

    def add_arguments(self, parser: Any) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True, parser_class=argparse.ArgumentParser)
        add = verbs.add_parser("add-schema", help="take an authority's XSD; the newest of a profile counts")
        add.add_argument("profile")
        add.add_argument("file", type=Path)

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            data = options["file"].read_bytes()
        except OSError as error:
            self._end(f"{options['file']}: {error.strerror}")
        with context.use(context.new("command")):
            try:
                row = services.add_schema(options["profile"], data, by=system())
            except (ConditionsNotMet, NotTaken) as refused:
                self._end(str(refused))
        self.stdout.write(f"{row.profile}: SHA-256 {row.digest}")

    def _end(self, why: str) -> None:
        self.stderr.write(why)
        sys.exit(BAD_ARGUMENTS)
