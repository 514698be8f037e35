"""`manage.py registers reconcile`: ask the national registers about every player of a licensee again."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from audit import context
from cases.types.gaming.registers import services
from compliance.people.models import Customer, Licensee


class Command(BaseCommand):
    help = "Ask the national registers about every player of a licensee, and say what differs."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("verb", choices=["reconcile"])
        parser.add_argument("--licensee", required=True, metavar="SLUG")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        licensee = Licensee.objects.filter(slug=options["licensee"]).first()
        if licensee is None:
            raise CommandError(f"--licensee: there is no {options['licensee']}.", returncode=2)
        players = Customer.objects.filter(licensee=licensee, erased_at=None).order_by("created_at", "pk")
        with context.use(context.new("command")):
            result = services.reconcile(players.select_related("licensee").iterator())
        if options["json"]:
            self.stdout.write(json.dumps(result))
        else:
            for name, said in result.items():
                words = ", ".join(said) or "none" if isinstance(said, list) else said
                self.stdout.write(f"{name.replace('_', ' ')}: {words}")
        if result["away"]:
            raise CommandError(f"{result['away']} questions had no answer.", returncode=1)
