"""The one act here that two persons decide: a change of the rules."""

from collections.abc import Sequence
from hashlib import sha256
from typing import Any

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from audit.canonical import canonical
from compliance.formats import day
from compliance.people.permissions import has_right
from compliance.people.reach import licensees_of
from compliance.policy import policy_for
from compliance.policy.schema import Need
from compliance.proposals import acts
from compliance.rulebook import labels
from compliance.rulebook.models import CHANGE, RuleSet, State, may_change
from compliance.rulebook.services import ACT, put_in_force

REASONS: dict[str, Promise] = {
    "regulator": gettext_lazy("The regulator asked"),
    "law": gettext_lazy("The law changes"),
    "risk": gettext_lazy("Own assessment of the risk"),
    "workload": gettext_lazy("Time and work"),
    "correction": gettext_lazy("An earlier value was wrong"),
}


def _need(rule_set: RuleSet, **inputs: Any) -> Need:
    licensee = rule_set.licensee
    return policy_for(licensee.jurisdiction, on=licensee.today()).need_two(ACT)


def _unmet(rule_set: RuleSet, **inputs: Any) -> list[str]:
    if rule_set.state != State.DRAFT:
        return [_("This was decided already.")]
    return rule_set.unmet("approve")


def _facts(rule_set: RuleSet) -> Sequence[tuple[str | Promise, str | Promise]]:
    found: list[tuple[str | Promise, str | Promise]] = [
        (_("Licensee"), rule_set.licensee.name),
        (_("From"), day(rule_set.effective_from)),
    ]
    found += [(labels.title(key), labels.value_words(value)) for key, value in rule_set.values.items()]
    return found if rule_set.values else [*found, (_("Rules"), _("as the files say, nothing of your own"))]


def _digest(rule_set: RuleSet) -> bytes:
    said = {"values": rule_set.values, "from": rule_set.effective_from.isoformat(), "base": rule_set.base}
    return sha256(canonical(said)).digest()


def _visible(user: Any) -> Any:
    rows = RuleSet.objects.filter(state=State.DRAFT, licensee__in=licensees_of(user, CHANGE))
    return (rows if has_right(user, CHANGE) else rows.none()).values_list("pk", flat=True)


acts.register(
    acts.Act(
        name=ACT,
        title=gettext_lazy("Change the rules"),
        run=put_in_force,
        load=lambda pk: RuleSet.objects.select_for_update(of=("self",)).select_related("licensee").get(pk=pk),
        digest=_digest,
        may_propose=may_change,
        may_confirm=may_change,
        visible=_visible,
        need=_need,
        unmet=_unmet,
        facts=_facts,
        reason_text=lambda code: REASONS.get(code, code),
        consequence=lambda rule_set: _("From that day every new case goes by these values. Open cases keep theirs."),
        subject_url=lambda rule_set: reverse("rulebook:set", args=[rule_set.code]),
    )
)
