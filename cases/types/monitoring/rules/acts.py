"""The act on rules that needs two persons: letting one raise flags about players."""

from collections.abc import Sequence
from typing import Any, Final

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cases.patterns import words
from cases.types.monitoring.rules import services
from cases.types.monitoring.rules.models import Rule, State, may_change
from compliance.policy.schema import Need
from compliance.proposals import acts

REASONS: Final[dict[str, Promise]] = {
    "risk": gettext_lazy("Own assessment of the risk"),
    "regulator": gettext_lazy("The regulator asked"),
    "tuning": gettext_lazy("Fewer flags for nothing, or fewer missed"),
    "correction": gettext_lazy("An earlier version was wrong"),
}


def _need(rule: Rule, **inputs: Any) -> Need:
    why = _("A rule that raises flags about players is made live by two persons.")
    return Need(two=True, why=why, rule="monitoring.rule_live", version="product")


def _facts(rule: Rule) -> Sequence[tuple[str | Promise, str | Promise]]:
    live = Rule.objects.filter(code=rule.code, state=State.LIVE).first()
    found: list[tuple[str | Promise, str | Promise]] = [
        (_("Rule"), f"{rule} · {rule.title}"),
        (_("Looks for"), words.rule_in_words(rule.definition)),
    ]
    if live is not None:
        found.append((_("Live now"), f"{live} · {words.rule_in_words(live.definition)}"))
    return found


def _visible(user: Any) -> Any:
    rows = Rule.objects.filter(state__in=[State.DRAFT, State.SHADOW])
    return (rows if may_change(None, user) else rows.none()).values_list("pk", flat=True)


acts.register(
    acts.Act(
        name=services.ACTIVATE,
        title=gettext_lazy("Make a monitoring rule live"),
        run=services.activate,
        load=lambda pk: Rule.objects.select_for_update(of=("self",)).get(pk=pk),
        digest=lambda rule: f"{rule.digest}:{rule.severity}:{rule.title}".encode(),
        may_propose=may_change,
        may_confirm=may_change,
        visible=_visible,
        need=_need,
        unmet=lambda rule, **inputs: services.unmet_for_activation(rule),
        facts=_facts,
        reason_text=lambda code: REASONS.get(code, code),
        consequence=lambda rule, **inputs: _(
            "From the next transaction on it raises flags. The version before it is retired."
        ),
        subject_url=lambda rule: reverse("cases:monitoring-rule", args=[rule.code]),
        log=lambda rule: "aml",
    )
)
