"""`manage.py verification stop-unverified`: what a new account meets, for accounts that were opened before."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from audit import context
from cases.types.verification import arrivals
from compliance.people.models import Account, Licensee

BLOCK = 25  # few: the rows of their customers are held until a block is done


class Command(BaseCommand):
    help = (
        "Stop play for players of a licensee who have not reached the level that its policy asks for before play, and"
        " every account of who is under age by their own word. Withdrawals of the first stay open; the approval of a"
        " verification lifts their row. New accounts need no command. Run twice, it changes nothing more."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("verb", choices=["stop-unverified"])
        parser.add_argument("--licensee", required=True, metavar="SLUG")
        parser.add_argument("--dry-run", action="store_true", help="say how many it would be, and change nothing")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        licensee = Licensee.objects.filter(slug=options["licensee"]).first()
        if licensee is None:
            raise CommandError(f"--licensee: there is no {options['licensee']}.", returncode=2)
        rows = Account.objects.filter(licensee=licensee, released_at=None, customer__erased_at=None)
        with context.use(context.new("command")):
            done = self._stopped(rows, dry_run=options["dry_run"])
        if options["json"]:
            self.stdout.write(json.dumps(done | {"dry_run": options["dry_run"]}))
            return
        verb = "would be stopped" if options["dry_run"] else "stopped"
        self.stdout.write(f"{done['accounts']} accounts looked at.")
        self.stdout.write(f"{verb}: {done['unverified']} not verified, {done['under_age']} under age.")

    def _stopped(self, rows: Any, *, dry_run: bool) -> dict[str, int]:
        """Block by block, each a transaction of its own: a run that was cut off goes on where it was."""
        done, after = {"accounts": 0, "unverified": 0, "under_age": 0}, None
        while True:
            some = rows.order_by("pk") if after is None else rows.order_by("pk").filter(pk__gt=after)
            block = list(some.select_related("customer__licensee", "licensee")[:BLOCK])
            with transaction.atomic():
                found = arrivals.stop_who_was_here_before(block)
                transaction.set_rollback(dry_run)
            done = {name: done[name] + found.get(name, len(block)) for name in done}
            self.stderr.write(f"{done['accounts']} accounts")
            if len(block) < BLOCK:
                return done
            after = block[-1].pk
