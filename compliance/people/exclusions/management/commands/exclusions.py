"""`manage.py exclusions`: what is in force, and what a restored backup forgot."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from audit import context
from audit.actors import system
from compliance.keys.providers import KeyUnavailable
from compliance.people.exclusions import carrying, clock, ledger
from compliance.people.exclusions.models import Exclusion
from compliance.people.models import User


class Command(BaseCommand):
    help = "Show exclusions, bring back what a restored backup forgot, vouch for the clock."
    # It must run while the database is behind the file.
    requires_system_checks: Any = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
        for name, text in (
            ("status", "how many are in force, and whether the database knows all"),
            ("check", "the same; exit 1 when the database is behind the file or the clock made a leap"),
            ("reconcile", "bring back what the file beside the keys remembers and the database does not"),
            ("trust-clock", "vouch for the clock after a gap: exclusions that are over end again"),
        ):
            verb: ArgumentParser = verbs.add_parser(name, help=text)
            verb.add_argument("--json", action="store_true", help="print one JSON object")
            if name == "trust-clock":
                verb.add_argument("--by", required=True, metavar="EMAIL", help="who looked at the clock")

    def handle(self, *args: Any, **options: Any) -> None:
        with context.use(context.new("command")):
            try:
                result = getattr(self, f"exclusions_{options['verb'].replace('-', '_')}")(options)
            except KeyUnavailable as error:
                raise CommandError(str(error), returncode=1) from None
        if options["json"]:
            self.stdout.write(json.dumps(result))
        else:
            for name, said in result.items():
                self.stdout.write(f"{name.replace('_', ' ')}: {said}")
        if options["verb"] == "check" and result["problems"]:
            raise CommandError("; ".join(result["problems"]), returncode=1)

    def exclusions_status(self, options: Any) -> dict[str, Any]:
        behind = len(ledger.unknown())
        problems = [f"{behind} lines of the file are not in this database: run reconcile."] if behind else []
        if clock.gap() is not None and not clock.can_be_trusted():
            problems.append("The clock made a leap: nothing ends before somebody runs trust-clock.")
        return {"in_force": Exclusion.objects.live().count(), "behind": behind, "problems": problems}

    exclusions_check = exclusions_status

    def exclusions_reconcile(self, options: Any) -> dict[str, Any]:
        return carrying.reconcile(by=system())

    def exclusions_trust_clock(self, options: Any) -> dict[str, Any]:
        user = User.objects.filter(email=options["by"].lower(), is_active=True).first()
        if user is None:
            raise CommandError(f"--by: nobody signs in as {options['by']}.", returncode=2)
        clock.trust(by=user)
        return {"vouched_by": user.name}
