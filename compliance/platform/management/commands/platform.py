"""`manage.py platform issue-key|rotate-key|revoke-key|pin-version|list-keys|add-endpoint|reconcile|openapi|simulate`.

Exit 1 when a day's counts differ or are missing, the API is not as it was written down, or a simulation went wrong.
"""

import json
import sys
from argparse import BooleanOptionalAction
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.urls import reverse
from django.utils import timezone
from django.utils.module_loading import import_string

from audit import context
from audit.actors import system
from audit.perform import ConditionsNotMet, Denied
from compliance.people.management.lookups import licensee_of
from compliance.people.models import Licensee, User
from compliance.platform import counts, services
from compliance.platform.apikeys import asking
from compliance.platform.management import describing, simulating
from compliance.platform.models import ApiKey, DailyCount, KeyRequest
from compliance.platform.scopes import Scope
from compliance.platform.versions import VERSIONS
from compliance.platform.webhooks.services import add_endpoint
from compliance.proposals.queries import SecondPersonNeeded


class Command(BaseCommand):
    help = "API keys: issue one (its secret is printed once), replace or revoke one, list them."

    def add_arguments(self, parser: CommandParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
        issue = verbs.add_parser("issue-key", help="issue a key and print its secret, once")
        issue.add_argument("--owner", required=True, metavar="EMAIL", help="the person the key counts as for four eyes")
        issue.add_argument("--by", required=True, metavar="EMAIL", help="who issues it")
        issue.add_argument("--licensee", required=True, metavar="SLUG")
        issue.add_argument("--name", required=True, help="what uses it")
        issue.add_argument("--scopes", required=True, help=f"comma-separated: {', '.join(Scope)}")
        issue.add_argument("--days", type=int, default=365, help="until it expires (365)")
        issue.add_argument("--rate", type=int, default=6000, help="requests a minute (6000); 0 for no limit")
        issue.add_argument("--signed", action="store_true", help="its requests have to be signed")
        why = f"for the second administrator, where a scope is wide: {', '.join(asking.CHOSEN)}"
        issue.add_argument("--reason", choices=list(asking.CHOSEN), default="connect", help=why)
        issue.add_argument("--note", default="", help="for the second administrator")
        issue.add_argument("--json", action="store_true", help="print one JSON object")
        revoke = verbs.add_parser("revoke-key", help="refuse a key from now on")
        revoke.add_argument("prefix", help="the part of the key that is shown, such as mzn_1a2b3c4d")
        revoke.add_argument("--by", required=True, metavar="EMAIL", help="who revokes it")
        rotate = verbs.add_parser("rotate-key", help="replace a key: a new secret, printed once; both work for a while")
        rotate.add_argument("prefix", help="the part of the key that is shown")
        rotate.add_argument("--hours", type=int, default=24, help="that the former still works (24)")
        rotate.add_argument("--by", required=True, metavar="EMAIL", help="who replaces it")
        rotate.add_argument("--signed", action=BooleanOptionalAction, help="its requests have to be signed (as before)")
        rotate.add_argument("--json", action="store_true", help="print one JSON object")
        pin = verbs.add_parser("pin-version", help="have a key answered in another version of the API")
        pin.add_argument("prefix", help="the part of the key that is shown")
        pin.add_argument("version", metavar="VERSION", help=f"one of {', '.join(VERSIONS)}")
        pin.add_argument("--by", required=True, metavar="EMAIL", help="who moves it")
        listing = verbs.add_parser("list-keys", help="all keys, without their secrets")
        listing.add_argument("--json", action="store_true", help="print one JSON list")

        again = verbs.add_parser(
            "reconcile", help="compare the platform's daily counts with what is here; 1 if any differs"
        )
        again.add_argument("--licensee", metavar="SLUG", help="only this one")
        again.add_argument("--day", type=date.fromisoformat, help="only this day (the last 30 that were reported)")
        again.add_argument("--json", action="store_true", help="print one JSON list")

        endpoint = verbs.add_parser("add-endpoint", help="where events go: print the secret that signs them, once")
        endpoint.add_argument("--licensee", required=True, metavar="SLUG")
        endpoint.add_argument("--name", required=True, help="whose it is")
        endpoint.add_argument("--url", required=True)
        endpoint.add_argument("--types", default="", help="comma-separated; all without it")
        endpoint.add_argument("--by", required=True, metavar="EMAIL", help="who adds it")
        endpoint.add_argument("--json", action="store_true", help="print one JSON object")

        described = verbs.add_parser(
            "openapi", help="compare the API with what was written down of it; 1 if it differs"
        )
        described.add_argument("--write", action="store_true", help="write it down, with the Python client's types")
        described.add_argument("--break", action="store_true", help="also what breaks platforms: it has a new version")
        described.add_argument("--print", action="store_true", help="print the description")

        simulating.add_arguments(
            verbs.add_parser("simulate", help="invented players at an invented platform; 1 when something went wrong")
        )

    def handle(self, *args: Any, verb: str, **options: Any) -> None:
        with context.use(context.new("command")):
            match verb:
                case "issue-key":
                    self.issue(options)
                case "revoke-key":
                    self.revoke(options)
                case "rotate-key":
                    self.rotate(options)
                case "pin-version":
                    self.pin(options)
                case "add-endpoint":
                    self.add_endpoint(options)
                case "openapi":
                    self.openapi(options)
                case "simulate":
                    self.simulate(options)
                case "reconcile":
                    self.reconcile(options)
                case "list-keys":
                    self.list(as_json=options["json"])

    def issue(self, options: dict[str, Any]) -> None:
        facts: dict[str, Any] = {
            "owner": _user(options["owner"]),
            "licensee": licensee_of(options["licensee"]),
            "name": options["name"],
            "scopes": [scope.strip() for scope in options["scopes"].split(",") if scope.strip()],
            "expires_at": timezone.now() + timedelta(days=options["days"]),
            "rate_per_minute": options["rate"] or None,
            "signs": options["signed"],
            "by": _user(options["by"]),
        }
        with _refusals():
            try:
                key, token = asking.issue(**facts)
            except SecondPersonNeeded as needed:
                asked = asking.ask(**facts, reason=options["reason"], note=options["note"])
                self._say_who_confirms(asked, needed.why, as_json=options["json"])
                return
        if options["json"]:
            self.stdout.write(json.dumps({"prefix": key.prefix, "secret": token, "scopes": key.scopes}))
        else:
            self.stdout.write(f"{token}\nThis is shown once. It may: {', '.join(key.scopes)}.")

    def revoke(self, options: dict[str, Any]) -> None:
        key = services.revoke_key(_key(options["prefix"]), by=_user(options["by"]))
        self.stdout.write(f"{key.prefix} is refused from now on")

    def rotate(self, options: dict[str, Any]) -> None:
        former = _key(options["prefix"])
        facts = {"overlap": timedelta(hours=options["hours"]), "signs": options["signed"], "by": _user(options["by"])}
        with _refusals():
            try:
                new, token = asking.replace(former, **facts)
            except SecondPersonNeeded as needed:
                asked = asking.ask_to_replace(former, **facts)
                self._say_who_confirms(asked, needed.why, as_json=options["json"])
                return
        former.refresh_from_db(fields=["expires_at"])
        until = former.expires_at.isoformat(timespec="minutes")
        if options["json"]:
            told = {"prefix": new.prefix, "secret": token, "former": former.prefix, "former_works_until": until}
            self.stdout.write(json.dumps(told))
        else:
            self.stdout.write(f"{token}\nThis is shown once. {former.prefix} works until {until}.")

    def _say_who_confirms(self, asked: KeyRequest, why: str, *, as_json: bool) -> None:
        """There is no secret yet, and it is never printed here: it is shown on the page, to whoever asked."""
        proposal = asking.proposal_of(asked)
        confirm = settings.BASE_URL + reverse("proposals:detail", args=[proposal.pk if proposal else asked.pk])
        shown = settings.BASE_URL + reverse("platform:keys:asked", args=[asked.pk])
        if as_json:
            self.stdout.write(
                json.dumps({"waits": True, "why": why, "confirm": confirm, "secret": None, "shown": shown})
            )
            return
        self.stdout.write(
            f"{why}\nNo key was made yet. Another administrator, who is not {asked.owner.name}, "
            f"confirms it: {confirm}\n"
            f"Then {asked.asked_by.name} has its secret shown, once: {shown}"
        )

    def pin(self, options: dict[str, Any]) -> None:
        try:
            key = services.pin_version(_key(options["prefix"]), options["version"], by=_user(options["by"]))
        except ConditionsNotMet as unmet:
            raise CommandError(str(unmet), returncode=2) from None
        self.stdout.write(f"{key.prefix} is answered in version {key.api_version}")

    def add_endpoint(self, options: dict[str, Any]) -> None:
        user = _user(options["by"])
        facts = {"licensee": licensee_of(options["licensee"]), "name": options["name"], "url": options["url"]}
        types = [name.strip() for name in options["types"].split(",") if name.strip()]
        try:
            endpoint, secret = add_endpoint(**facts, types=types, created_by=user, by=user)
        except ValidationError as error:
            words = "; ".join(f"{name}: {' '.join(texts)}" for name, texts in error.message_dict.items())
            raise CommandError(words, returncode=2) from None
        if options["json"]:
            self.stdout.write(json.dumps({"id": str(endpoint.pk), "url": endpoint.url, "secret": secret}))
        else:
            self.stdout.write(f"{secret}\nThis is shown once. It signs what {endpoint.url} gets.")

    def openapi(self, options: dict[str, Any]) -> None:
        document = describing.describe(import_string("compliance.api.api"))
        if options["print"]:
            self.stdout.write(json.dumps(document, indent=1, ensure_ascii=False))
        elif options["write"]:
            for file in describing.write(document, break_it=options["break"]):
                self.stdout.write(f"{file.relative_to(settings.BASE_DIR)} is written")
        elif found := describing.differences(document):
            self.stdout.write("\n".join([*found, f"To write it down: {describing.REFRESH}"]))
            sys.exit(1)

    def simulate(self, options: dict[str, Any]) -> None:
        licensee = licensee_of(options["licensee"]) if options["licensee"] else None
        by = _user(options["by"]) if options["by"] else None
        report = simulating.simulate(options, licensee=licensee, by=by, write=self.stdout.write)
        if not report["ok"]:
            sys.exit(1)

    def reconcile(self, options: dict[str, Any]) -> None:
        only = options["licensee"]
        licensees = [licensee_of(only)] if only else list(Licensee.objects.order_by("slug"))
        found: list[dict[str, Any]] = []
        for licensee in licensees:
            days = (
                DailyCount.objects.filter(licensee=licensee).order_by("-day").values_list("day", flat=True).distinct()
            )
            for day in [options["day"]] if options["day"] else list(days[:30]):
                for row in counts.reconcile(licensee, day, by=system()):
                    facts = {name: getattr(row, name) for name in ("thing", "theirs", "ours", "missing", "extra")}
                    found.append({"licensee": licensee.slug, "day": day.isoformat(), "agrees": not row.differs} | facts)
            found += [
                {"licensee": licensee.slug, "day": day.isoformat(), "agrees": False, "thing": "nothing reported"}
                for day in ([] if options["day"] else counts.missing_days(licensee))
            ]
        self._print_counts(found, as_json=options["json"])
        if not all(row["agrees"] for row in found):
            sys.exit(1)

    def _print_counts(self, found: list[dict[str, Any]], *, as_json: bool) -> None:
        if as_json:
            self.stdout.write(json.dumps(found))
            return
        for row in sorted(found, key=lambda row: (row["licensee"], row["day"])):
            said = f"{row['licensee']}  {row['day']}  {row['thing']}"
            if "theirs" in row:
                said += f"  theirs {row['theirs']}, ours {row['ours']}  {'agrees' if row['agrees'] else 'DIFFERS'}"
            names = [f"missing here: {', '.join(row['missing'])}"] if row.get("missing") else []
            names += [f"not theirs: {', '.join(row['extra'])}"] if row.get("extra") else []
            self.stdout.write("\n  ".join([said, *names]))

    def list(self, *, as_json: bool) -> None:
        keys = ApiKey.objects.select_related("owner", "licensee").order_by("created_at")
        rows = [
            {
                "prefix": key.prefix,
                "name": key.name,
                "owner": key.owner.email,
                "licensee": key.licensee.slug,
                "scopes": key.scopes,
                "signs": key.signs,
                "usable": key.is_active,
                "expires_at": key.expires_at.isoformat(),
                "last_used_at": key.last_used_at.isoformat() if key.last_used_at else None,
            }
            for key in keys
        ]
        if as_json:
            self.stdout.write(json.dumps(rows))
            return
        for row in rows:
            state = "usable" if row["usable"] else "refused"
            self.stdout.write(f"{row['prefix']}  {state}  {row['licensee']}  {row['owner']}  {row['name']}")


@contextmanager
def _refusals() -> Iterator[None]:
    """What was refused, in words and with exit code 2."""
    try:
        yield
    except (ConditionsNotMet, Denied) as refused:
        raise CommandError(str(refused), returncode=2) from None


def _key(prefix: str) -> ApiKey:
    found = ApiKey.objects.select_related("owner").filter(prefix=prefix).first()
    if found is None:
        raise CommandError(f"{prefix}: there is no such key", returncode=2)
    return found


def _user(email: str) -> User:
    found = User.objects.filter(email=email.lower(), is_active=True).first()
    if found is None:
        raise CommandError(f"{email}: no active member of staff signs in with this address", returncode=2)
    return found
