"""`manage.py keys ensure|create|status|check`: the keys of this installation."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError
from django.db.models import Count, Q

from audit import context
from compliance.keys import services
from compliance.keys.models import SubjectKey
from compliance.keys.providers import KeyUnavailable, provider


class Command(BaseCommand):
    help = "Make, show and check the keys of this installation."
    # It must run while the keys are what is broken.
    requires_system_checks: Any = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
        for name, text in (
            ("ensure", "make the key file of a new installation; do nothing when there is one"),
            ("create", "make the key file of a new installation; fail when there is one"),
            ("status", "show provider, epochs and how many keys each wraps"),
            ("check", "check the key file and that it opens this database's keys; exit 1 when it does not"),
        ):
            verb = verbs.add_parser(name, help=text)
            verb.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        with context.use(context.new("command")):
            result: dict[str, Any] = getattr(self, f"keys_{options['verb']}")()
        if not options["verbosity"] and not result["problems"]:
            return
        if options["json"]:
            self.stdout.write(json.dumps(result))
        else:
            for name, value in result.items():
                self.stdout.write(
                    f"{name}: {value if not isinstance(value, list) else '; '.join(map(str, value)) or 'none'}"
                )
        if result.get("problems"):
            raise SystemExit(1)

    def keys_ensure(self) -> dict[str, Any]:
        if provider().exists():
            return {"place": provider().place(), "made": False, "problems": provider().health()}
        return self.keys_create()

    def keys_create(self) -> dict[str, Any]:
        file = provider()
        if wrapped := _keys_in_database():
            raise CommandError(
                f"The database holds {wrapped} keys that a former key file wraps. A new file would not open them: "
                f"restore {file.place()} from its backup.",
                returncode=1,
            )
        try:
            file.create()
        except FileExistsError:
            raise CommandError(f"There is a key file already: {file.place()}", returncode=1) from None
        except OSError as error:
            raise CommandError(f"{file.place()} cannot be written ({error.strerror}).", returncode=1) from None
        return {"place": file.place(), "made": True, "problems": file.health()}

    def keys_status(self) -> dict[str, Any]:
        file = provider()
        try:
            epochs: list[int] = file.epochs()
        except KeyUnavailable as error:
            return {"provider": file.name, "problems": [str(error)]}
        counted = SubjectKey.objects.aggregate(
            live=Count("pk", filter=Q(retired_at=None)), destroyed=Count("pk", filter=Q(retired_at__isnull=False))
        )
        wraps = (
            SubjectKey.objects.filter(retired_at=None).values_list("epoch").annotate(n=Count("pk")).order_by("epoch")
        )
        return {
            "provider": file.name,
            "place": file.place(),
            "epoch": file.epoch(),
            "epochs kept": epochs,
            "keys": counted["live"],
            "keys destroyed": counted["destroyed"],
            "keys by epoch": [f"{epoch}: {n}" for epoch, n in wraps],
            "problems": services.health(),
        }

    def keys_check(self) -> dict[str, Any]:
        return {"problems": services.health()}


def _keys_in_database() -> int:
    try:
        return SubjectKey.objects.filter(retired_at=None).count()
    except DatabaseError:
        # No table, no database yet: nothing can be wrapped.
        return 0
