"""`manage.py campaigns VERB`: whom a campaign would reach, how far each is, today's share now. By "system".

Preparing and starting one is done by persons, on its page: policy says whether two must agree.
"""

import json
from argparse import ArgumentParser
from datetime import date
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from audit import context
from audit.actors import system
from audit.perform import WrongState
from cases.types.verification.campaigns import services
from cases.types.verification.campaigns.choosing import Choice, levels_of
from cases.types.verification.campaigns.models import Campaign
from compliance.people.management.lookups import licensee_of
from compliance.people.models import Risk


class Command(BaseCommand):
    help = "Say whom a campaign would reach, show how far campaigns are, pause one, and send today's share."

    def add_arguments(self, parser: ArgumentParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
        common = ArgumentParser(add_help=False)
        common.add_argument("--json", action="store_true", help="print one JSON object")
        words = "say how many players fit, how many are left out, and in how many days all are reached"
        verb = verbs.add_parser("preview", parents=[common], help=words)
        verb.add_argument("--licensee", required=True, metavar="SLUG")
        verb.add_argument("--level", action="append", default=[], metavar="L2", help="of the players; again for more")
        verb.add_argument("--risk", action="append", default=[], choices=Risk.values, help="again for more")
        verb.add_argument("--verified-before", type=date.fromisoformat, metavar="DAY")
        verb.add_argument("--papers-until", type=date.fromisoformat, metavar="DAY", help="a paper is good until then")
        verb.add_argument("--per-day", type=int, default=50, metavar="N")
        verb = verbs.add_parser("list", parents=[common], help="every campaign of a licensee and how far it is")
        verb.add_argument("--licensee", required=True, metavar="SLUG")
        for name, words in (
            ("show", "how far one is, and how the verifications ended"),
            ("pause", "reach nobody more for now"),
            ("resume", "go on where it was"),
        ):
            verbs.add_parser(name, parents=[common], help=words).add_argument("campaign", metavar="ID")
        verbs.add_parser("send", parents=[common], help="today's share now; the worker does it by itself each minute")

    def handle(self, *args: Any, **options: Any) -> None:
        with context.use(context.new("command")):
            done: dict[str, Any] = getattr(self, options["verb"])(options)
        if options["json"]:
            self.stdout.write(json.dumps(done, ensure_ascii=False))
            return
        for name, value in done.items():
            self.stdout.write(f"{name}: {value}")

    def preview(self, options: dict[str, Any]) -> dict[str, Any]:
        licensee = licensee_of(options["licensee"])
        if unknown := set(options["level"]) - set(levels_of(licensee)):
            known = ", ".join(levels_of(licensee))
            raise CommandError(f"--level: {', '.join(sorted(unknown))} is unknown. Known: {known}.", returncode=2)
        if options["per_day"] < 1:
            raise CommandError("--per-day: at least 1.", returncode=2)
        days = {name: options[name] for name in ("verified_before", "papers_until")}
        choice = Choice(tuple(options["level"]), tuple(options["risk"]), **days)
        return services.foreseen(licensee, choice, options["per_day"])

    def list(self, options: dict[str, Any]) -> dict[str, Any]:
        rows = Campaign.objects.filter(licensee=licensee_of(options["licensee"])).order_by("-made_at")
        return {str(one.pk): f"{one.state}, {services.results(one)}" for one in rows}

    def show(self, options: dict[str, Any]) -> dict[str, Any]:
        one = _named(options["campaign"])
        ended = {name or "open": count for name, count in services.endings(one).items()}
        facts = {"state": one.state, "players": one.total, "per_day": one.per_day, "today": services.sent_today(one)}
        return facts | {"results": services.results(one), "verifications": ended}

    def pause(self, options: dict[str, Any]) -> dict[str, Any]:
        return _moved(services.pause, options)

    def resume(self, options: dict[str, Any]) -> dict[str, Any]:
        return _moved(services.resume, options)

    def send(self, options: dict[str, Any]) -> dict[str, Any]:
        return {"opened": services.send_due()}


def _moved(move: Any, options: dict[str, Any]) -> dict[str, Any]:
    try:
        return {"state": move(_named(options["campaign"]), by=system()).state}
    except WrongState as error:
        raise CommandError(str(error), returncode=1) from None


def _named(pk: str) -> Campaign:
    try:
        found = Campaign.objects.select_related("licensee").filter(pk=pk).first()
    except ValidationError:
        found = None
    if found is None:
        raise CommandError(f"There is no campaign {pk}. `campaigns list` names them.", returncode=2)
    return found
