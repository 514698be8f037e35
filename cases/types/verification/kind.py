"""What the engine and the proposals need to know about verifications."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from cases import kinds
from cases.models import Case, Evidence
from cases.permissions import DECIDE, WORK, may
from cases.types.verification import rules, services
from cases.types.verification.models import KIND, State, Verification
from compliance.people.services import masked
from compliance.proposals import acts
from compliance.proposals.queries import open_proposal

STATES: Mapping[str, str | Promise] = dict(Evidence.State.choices) | {"missing": _("Missing")}


@dataclass(frozen=True, slots=True)
class Fact:
    """One line of what the player declared. `field` names what can be shown on request; the showing is recorded."""

    label: str | Promise
    value: str
    field: str = ""


def facts(case: Case) -> list[Fact]:
    customer, account = case.customer, case.account
    return [
        Fact(_("Name"), customer.full_name),
        Fact(_("Date of birth"), masked(customer, "birth_date"), "birth_date"),
        Fact(_("National id"), masked(customer, "national_id"), "national_id"),
        Fact(_("Nationality"), customer.nationality),
        Fact(_("Address"), customer.address),
        Fact(_("Phone"), masked(account, "phone"), "phone"),
        Fact(_("E-mail"), masked(account, "email"), "email"),
    ]


def steps(case: Verification, user: Any) -> list[kinds.Step]:
    """What the user may do next; the first is the one primary button. The state decides which."""
    at = {"number": case.number}
    if not may(user, WORK, case):
        return []
    if case.state == State.CLOSED:
        return (
            [kinds.Step(reverse("cases:verification-decide", kwargs=at | {"act": "reopen"}), _("Propose to reopen"))]
            if may(user, DECIDE, case)
            else []
        )
    step = {
        "start": kinds.Step(reverse("cases:verification-start", kwargs=at), _("Start review"), post=True),
        "ask": kinds.Step(reverse("cases:verification-ask", kwargs=at), _("Send request"), "send"),
        "approve": kinds.Step(
            reverse("cases:verification-decide", kwargs=at | {"act": "approve"}), _("Propose approval")
        ),
        "reject": kinds.Step(reverse("cases:verification-decide", kwargs=at | {"act": "reject"}), _("Propose refusal")),
    }
    if case.state == State.OPEN:
        return [step["start"], step["reject"]]
    if open_proposal(case):
        return []
    to_judge = case.evidence.filter(state="pending", document__state="ready").order_by("created_at").first()
    if to_judge and case.state == State.IN_REVIEW:
        look = kinds.Step(reverse("cases:review", kwargs=at | {"evidence_id": to_judge.pk}), _("Review files"))
        return [look, step["reject"]]
    if case.state == State.IN_REVIEW and rules.asked_again(case):
        return [step["ask"], step["reject"]]
    if case.state == State.IN_REVIEW and rules.evidence_is_complete(case):
        return [step["approve"], step["reject"]]
    return [step["reject"]]


def _load(pk: Any) -> Verification:
    return Verification.objects.select_for_update(of=("self",)).select_related("customer", "account").get(pk=pk)  # type: ignore[no-any-return]


def _facts(case: Verification) -> list[tuple[str | Promise, str | Promise]]:
    """What the second person should see before the button."""
    judged: list[tuple[str | Promise, str | Promise]] = [
        (check.title, STATES[check.status]) for check in rules.checks(case)
    ]
    return [
        (_("Player"), case.account.reference),
        (_("Level"), case.level),
        (_("Risk"), case.customer.get_risk_display()),
        *judged,
    ]


def _visible(user: Any) -> Any:
    return Verification.objects.allowed_to(user, DECIDE).values_list("pk", flat=True)


def _act(name: str, title: str | Promise, run: Any, may_propose: str) -> acts.Act:
    return acts.Act(
        name=f"{KIND}.{name}",
        title=title,
        run=run,
        load=_load,
        digest=rules.evidence_digest,
        may_propose=lambda case, user: may(user, may_propose, case),
        may_confirm=lambda case, user: may(user, DECIDE, case),
        need=lambda case: services.needs_two(case, f"{KIND}.{name}"),
        unmet=lambda case: case.unmet(name),
        facts=_facts,
        seen=rules.evidence_seen,
        consequence=lambda case: rules.consequence(name),
        visible=_visible,
        reason_text=lambda code: dict(rules.decision_reasons(name)).get(code, code),
        subject_url=lambda case: reverse("cases:case", kwargs={"number": case.number}),
    )


kinds.register(
    kinds.Kind(
        name=KIND,
        title=_("Verification"),
        prefix="KYC",
        model=Verification,
        steps=steps,
        checks=rules.checks,
        offers=rules.offers,
        facts=facts,
        arrived=services.arrived,
        told=rules.told,
        panel="verification/_panel.html",
        new_url="cases:verification-new",
    )
)
acts.register(
    _act("approve", _("Approve the verification"), services.approve, WORK),
    _act("reject", _("Refuse the verification"), services.reject, WORK),
    _act("reopen", _("Reopen the verification"), services.reopen, DECIDE),
)
