"""`manage.py clocks set-hours|sweep`: when a queue works and how long things may take. Recorded as "system"."""

import json
from argparse import ArgumentParser
from datetime import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from audit import context
from audit.actors import system
from audit.perform import ConditionsNotMet
from cases.clocks import services, sweeping
from cases.clocks.models import Kind
from cases.clocks.working import DAYS, HoursBroken, WorkingHours
from cases.models import Queue
from compliance.policy.holidays import CalendarMissing, calendar_of

TARGETS = {"first": Kind.FIRST_RESPONSE, "next": Kind.NEXT_RESPONSE, "resolution": Kind.RESOLUTION}


class Command(BaseCommand):
    help = "Set when a queue works and its targets; run the sweep once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
        verb = verbs.add_parser("set-hours", help="hours, holidays and targets of a team's queue")
        for name in ("team", "licensee"):
            verb.add_argument(f"--{name}", required=True, metavar="SLUG")
        verb.add_argument("--kind", required=True, help="such as verification")
        verb.add_argument("--zone", required=True, help="such as Europe/Istanbul")
        verb.add_argument("--country", default="", help="whose public holidays do not count, such as TR")
        verb.add_argument("--days", default="mon,tue,wed,thu,fri")
        verb.add_argument("--hours", default="09:00-12:30,13:30-18:00", help="a break is the gap between two spans")
        for name in TARGETS:
            verb.add_argument(f"--{name}", type=int, metavar="MINUTES", help="of working time")
        verb = verbs.add_parser("sweep", help="what the worker does every minute")
        verb.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        with context.use(context.new("command")):
            if options["verb"] == "sweep":
                done = sweeping.sweep()
                text = ", ".join(f"{name}: {count}" for name, count in done.items())
                self.stdout.write(json.dumps(done) if options["json"] else text)
                return
            try:
                self.stdout.write(self._set_hours(options))
            except (HoursBroken, CalendarMissing, ValueError) as error:
                raise CommandError(str(error), returncode=2) from None
            except ConditionsNotMet as unmet:
                raise CommandError(" ".join(unmet.reasons), returncode=2) from None

    def _set_hours(self, options: dict[str, Any]) -> str:
        of = {"team__slug": options["team"], "licensee__slug": options["licensee"], "kind": options["kind"]}
        queue = Queue.objects.filter(**of).first()
        if queue is None:
            raise CommandError("There is no such queue. See: manage.py cases open-queue.", returncode=2)
        spans = tuple(_span(text) for text in options["hours"].split(","))
        days = [day.strip() for day in options["days"].split(",")]
        if options["country"]:
            calendar_of(options["country"])
        hours = WorkingHours(options["zone"], {day: spans for day in DAYS if day in days}, options["country"].upper())
        targets = {str(kind): options[name] for name, kind in TARGETS.items() if options[name]}
        services.set_hours(queue, hours, targets, by=system())
        return f"hours: {options['hours']} on {', '.join(days)}; targets: {targets}"


def _span(text: str) -> tuple[time, time]:
    start, _dash, end = text.strip().partition("-")
    return time.fromisoformat(start), time.fromisoformat(end)
