"""`manage.py cases VERB`: who works on what, who sees a restricted case, invented cases. By "system"."""

import json
import secrets
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from audit import context
from audit.actors import system
from audit.management.progress import Progress
from audit.perform import ConditionsNotMet
from cases import kinds, queues, restricting
from cases.assignment import set_assignment
from cases.demo import crowd
from cases.former import importing
from cases.models import Case, Queue
from compliance.people.conflicts.models import ConflictOfInterest
from compliance.people.management.lookups import licensee_of
from compliance.people.models import Account, Team, User
from compliance.rows import FileRefused


class Command(BaseCommand):
    help = "Open queues, say who may not see whom, and invent cases by the hundred thousand."

    def add_arguments(self, parser: ArgumentParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
        options = ArgumentParser(add_help=False)
        options.add_argument("--licensee", required=True, metavar="SLUG")
        options.add_argument("--json", action="store_true", help="print one JSON object")

        verb = verbs.add_parser("open-queue", parents=[options], help="let a team work on a kind of case at a licensee")
        verb.add_argument("--team", required=True, metavar="SLUG")
        verb.add_argument("--kind", required=True, help="such as verification")

        words = "let a queue give its free cases to who is on shift, or let people take them"
        verb = verbs.add_parser("give-out", parents=[options], help=words)
        verb.add_argument("--team", required=True, metavar="SLUG")
        verb.add_argument("--kind", required=True, help="such as verification")
        verb.add_argument("--by", required=True, choices=("load", "hand"), help="load: by itself, to who has the least")
        verb.add_argument("--most", type=int, default=30, metavar="N", help="cases that a person gets at most")

        words = "keep a member of staff away from a player they know"
        verb = verbs.add_parser("declare-conflict", parents=[options], help=words)
        verb.add_argument("--user", required=True, metavar="EMAIL")
        relations = ConflictOfInterest.Relation
        verb.add_argument(
            "--relation", choices=relations.values, default=relations.OTHER.value, help="how they know them"
        )
        verb.add_argument("--reference", required=True, metavar="PLAYER", help="the operator's own id of the player")

        words = "name one more person on a restricted case that nobody sees any more"
        verb = verbs.add_parser("name-person", help=words)
        verb.add_argument("number", metavar="NUMBER")
        verb.add_argument("--user", required=True, metavar="EMAIL", help="whose own role gives the right on its queue")
        verb.add_argument("--json", action="store_true", help="print one JSON object")

        words = "take open cases of a former system in from a file (.csv, .jsonl); goes on after an interruption"
        verb = verbs.add_parser("import", parents=[options], help=words)
        verb.add_argument("file", type=Path)
        verb.add_argument("--kind", default="verification", help="such as verification")
        verb.add_argument("--refused", type=Path, metavar="FILE", help="where refused rows go (FILE.refused.jsonl)")
        verb.add_argument("--dry-run", action="store_true", help="try every row and keep none")
        verb.add_argument("--no-progress", action="store_true")

        words = "add invented players, open cases and papers in bulk, for trying and measuring; not in production"
        verb = verbs.add_parser("generate", help=words)
        verb.add_argument("--customers", type=int, default=10_000, metavar="N", help="players (default 10,000)")
        verb.add_argument("--cases", type=int, default=2_000, metavar="N", help="open cases of theirs (default 2,000)")
        verb.add_argument("--documents", type=int, default=0, metavar="N", help="papers; up to 100 have a real file")
        verb.add_argument("--licensee", metavar="SLUG", help="needed where there are several")
        verb.add_argument("--team", metavar="SLUG", help="needed where several teams work for the licensee")
        verb.add_argument("--seed", help="begins every player's reference (default: a random one)")
        verb.add_argument("--no-progress", action="store_true")
        verb.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        act = {"import": self.take_in}.get(options["verb"]) or getattr(self, options["verb"].replace("-", "_"))
        try:
            with context.use(context.new("command")):
                result: dict[str, Any] = act(options)
        except ValidationError as error:
            problems = "; ".join(f"{field}: {' '.join(texts)}" for field, texts in error.message_dict.items())
            raise CommandError(problems, returncode=2) from None
        if options["json"]:
            self.stdout.write(json.dumps(result, ensure_ascii=False))
        else:
            for name, value in result.items():
                self.stdout.write(f"{name}: {value}")
        if result.get("refused"):
            raise CommandError(f"{result['refused']} rows were refused: {result['refused_rows']}", returncode=1)

    def take_in(self, options: dict[str, Any]) -> dict[str, Any]:
        taken = {name: kind for name, kind in kinds.kinds().items() if kind.take_over is not None}
        kind, file = taken.get(options["kind"]), options["file"]
        if kind is None:
            raise _unknown("kind", options["kind"], taken)
        refused_to = options["refused"] or file.with_name(f"{file.name}.refused.jsonl")
        how: dict[str, Any] = {"refused_to": refused_to, "dry_run": options["dry_run"]}
        if not options["no_progress"]:
            how["say"] = Progress("rows", self.stderr)
        try:
            done = importing.take_in(licensee_of(options["licensee"]), kind, file, by=system(), **how)
        except (FileRefused, OSError, UnicodeDecodeError) as error:
            raise CommandError(f"{file.name}: {error}", returncode=2) from None
        counts = {"rows": done.rows, "opened": done.taken, "known": done.known, "refused": done.refused}
        return {**counts, "dry_run": options["dry_run"], "refused_rows": str(refused_to)}

    def generate(self, options: dict[str, Any]) -> dict[str, str]:
        if settings.IN_PRODUCTION:
            raise CommandError("Invented cases are refused in production (MIZAN_ENV=production).", returncode=2)
        counts = {name: max(0, options[name]) for name in ("customers", "cases", "documents")}
        if counts["cases"] > counts["customers"]:
            raise CommandError("--cases: at most as many as --customers; a player has one at a time.", returncode=2)
        queue = _only_queue(options)
        brand = queue.licensee.brands.order_by("slug").first()
        if brand is None:
            raise CommandError(f"{queue.licensee.slug} has no brand.", returncode=2)
        seed = options["seed"] or f"G{secrets.token_hex(3)}"
        if Account.objects.filter(licensee=queue.licensee, reference__startswith=f"{seed}-").exists():
            raise CommandError(f"--seed: {seed} was used before. Choose another.", returncode=2)
        shown: dict[str, Progress] = {}

        def say(what: str, done: int, total: int) -> None:
            if not options["no_progress"]:
                shown.setdefault(what, Progress(what, self.stderr))(done, total)

        crowd.fill(queue, brand, **counts, by=system(), seed=seed, say=say)
        return {"seed": seed, **{name: str(count) for name, count in counts.items()}}

    def open_queue(self, options: dict[str, Any]) -> dict[str, str]:
        team = Team.objects.filter(slug=options["team"]).first()
        if team is None:
            raise _unknown("team", options["team"], Team.objects.values_list("slug", flat=True))
        queue = queues.open_queue(team, licensee_of(options["licensee"]), options["kind"], by=system())
        return {"queue": str(queue.pk), "team": team.slug, "licensee": queue.licensee.slug, "kind": queue.kind}

    def give_out(self, options: dict[str, Any]) -> dict[str, str]:
        licensee, facts = licensee_of(options["licensee"]), {"team__slug": options["team"], "kind": options["kind"]}
        queue = Queue.objects.filter(licensee=licensee, **facts).first()
        if queue is None:
            known = Queue.objects.filter(licensee=licensee).values_list("team__slug", flat=True)
            raise _unknown("queue", f"{options['team']}/{options['kind']}", known)
        try:
            set_assignment(queue, gives_out=options["by"] == "load", most_each=options["most"], by=system())
        except ConditionsNotMet as unmet:
            raise CommandError("; ".join(unmet.reasons), returncode=2) from None
        return {"queue": str(queue.pk), "by": options["by"], "most": str(options["most"])}

    def name_person(self, options: dict[str, Any]) -> dict[str, str]:
        user, case = _user(options["user"]), Case.objects.filter(number=options["number"]).first()
        if case is None:
            raise CommandError(f"number: there is no case {options['number']}.", returncode=2)
        try:
            restricting.name_person(case, user, by=system())
        except ConditionsNotMet as unmet:
            raise CommandError("; ".join(unmet.reasons), returncode=2) from None
        return {"case": case.number, "user": user.email}

    def declare_conflict(self, options: dict[str, Any]) -> dict[str, str]:
        user = _user(options["user"])
        licensee, reference = licensee_of(options["licensee"]), options["reference"]
        account = (
            Account.objects.filter(licensee=licensee, reference=reference, released_at=None)
            .select_related("customer")
            .first()
        )
        if account is None:
            raise CommandError(f"reference: {licensee.slug} has no player {reference}.", returncode=2)
        queues.declare_conflict(user, account.customer, by=system(), relation=options["relation"])
        return {"user": user.email, "reference": reference, "licensee": licensee.slug}


def _only_queue(options: dict[str, Any]) -> Queue:
    """The queue that the options name; without them, the only one there is."""
    queues = Queue.objects.select_related("team", "licensee").filter(kind="verification")
    if options["licensee"]:
        queues = queues.filter(licensee=licensee_of(options["licensee"]))
    if options["team"]:
        queues = queues.filter(team__slug=options["team"])
    found = list(queues[:2])
    if len(found) != 1:
        what = "several queues fit: say --licensee and --team." if found else "there is no such queue."
        raise CommandError(f"{what} `manage.py demo seed` makes one to try.", returncode=2)
    return found[0]


def _user(email: str) -> User:
    user = User.objects.filter(email=email.lower()).first()
    if user is None:
        raise CommandError(f"user: nobody signs in as {email}.", returncode=2)
    return user


def _unknown(field: str, slug: str, known: Any) -> CommandError:
    words = ", ".join(sorted(known)) or "none yet"
    return CommandError(f"{field}: there is no {field} {slug}. Known: {words}.", returncode=2)
