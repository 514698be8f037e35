"""`manage.py people add-licensee|add-brand|add-team|add-user|join|leave|deactivate|reactivate|emergency|
forget-directory|sync-roles|list|check-rights|index`.

For the first day of an installation, and for emergencies, from the machine itself. Every act is an entry of the
log by "system".
"""

import json
import secrets
from argparse import ArgumentParser
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

from django.core.exceptions import ObjectDoesNotExist, ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from audit import context
from audit.actors import system
from audit.management.progress import Progress
from audit.record import ObjectRef, record
from compliance.people import services, staff
from compliance.people.access import rights
from compliance.people.access.oidc import services as directory
from compliance.people.indexing import fill_customers
from compliance.people.management.lookups import licensee_of
from compliance.people.models import Membership, Team, User
from compliance.people.roles import ROLES
from compliance.policy import PolicyMissing


class Command(BaseCommand):
    help = "Add the operator and its staff, give and take roles."
    found: Sequence[str] = ()  # what a check found

    def add_arguments(self, parser: ArgumentParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
        options = ArgumentParser(add_help=False)
        options.add_argument("--json", action="store_true", help="print one JSON object")

        verb = verbs.add_parser("add-licensee", parents=[options], help="add a legal entity with a licence")
        verb.add_argument("--name", required=True)
        verb.add_argument("--slug", required=True, help="short name, as commands and the API use it")
        verb.add_argument("--jurisdiction", required=True, metavar="COUNTRY", help="whose policy applies, such as TR")
        verb.add_argument("--time-zone", required=True, metavar="ZONE", help="such as Europe/Istanbul")
        verb.add_argument("--test", action="store_true", help="invented players only, for trying the API; for ever")

        verb = verbs.add_parser("add-brand", parents=[options], help="add a site of a licensee")
        verb.add_argument("--licensee", required=True, metavar="SLUG")
        verb.add_argument("--name", required=True)
        verb.add_argument("--slug", required=True, help="short name, as the API uses it")

        verb = verbs.add_parser("add-team", parents=[options], help="make a team")
        verb.add_argument("name")
        verb.add_argument("--slug", default="", help="short name for groups; made from the name when left out")

        verb = verbs.add_parser("add-user", parents=[options], help="add a sign-in")
        verb.add_argument("email")
        verb.add_argument("--name", required=True)
        verb.add_argument(
            "--same-human-as", metavar="EMAIL", help="a second sign-in of somebody: one person for four eyes"
        )
        verb.add_argument(
            "--password-file", type=Path, help="a file with the password; a random one is printed without it"
        )
        verb.add_argument("--language", default="en")
        verb.add_argument("--time-zone", default="UTC")

        for name, words in (("join", "give a role in a team"), ("leave", "take a role in a team")):
            verb = verbs.add_parser(name, parents=[options], help=words)
            verb.add_argument("email")
            verb.add_argument("team", help="the team's slug")
            verb.add_argument("role", choices=list(ROLES))
            if name == "join":
                verb.add_argument("--until", metavar="DAY", help="last day of the role, such as 2026-12-31")

        for name, words in (
            ("deactivate", "close a sign-in at once, with its sessions, keys and roles"),
            ("reactivate", "open a closed sign-in again, without any role"),
            ("emergency", "set a sign-in aside for emergencies: no second factor, each use an alarm"),
            ("forget-directory", "forget whom your directory knows as this sign-in, with password and factors"),
        ):
            verbs.add_parser(name, parents=[options], help=words).add_argument("email")
        verbs.add_parser("check-rights", parents=[options], help="rights nobody should have; exit code 1 when found")
        verbs.add_parser("sync-roles", parents=[options], help="bring the groups to what roles.py says")
        verbs.add_parser("list", parents=[options], help="who has which role")
        verbs.add_parser(
            "index",
            parents=[options],
            help="let players of before be found by name and last four; goes on where it was",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        act = getattr(self, options["verb"].replace("-", "_"))
        try:
            with context.use(context.new("command")):
                result: dict[str, Any] = act(options)
        except ValidationError as error:
            problems = error.message_dict if hasattr(error, "error_dict") else {"": error.messages}
            words = "; ".join(f"{field}: {' '.join(texts)}".removeprefix(": ") for field, texts in problems.items())
            raise CommandError(words, returncode=2) from None
        except PolicyMissing as missing:
            raise CommandError(f"jurisdiction: {missing}", returncode=2) from None
        if options["json"]:
            self.stdout.write(json.dumps(result, ensure_ascii=False))
            result = {}
        for name, value in result.items():
            lines = value if isinstance(value, list) else [value]
            for line in lines or ["none"]:
                self.stdout.write(f"{name}: {line}")
        if self.found:
            raise SystemExit(1)

    def add_licensee(self, options: dict[str, Any]) -> dict[str, Any]:
        asked = {name: options[name] for name in ("name", "slug", "jurisdiction", "time_zone")}
        licensee = services.create_licensee(**asked, is_test=options["test"], by=system())
        made = {"licensee": licensee.slug, "jurisdiction": licensee.jurisdiction, "time_zone": licensee.time_zone}
        return made | ({"test": True} if licensee.is_test else {})

    def add_brand(self, options: dict[str, Any]) -> dict[str, Any]:
        licensee = licensee_of(options["licensee"])
        brand = services.create_brand(licensee=licensee, name=options["name"], slug=options["slug"], by=system())
        return {"brand": brand.slug, "licensee": licensee.slug}

    def add_team(self, options: dict[str, Any]) -> dict[str, Any]:
        team = staff.create_team(name=options["name"], slug=options["slug"], by=system())
        return {"team": team.slug}

    def add_user(self, options: dict[str, Any]) -> dict[str, Any]:
        file, human = options["password_file"], None
        try:
            password = file.read_text().strip() if file else secrets.token_urlsafe(18)
        except OSError as error:
            raise CommandError(f"--password-file: {error}", returncode=2) from None
        if options["same_human_as"]:
            human = _user(options["same_human_as"]).human
        user = staff.create_user(
            email=options["email"],
            name=options["name"],
            by=system(),
            human=human,
            password=password,
            language=options["language"],
            time_zone=options["time_zone"],
        )
        return {"user": user.email} | ({} if file else {"password": password})

    def join(self, options: dict[str, Any]) -> dict[str, Any]:
        user, team = _user(options["email"]), _team(options["team"])
        until = _end_of(options["until"]) if options.get("until") else None
        staff.join(user, team, options["role"], by=system(), until=until)
        return {"user": user.email, "team": team.slug, "role": options["role"]}

    def leave(self, options: dict[str, Any]) -> dict[str, Any]:
        user, team = _user(options["email"]), _team(options["team"])
        staff.leave(user, team, options["role"], by=system())
        return {"user": user.email, "team": team.slug, "left": options["role"]}

    def deactivate(self, options: dict[str, Any]) -> dict[str, Any]:
        user = staff.deactivate_user(_user(options["email"]), by=system())
        return {"user": user.email, "active": user.is_active}

    def reactivate(self, options: dict[str, Any]) -> dict[str, Any]:
        user = staff.reactivate_user(_user(options["email"]), by=system())
        return {"user": user.email, "active": user.is_active}

    def emergency(self, options: dict[str, Any]) -> dict[str, Any]:
        return {"user": staff.mark_emergency(_user(options["email"]), by=system()).user.email, "emergency": True}

    def forget_directory(self, options: dict[str, Any]) -> dict[str, Any]:
        user = _user(options["email"])
        return {"user": user.email, "forgotten": directory.forget(user, by=system())}

    def check_rights(self, options: dict[str, Any]) -> dict[str, Any]:
        self.found = [str(one) for one in rights.check()]
        return {"finding": self.found}

    def sync_roles(self, options: dict[str, Any]) -> dict[str, Any]:
        with transaction.atomic():
            changed = staff.sync_roles()
            if changed:
                about = ObjectRef("roles", "all")
                record("people.sync_roles", by=system(), about=about, details={"changed": changed})
        return {"changed": changed}

    def index(self, options: dict[str, Any]) -> dict[str, Any]:
        filled = asdict(fill_customers(say=Progress("players", self.stderr)))
        if filled["read"]:
            with transaction.atomic():
                record("people.index", by=system(), about=ObjectRef("index", "customers"), details=filled)
        self.found = [f"{filled['unreadable']} could not be opened"] if filled["unreadable"] else []
        return filled

    def list(self, options: dict[str, Any]) -> dict[str, Any]:
        rows = Membership.objects.select_related("user", "team").order_by("user__email", "team__slug", "role")
        lines = [
            f"{row.user.email} {row.team.slug}/{row.role}{'' if row.user.is_active else ' (closed)'}" for row in rows
        ]
        return {"member": lines}


def _end_of(day: str) -> datetime:
    """The last moment of that day, UTC."""
    try:
        return datetime.combine(date.fromisoformat(day), time.max, tzinfo=UTC)
    except ValueError:
        raise CommandError("--until: write a day such as 2026-12-31.", returncode=2) from None


def _user(email: str) -> User:
    user: User = _found(User.objects.get_by_natural_key, email, f"email: nobody signs in as {email}.")
    return user


def _team(slug: str) -> Team:
    known = ", ".join(Team.objects.order_by("slug").values_list("slug", flat=True)) or "none yet"
    team: Team = _found(
        lambda slug: Team.objects.get(slug=slug), slug, f"team: there is no team {slug}. Known: {known}."
    )
    return team


def _found(ask: Any, name: str, otherwise: str) -> Any:
    try:
        return ask(name)
    except ObjectDoesNotExist:
        raise CommandError(otherwise, returncode=2) from None
