"""Life of a change: drafted by one person, proposed with its reason, put in force by another, for a day to come."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from audit.actors import Acts
from audit.perform import Denied, perform
from audit.record import record, record_refusal
from compliance.people.models import Licensee, User
from compliance.people.permissions import require
from compliance.people.reach import decides_for
from compliance.policy import policy_for
from compliance.proposals.models import Proposal
from compliance.proposals.queries import require_second_person
from compliance.proposals.services import propose
from compliance.rulebook.changes import as_json, checked
from compliance.rulebook.models import CHANGE, RuleSet

ACT = "policy.change"


@transaction.atomic
def draft(licensee: Licensee, values: Mapping[str, Any], *, effective_from: date, by: User) -> RuleSet:
    """A set that may be proposed. `values` by key, whole. Changes nothing yet.

    Raises changes.NotAllowed for a value that is none, or weaker than the law; ValidationError for a day that has begun
    or that has no policy.
    """
    require(by, CHANGE, action="rulebook.draft", about=licensee)
    if not decides_for(licensee, by, CHANGE):
        record_refusal("rulebook.draft", by=by, about=licensee, reason="other_licensee")
        raise Denied("other_licensee")
    if effective_from <= licensee.today():
        raise ValidationError({"effective_from": _("Choose a day to come: what has begun does not change.")})
    law = policy_for(licensee.jurisdiction, on=effective_from)
    found = {key: as_json(value) for key, value in checked(law, values).items()}
    rule_set = RuleSet(licensee=licensee, values=found, effective_from=effective_from, base=law.version, made_by=by)
    rule_set.save(force_insert=True)
    details: dict[str, Any] = {"code": rule_set.code, "licensee": str(licensee.pk), "base": law.version}
    details |= {"effective_from": effective_from.isoformat(), "values": found}
    record("rulebook.draft", by=by, about=rule_set, details=details)
    return rule_set


def propose_change(rule_set: RuleSet, *, by: User, reason: str, note: str) -> Proposal:
    """Ask a second person. Raises what `proposals.propose` raises."""
    return propose(ACT, rule_set, by=by, reason=reason, note=note)


@transaction.atomic
def put_in_force(
    rule_set: RuleSet, *, by: Acts, reason: str | None = None, proposal: str | None = None, maker: str = ""
) -> RuleSet:
    """From its day on the set holds. Raises SecondPersonNeeded, ConditionsNotMet when the day has come meanwhile."""
    require_second_person(ACT, rule_set, proposal=proposal)
    details = {"proposal": proposal or "", "maker": maker, "values": rule_set.values}
    details["effective_from"] = rule_set.effective_from.isoformat()
    approved: RuleSet = perform(rule_set.approve, by=by, reason=reason, details=details)
    return approved


def withdraw(rule_set: RuleSet, *, by: Acts) -> RuleSet:
    withdrawn: RuleSet = perform(rule_set.withdraw, by=by)
    return withdrawn
