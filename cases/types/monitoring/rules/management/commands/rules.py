"""`manage.py rules ship|list|backtest|evaluate`: monitoring rules from the machine. Rights and two persons stay."""

import json
from argparse import ArgumentParser
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone

from audit import context
from audit.actors import system
from audit.management.progress import Progress
from audit.record import ObjectRef, record
from cases.patterns import words
from cases.types.monitoring.rules import backtests, evaluation, services
from cases.types.monitoring.rules.models import Rule, State
from cases.types.monitoring.rules.shipped import SHIPPED
from compliance.people.management.lookups import licensee_of


class Command(BaseCommand):
    help = "Bring the product's monitoring rules, list them, try one on the past, measure them on labelled histories."

    def add_arguments(self, parser: ArgumentParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
        options = ArgumentParser(add_help=False)
        options.add_argument("--json", action="store_true", help="print one JSON object")

        verbs.add_parser(
            "ship", parents=[options], help="bring the rules of this release that are not there, as drafts"
        )
        verbs.add_parser("list", parents=[options], help="every rule with its newest version and state")

        verb = verbs.add_parser("backtest", parents=[options], help="what a rule would have flagged")
        verb.add_argument("rule", help="its code, such as R01; its newest version is tried")
        verb.add_argument("--licensee", required=True, metavar="SLUG")
        verb.add_argument("--from", dest="from_on", type=date.fromisoformat, required=True, metavar="DAY")
        verb.add_argument("--to", dest="to_on", type=date.fromisoformat, required=True, metavar="DAY")
        words_of_try = "values to try, such as n=3,4,5; money as percentages of what it is. May be given twice"
        verb.add_argument("--try", dest="grid", action="append", default=[], metavar="NAME=VALUES", help=words_of_try)
        verb.add_argument("--no-progress", action="store_true")

        verb = verbs.add_parser("evaluate", parents=[options], help="precision and recall by labelled typology")
        verb.add_argument("--licensee", required=True, metavar="SLUG")
        verb.add_argument("--write", type=Path, metavar="FILE", help="also write them as a page of the reference")

    def handle(self, *args: Any, **options: Any) -> None:
        with context.use(context.new("command")):
            try:
                result: dict[str, Any] = getattr(self, options["verb"])(options)
            except ValidationError as error:
                raise CommandError("; ".join(error.messages), returncode=2) from None
        if options["json"]:
            self.stdout.write(json.dumps(result, ensure_ascii=False, default=str))
            return
        for name, value in result.items():
            self.stdout.write(f"{name}: {value}")

    def ship(self, options: dict[str, Any]) -> dict[str, Any]:
        return {str(rule): rule.title for rule in services.ship()}

    def list(self, options: dict[str, Any]) -> dict[str, Any]:
        newest = Rule.objects.order_by("code", "-number").distinct("code")
        return {str(rule): f"{rule.state}: {words.rule_in_words(rule.definition)}" for rule in newest}

    def backtest(self, options: dict[str, Any]) -> dict[str, Any]:
        rule = Rule.objects.filter(code=options["rule"]).order_by("-number").first()
        if rule is None:
            known = ", ".join(Rule.objects.order_by("code").values_list("code", flat=True).distinct())
            raise CommandError(f"rule: there is no {options['rule']}. Known: {known or 'none yet'}.", returncode=2)
        live = Rule.objects.filter(code=rule.code, state=State.LIVE).exclude(pk=rule.pk).first()
        licensee, days = licensee_of(options["licensee"]), {name: options[name] for name in ("from_on", "to_on")}
        shown = Progress("parts", self.stderr)
        with transaction.atomic():
            about = ObjectRef("rule", str(rule.pk))
            details = {"rule": rule.code, "number": rule.number, **days}
            record("monitoring_rules.backtest", by=system(), about=about, details=details, log=services.LOG)
        found = backtests.find(
            rule.definition,
            licensee,
            **days,
            live=live.definition if live else None,
            grid=_grid(options["grid"]),
            say=(lambda done, total: None) if options["no_progress"] else shown,
        )
        return {"rule": str(rule), **{name: getattr(found, name) for name in backtests.Findings.__dataclass_fields__}}

    def evaluate(self, options: dict[str, Any]) -> dict[str, Any]:
        definitions = {code: definition for code, _title, _severity, definition in SHIPPED}
        newest = Rule.objects.order_by("code", "-number").distinct("code")
        definitions |= {rule.code: rule.definition for rule in newest}
        until = timezone.now() + timedelta(days=1)
        licensee = licensee_of(options["licensee"])
        measured = evaluation.evaluate(licensee, definitions, until=until)
        if options["write"]:
            options["write"].write_text(evaluation.as_page(measured, evaluation.size_of(licensee)), encoding="utf-8")
        return {
            one.label: {
                "rule": one.code,
                "customers": one.labelled,
                "recall": f"{one.recall:.2f}",
                "flagged": one.flagged,
                "precision": f"{one.precision:.2f}",
            }
            for one in measured
        }


def _grid(given: list[str]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for text in given:
        name, _equals, values = text.partition("=")
        try:
            found[name] = [int(value) for value in values.split(",")]
        except ValueError:
            raise CommandError(f"--try: {text}: write NAME=1,2,3 in whole numbers.", returncode=2) from None
    return found
