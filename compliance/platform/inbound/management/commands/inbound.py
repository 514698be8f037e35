"""`manage.py inbound add|exchange|disable|list`: who may send us signed messages. Exit 2 for bad arguments."""

import json
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from audit import context
from audit.perform import ConditionsNotMet
from compliance.people.management.lookups import licensee_of
from compliance.people.models import User
from compliance.platform.inbound import kinds, services
from compliance.platform.inbound.models import Sender


class Command(BaseCommand):
    help = "Senders of signed messages: let one in (its secret is printed once), stop one, list them."

    def add_arguments(self, parser: CommandParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
        add = verbs.add_parser("add", help="let somebody send messages and print the secret, once")
        add.add_argument("--licensee", required=True, metavar="SLUG")
        add.add_argument("--kind", required=True, help=f"what they speak of: {', '.join(kinds.known())}")
        add.add_argument("--name", required=True, help="who they are")
        add.add_argument("--by", required=True, metavar="EMAIL", help="who lets them in")
        exchange = verbs.add_parser("exchange", help="print a new secret, once; the former one still holds for a while")
        exchange.add_argument("id", help="the sender's id, as list shows it")
        exchange.add_argument(
            "--hours", type=int, default=24, help="that the former still holds (24); 0: it ends at once"
        )
        exchange.add_argument("--by", required=True, metavar="EMAIL")
        stop = verbs.add_parser("disable", help="refuse a sender from now on")
        stop.add_argument("id", help="the sender's id, as list shows it")
        stop.add_argument("--by", required=True, metavar="EMAIL")
        verbs.add_parser("list", help="all senders, as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        with context.use(context.new("command")):
            getattr(self, f"_{options['verb']}")(**options)

    def _add(self, *, licensee: str, kind: str, name: str, by: str, **options: Any) -> None:
        person = _user(by)
        try:
            sender, secret = services.add_sender(
                licensee=licensee_of(licensee), kind=kind, name=name, created_by=person, by=person
            )
        except ValidationError as error:
            raise CommandError(str(error.message_dict), returncode=2) from error
        self.stdout.write(json.dumps({"id": str(sender.pk), "path": f"/inbound/{sender.pk}/", "secret": secret}))

    def _disable(self, *, id: str, by: str, **options: Any) -> None:  # noqa: A002 - the argument's name
        services.disable_sender(_sender(id), by=_user(by))

    def _exchange(self, *, id: str, by: str, hours: int, **options: Any) -> None:  # noqa: A002 - the argument's name
        sender, person = _sender(id), _user(by)
        try:
            secret = services.exchange_secret(sender, by=person, overlap=timedelta(hours=hours))
        except (ConditionsNotMet, OverflowError) as unmet:
            raise CommandError(f"hours: {unmet}", returncode=2) from None
        self.stdout.write(json.dumps({"id": id, "secret": secret}))

    def _list(self, **options: Any) -> None:
        rows = Sender.objects.select_related("licensee").order_by("created_at")
        said = [
            {
                "id": str(row.pk),
                "licensee": row.licensee.slug,
                "kind": row.kind,
                "name": row.name,
                "disabled": row.disabled_at is not None,
            }
            for row in rows
        ]
        self.stdout.write(json.dumps(said))


def _sender(pk: str) -> Sender:
    try:
        found = Sender.objects.filter(pk=UUID(pk), disabled_at=None).first()
    except ValueError:
        raise CommandError(f"id: {pk} is no id. `inbound list` shows them.", returncode=2) from None
    if found is None:
        raise CommandError(f"id: there is no sender {pk}.", returncode=2)
    return found


def _user(email: str) -> User:
    found = User.objects.filter(email=email.lower(), is_active=True).first()
    if found is None:
        raise CommandError(f"by: there is nobody with the sign-in {email}.", returncode=2)
    return found
