"""`manage.py retention`: what no rule keeps any longer, and the holds that keep it."""

import json
import sys
from argparse import ArgumentParser
from datetime import date
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from audit import context
from audit.perform import ConditionsNotMet, Denied, WrongState
from compliance.keys.locks import Busy
from compliance.keys.services import KeyUnavailable
from compliance.people.management.lookups import customer_of
from compliance.people.models import User
from compliance.proposals.services import propose
from documents.keeping import holds, runs
from documents.keeping.models import LegalHold
from documents.keeping.standing import standing_of

Result = dict[str, Any]


class Command(BaseCommand):
    help = "Plan and carry out what the retention rules say; place and lift legal holds."

    def add_arguments(self, parser: ArgumentParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")

        def add(name: str, text: str, *, by: bool = False, customer: bool = False) -> ArgumentParser:
            verb: ArgumentParser = verbs.add_parser(name, help=text)
            verb.add_argument("--json", action="store_true", help="print one JSON object")
            if customer:
                verb.add_argument("customer", metavar="CUSTOMER", help="the customer's id")
            if by:
                verb.add_argument("--by", required=True, metavar="E-MAIL", help="who does it")
            return verb

        add("plan", "print what a run would erase; change nothing")
        run = add("run", "erase what no rule keeps any longer; safe to repeat")
        run.add_argument("--dry-run", action="store_true", help="the same as plan")
        add("check", "exit 1 when the law wants a run more often than there was one")
        add("show", "what keeps one customer's records", customer=True)
        end = add("end-relationship", "the day from which the periods run", by=True, customer=True)
        end.add_argument("--on", type=date.fromisoformat, required=True, metavar="YYYY-MM-DD")
        add("resume-relationship", "they came back: no period runs", by=True, customer=True)
        hold = add("hold", "place a legal hold", by=True, customer=True)
        hold.add_argument("--reason", required=True, help="a code such as litigation or authority_request")
        hold.add_argument("--note", default="", help="in words; kept sealed")
        lift = add("lift", "propose to lift a legal hold; a second person confirms it on the page Approvals", by=True)
        lift.add_argument("hold", metavar="HOLD", help="the hold's id")
        lift.add_argument("--reason", default="no_longer_needed")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with context.use(context.new("command")):
                result: Result = getattr(self, f"retention_{options['verb'].replace('-', '_')}")(options)
        except (ConditionsNotMet, Denied, WrongState, Busy, KeyUnavailable) as refused:
            raise CommandError(str(refused) or type(refused).__name__, returncode=1) from None
        except ValidationError as wrong:
            raise CommandError("; ".join(wrong.messages), returncode=2) from None
        self.stdout.write(json.dumps(result, default=str) if options["json"] else _lines(result))
        if result.get("problems") or result.get("not erased"):
            raise SystemExit(1)

    def retention_plan(self, options: Result) -> Result:
        return runs.plan().as_dict()

    def retention_run(self, options: Result) -> Result:
        if options["dry_run"]:
            return self.retention_plan(options)

        def say(done: int, of: int) -> None:
            if not options["json"] and sys.stderr.isatty():
                self.stderr.write(f"\rerased {done} of {of}  ", ending="\n" if done >= of else "")

        done = runs.run(say=say)
        return done.plan.as_dict() | {"erased": done.erased, "not erased": done.failed}

    def retention_check(self, options: Result) -> Result:
        return {"last run": runs.last_run(), "problems": runs.overdue()}

    def retention_show(self, options: Result) -> Result:
        standing = standing_of(customer_of(options["customer"]))
        standing_holds = LegalHold.objects.filter(customer_id=standing.customer, lifted_at=None)
        return standing.as_dict() | {"holds": [f"{hold.pk} {hold.reason}" for hold in standing_holds]}

    def retention_end_relationship(self, options: Result) -> Result:
        holds.end_relationship(customer_of(options["customer"]), on=options["on"], by=_user(options["by"]))
        return self.retention_show(options)

    def retention_resume_relationship(self, options: Result) -> Result:
        holds.resume_relationship(customer_of(options["customer"]), by=_user(options["by"]))
        return self.retention_show(options)

    def retention_hold(self, options: Result) -> Result:
        customer, by = customer_of(options["customer"]), _user(options["by"])
        return {"hold": str(holds.place_hold(customer, by=by, reason=options["reason"], note=options["note"]).pk)}

    def retention_lift(self, options: Result) -> Result:
        try:
            hold = LegalHold.objects.get(pk=UUID(options["hold"]))
        except (ValueError, LegalHold.DoesNotExist):
            raise CommandError(f"There is no hold {options['hold']}.", returncode=2) from None
        made = propose(holds.LIFT, hold, by=_user(options["by"]), reason=options["reason"])
        return {"proposal": str(made.pk), "state": made.state}


def _user(email: str) -> User:
    user = User.objects.filter(email=email.lower(), is_active=True).first()
    if user is None:
        raise CommandError(f"There is no active sign-in {email}.", returncode=2)
    return user


def _lines(result: Result) -> str:
    """The plan line by line: what goes, by which rule, then what stays."""
    out = []
    for name, value in result.items():
        if isinstance(value, list) and value and isinstance(value[0], dict):
            out += [f"{name}: " + ", ".join(f"{key} {part}" for key, part in row.items()) for row in value]
        elif isinstance(value, dict):
            out += [f"{name}: {key}: {part}" for key, part in value.items()] or [f"{name}: none"]
        else:
            out.append(f"{name}: {'; '.join(map(str, value)) or 'none' if isinstance(value, list) else value}")
    return "\n".join(out)
