"""`manage.py policy check|show|diff|preview`: whether policies can be read, what they say, what a change would do."""

import json
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Iterator
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from compliance.policy.book import FOLDER, policy_for, read
from compliance.policy.errors import PolicyBroken, PolicyMissing
from compliance.policy.records import Provenance, Rule
from compliance.policy.schema import EvidenceRule, OnePerson, Policy, TwoPersons
from compliance.rulebook import previews
from compliance.rulebook.models import RuleSet
from compliance.rulebook.queries import policy_at

STALE_AFTER_DAYS = 365


class Command(BaseCommand):
    help = "Check the policies, and show what one says."
    # It must run while a policy is what is broken.
    requires_system_checks: Any = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
        check = verbs.add_parser("check", help="read every policy file; exit 1 when one is broken")
        check.add_argument("--folder", type=Path, default=FOLDER, help="another folder of *.toml files")
        show = verbs.add_parser("show", help="every rule in force, with its source")
        show.add_argument("jurisdiction", help="such as TR or GB")
        show.add_argument(
            "--on", metavar="DAY", type=_day, help="the licensee's day, such as 2026-11-21 (default: today in UTC)"
        )
        diff = verbs.add_parser("diff", help="what differs between two versions, rule by rule")
        diff.add_argument("old", help="such as GB-2025-02-28, or a version that a case pinned")
        diff.add_argument("new")
        preview = verbs.add_parser("preview", help="what a drafted set would have done to the last 90 days")
        preview.add_argument("code", help="of the set, as its page says")
        for verb in (check, show, diff, preview):
            verb.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        verbs = {"check": self.check_all, "show": self.show, "diff": self.diff, "preview": self.preview}
        verbs[options["verb"]](options)

    def check_all(self, options: dict[str, Any]) -> None:
        today, problems, versions, stale = timezone.localdate(), [], [], []
        try:
            for policy in read(options["folder"]).versions.values():
                versions.append({"version": policy.version, "digest": policy.digest, "rules": len(_rules(policy))})
                stale += _stale(policy, today)
        except PolicyBroken as broken:
            problems = broken.problems
        if options["json"]:
            self.stdout.write(json.dumps({"versions": versions, "problems": problems, "stale": stale}))
        else:
            for version in versions:
                self.stdout.write(f"{version['version']}: {version['rules']} rules, digest {version['digest']}")
            for line in stale:
                self.stdout.write(f"look again: {line}")
            for line in problems:
                self.stdout.write(line)
        if problems:
            raise SystemExit(1)

    def show(self, options: dict[str, Any]) -> None:
        try:
            policy = policy_for(options["jurisdiction"].upper(), on=options["on"] or timezone.localdate())
        except PolicyMissing as missing:
            raise CommandError(str(missing), returncode=2) from None
        except PolicyBroken as broken:
            raise CommandError(str(broken), returncode=1) from None
        if options["json"]:
            self.stdout.write(
                json.dumps(policy.model_dump(mode="json") | {"digest": policy.digest}, ensure_ascii=False)
            )
            return
        self.stdout.write(f"{policy.version}  {policy.name}  in force from {policy.effective_from}")
        self.stdout.write(f"digest {policy.digest}")
        for path, rule in _rules(policy):
            self.stdout.write(f"{path} = {_says(rule)}")
            place = f", {rule.provision}" if rule.provision else ""
            self.stdout.write(f"    {rule.id}  {rule.modality}, {rule.confidence}, {rule.last_verified}")
            self.stdout.write(f"    {policy.sources[rule.source]}{place}")

    def diff(self, options: dict[str, Any]) -> None:
        try:
            old, new = policy_at(options["old"]), policy_at(options["new"])
        except PolicyMissing as missing:
            raise CommandError(str(missing), returncode=2) from None
        found = list(_differences(old, new))
        if options["json"]:
            self.stdout.write(json.dumps(found, ensure_ascii=False))
            return
        for one in found:
            self.stdout.write(f"{one['rule']}\n  - {one['old'] or 'absent'}\n  + {one['new'] or 'absent'}")
        self.stdout.write(f"{len(found)} rules differ.")

    def preview(self, options: dict[str, Any]) -> None:
        rule_set = RuleSet.objects.select_related("licensee").filter(code=options["code"]).first()
        if rule_set is None:
            raise CommandError(f"There is no set of rules {options['code']}.", returncode=2)
        found = previews.differences(rule_set)
        if options["json"]:
            self.stdout.write(json.dumps([asdict(one) for one in found], ensure_ascii=False))
            return
        self.stdout.write(f"{rule_set.licensee.slug}, from {rule_set.effective_from}:")
        for one in found:
            self.stdout.write(f"{one.title}: {one.old} -> {one.new}")
            self.stdout.write(f"    {one.effect or 'this cannot be counted from what is kept here'}")


def _differences(old: Policy, new: Policy) -> Iterator[dict[str, str]]:
    """Rules that say something else, or come from elsewhere; "" where there is none."""
    before, after = dict(old.rules()), dict(new.rules())
    for path in dict.fromkeys((*before, *after)):
        was, now = before.get(path), after.get(path)
        if was != now:
            yield {"rule": path, "old": _whole(was), "new": _whole(now)}


def _whole(rule: Provenance | None) -> str:
    return f"{_says(rule)} [{rule.id}, {rule.modality}]" if rule else ""


def _rules(policy: Policy) -> list[tuple[str, Provenance]]:
    return list(policy.rules())


def _stale(policy: Policy, today: date) -> list[str]:
    return [
        f"{policy.version}, {path}: last verified on {rule.last_verified}"
        for path, rule in _rules(policy)
        if (today - rule.last_verified).days > STALE_AFTER_DAYS
    ]


def _says(rule: Provenance) -> str:
    """The rule in one line."""
    if isinstance(rule, Rule):
        return ", ".join(str(each) for each in rule.value) if isinstance(rule.value, tuple) else str(rule.value)
    if isinstance(rule, EvidenceRule):
        age = f", at most {rule.max_age_days} days old" if rule.max_age_days else ""
        return f"{rule.purpose} by {' or '.join(rule.any_of)}{age}"
    if isinstance(rule, TwoPersons | OnePerson):
        return str(rule.text)
    raise TypeError(f"{type(rule).__name__}: say how to show it.")


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is no day; write it like 2026-11-21") from None
