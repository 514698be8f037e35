"""`manage.py cases open-queue|declare-conflict`: who works on what, from the machine itself. Recorded as "system"."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from audit import context
from audit.actors import system
from cases import queues
from cases.models import ConflictOfInterest
from compliance.people.models import Account, Licensee, Team, User


class Command(BaseCommand):
    help = "Open queues, and say who may not see whom."

    def add_arguments(self, parser: ArgumentParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
        options = ArgumentParser(add_help=False)
        options.add_argument("--licensee", required=True, metavar="SLUG")
        options.add_argument("--json", action="store_true", help="print one JSON object")

        verb = verbs.add_parser("open-queue", parents=[options], help="let a team work on a kind of case at a licensee")
        verb.add_argument("--team", required=True, metavar="SLUG")
        verb.add_argument("--kind", required=True, help="such as verification")

        words = "keep a member of staff away from a player they know"
        verb = verbs.add_parser("declare-conflict", parents=[options], help=words)
        verb.add_argument("--user", required=True, metavar="EMAIL")
        relations = ConflictOfInterest.Relation
        verb.add_argument(
            "--relation", choices=relations.values, default=relations.OTHER.value, help="how they know them"
        )
        verb.add_argument("--reference", required=True, metavar="PLAYER", help="the operator's own id of the player")

    def handle(self, *args: Any, **options: Any) -> None:
        act = getattr(self, options["verb"].replace("-", "_"))
        try:
            with context.use(context.new("command")):
                result: dict[str, str] = act(options)
        except ValidationError as error:
            problems = "; ".join(f"{field}: {' '.join(texts)}" for field, texts in error.message_dict.items())
            raise CommandError(problems, returncode=2) from None
        if options["json"]:
            self.stdout.write(json.dumps(result, ensure_ascii=False))
            return
        for name, value in result.items():
            self.stdout.write(f"{name}: {value}")

    def open_queue(self, options: dict[str, Any]) -> dict[str, str]:
        team = Team.objects.filter(slug=options["team"]).first()
        if team is None:
            raise _unknown("team", options["team"], Team.objects.values_list("slug", flat=True))
        queue = queues.open_queue(team, _licensee(options["licensee"]), options["kind"], by=system())
        return {"queue": str(queue.pk), "team": team.slug, "licensee": queue.licensee.slug, "kind": queue.kind}

    def declare_conflict(self, options: dict[str, Any]) -> dict[str, str]:
        user = User.objects.filter(email=options["user"].lower()).first()
        if user is None:
            raise CommandError(f"user: nobody signs in as {options['user']}.", returncode=2)
        licensee, reference = _licensee(options["licensee"]), options["reference"]
        account = Account.objects.select_related("customer").filter(licensee=licensee, reference=reference).first()
        if account is None:
            raise CommandError(f"reference: {licensee.slug} has no player {reference}.", returncode=2)
        queues.declare_conflict(user, account.customer, by=system(), relation=options["relation"])
        return {"user": user.email, "reference": reference, "licensee": licensee.slug}


def _licensee(slug: str) -> Licensee:
    found = Licensee.objects.filter(slug=slug).first()
    if found is None:
        raise _unknown("licensee", slug, Licensee.objects.values_list("slug", flat=True))
    return found


def _unknown(field: str, slug: str, known: Any) -> CommandError:
    words = ", ".join(sorted(known)) or "none yet"
    return CommandError(f"{field}: there is no {field} {slug}. Known: {words}.", returncode=2)
