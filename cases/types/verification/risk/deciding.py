"""Lowering a customer's risk needs two persons: what the second one sees."""

import hashlib
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from cases.models import Case
from cases.permissions import DECIDE, VIEW, WORK
from cases.types.verification.models import KIND
from cases.types.verification.risk import rating, services
from compliance.people.models import Customer, Risk
from compliance.policy import Need
from compliance.proposals import acts
from compliance.rulebook.queries import policy_of

REASONS: dict[str, Any] = {
    "known_player": _("The player has been known for long and nothing was found"),
    "fact_explained": _("What raises the risk is explained and shown"),
    "more_than_counted": _("There is more than the facts say"),
    "authority": _("An authority asks for it"),
}


def _cases(customer: Customer, user: Any, permission: str) -> Any:
    return Case.objects.allowed_to(user, permission).filter(customer_id=customer.pk)


def _load(pk: Any) -> Customer:
    found: Customer = Customer.objects.select_for_update(of=("self",)).select_related("licensee").get(pk=pk)
    return found


def _digest(customer: Customer) -> bytes:
    """What the level rests on: the facts outside the compartment and the lists."""
    today = customer.licensee.today()
    said = (sorted(set(rating.codes_of(customer, on=today))), rating.basis_on(today), customer.risk)
    return hashlib.sha256(b"risk/1" + repr(said).encode()).digest()


def need(customer: Customer, **inputs: Any) -> Need:
    """Two for a lower level, as for anything that weakens; one for a higher, which protects."""
    policy = policy_of(customer.licensee, on=customer.licensee.today())
    level = inputs.get("level")
    if level and not services.lowers(customer, level, inputs.get("until")):
        return Need(False, "", "OP.RISK.RAISE", policy.version)
    return policy.need_two(services.ACT)


def _unmet(customer: Customer, **inputs: Any) -> list[str]:
    return services.unmet_override(customer, inputs["level"], services.day(inputs["until"])) if inputs else []


def _facts(customer: Customer) -> list[tuple[Any, Any]]:
    found = rating.rating_of(customer, on=customer.licensee.today())
    known = [(line.title, line.points) for line in rating.lines([_part(p) for p in found.parts], model=found.model)]
    return [(_("Level now"), customer.get_risk_display()), (_("Points"), found.score), *known]


def _part(part: Any) -> dict[str, Any]:
    return {"code": part.code, "rule": part.rule, "points": part.points, "at_least": part.at_least}


def page_of(customer: Customer, user: Any) -> str:
    """Of the newest verification that this person sees: another case's number would tell that there is one."""
    seen = Case.objects.visible_to(user).filter(customer_id=customer.pk, kind=KIND)
    newest = seen.order_by("-opened_at").first()
    return reverse("cases:risk", kwargs={"number": newest.number}) if newest else reverse("proposals:list")


acts.register(
    acts.Act(
        name=services.ACT,
        title=_("Set the risk of a player"),
        run=services.override,
        load=_load,
        digest=_digest,
        may_propose=lambda customer, user: _cases(customer, user, WORK).exists(),
        may_confirm=lambda customer, user: _cases(customer, user, DECIDE).exists(),
        sees=lambda customer, user: _cases(customer, user, VIEW).exists(),
        visible=lambda user: Case.objects.allowed_to(user, DECIDE).values_list("customer_id", flat=True),
        need=need,
        unmet=_unmet,
        facts=_facts,
        reason_text=lambda code: REASONS.get(code, code),
        consequence=lambda customer, **inputs: (
            _("The level holds until %(until)s: %(level)s.")
            % {"until": inputs.get("until", ""), "level": Risk(inputs["level"]).label if inputs else ""}
        ),
        subject_url=lambda customer: reverse("proposals:list"),
        url_for=page_of,
        sealed=frozenset({"note"}),
    )
)
