"""`manage.py platform issue-key|revoke-key|list-keys|reconcile`. Exit 1 when a day's counts differ or are missing."""

import json
import sys
from datetime import date, timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from audit import context
from audit.actors import system
from audit.perform import ConditionsNotMet
from compliance.people.models import Licensee, User
from compliance.platform import counts, services
from compliance.platform.models import ApiKey, DailyCount
from compliance.platform.scopes import Scope


class Command(BaseCommand):
    help = "API keys: issue one (its secret is printed once), revoke one, list them."

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
        issue.add_argument("--json", action="store_true", help="print one JSON object")
        revoke = verbs.add_parser("revoke-key", help="refuse a key from now on")
        revoke.add_argument("prefix", help="the part of the key that is shown, such as mzn_1a2b3c4d")
        revoke.add_argument("--by", required=True, metavar="EMAIL", help="who revokes it")
        listing = verbs.add_parser("list-keys", help="all keys, without their secrets")
        listing.add_argument("--json", action="store_true", help="print one JSON list")

        again = verbs.add_parser(
            "reconcile", help="compare the platform's daily counts with what is here; 1 if any differs"
        )
        again.add_argument("--licensee", metavar="SLUG", help="only this one")
        again.add_argument("--day", type=date.fromisoformat, help="only this day (the last 30 that were reported)")
        again.add_argument("--json", action="store_true", help="print one JSON list")

    def handle(self, *args: Any, verb: str, **options: Any) -> None:
        with context.use(context.new("command")):
            match verb:
                case "issue-key":
                    self.issue(options)
                case "revoke-key":
                    self.revoke(options)
                case "reconcile":
                    self.reconcile(options)
                case "list-keys":
                    self.list(as_json=options["json"])

    def issue(self, options: dict[str, Any]) -> None:
        issuer = _user(options["by"])
        try:
            key, token = services.issue_key(
                owner=_user(options["owner"]),
                licensee=_licensee(options["licensee"]),
                name=options["name"],
                scopes=[scope.strip() for scope in options["scopes"].split(",") if scope.strip()],
                expires_at=timezone.now() + timedelta(days=options["days"]),
                rate_per_minute=options["rate"] or None,
                created_by=issuer,
                by=issuer,
            )
        except ConditionsNotMet as unmet:
            raise CommandError(str(unmet), returncode=2) from None
        if options["json"]:
            self.stdout.write(json.dumps({"prefix": key.prefix, "secret": token, "scopes": key.scopes}))
        else:
            self.stdout.write(f"{token}\nThis is shown once. It may: {', '.join(key.scopes)}.")

    def revoke(self, options: dict[str, Any]) -> None:
        key = ApiKey.objects.select_related("owner").filter(prefix=options["prefix"]).first()
        if key is None:
            raise CommandError(f"{options['prefix']}: there is no such key", returncode=2)
        services.revoke_key(key, by=_user(options["by"]))
        self.stdout.write(f"{key.prefix} is refused from now on")

    def reconcile(self, options: dict[str, Any]) -> None:
        only = options["licensee"]
        licensees = [_licensee(only)] if only else list(Licensee.objects.order_by("slug"))
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


def _user(email: str) -> User:
    found = User.objects.filter(email=email.lower(), is_active=True).first()
    if found is None:
        raise CommandError(f"{email}: no active member of staff signs in with this address", returncode=2)
    return found


def _licensee(slug: str) -> Licensee:
    found = Licensee.objects.filter(slug=slug).first()
    if found is None:
        known = ", ".join(Licensee.objects.values_list("slug", flat=True)) or "none"
        raise CommandError(f"{slug}: no such licensee. Known: {known}", returncode=2)
    return found
