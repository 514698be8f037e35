"""What the engine and the proposals need to know about verifications."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from cases import kinds
from cases.models import Case, Evidence
from cases.permissions import DECIDE, VIEW, WORK, may
from cases.types.verification import ages, endings, funds, going_on, holds, reviews, rules, services
from cases.types.verification.checks import rules as checks
from cases.types.verification.models import KIND, Outcome, State, Verification
from compliance.people.access.once import once
from compliance.people.services import masked
from compliance.proposals import acts
from compliance.proposals.queries import open_proposal

UNDERAGE, BY_HAND = "close_underage", "confirm_checks"
JUDGED = (Outcome.APPROVED, Outcome.REJECTED, Outcome.UNDERAGE, Outcome.IMPERSONATED)
STATES: Mapping[str, str | Promise] = dict(Evidence.State.choices) | {"missing": _("Missing")}


@dataclass(frozen=True, slots=True)
class Fact:
    """One line of what the player declared. `field` names what can be shown on request; the showing is recorded. `key`
    names what stands in the clear, for comparing.
    """

    label: str | Promise
    value: str
    field: str = ""
    key: str = ""


def facts(case: Case) -> list[Fact]:
    customer, account = case.customer, case.account
    return [
        Fact(_("Name"), customer.full_name, key="full_name"),
        Fact(_("Date of birth"), masked(customer, "birth_date"), "birth_date"),
        Fact(_("National id"), masked(customer, "national_id"), "national_id"),
        Fact(_("Nationality"), customer.nationality),
        Fact(_("Address"), customer.address),
        Fact(_("Phone"), masked(account, "phone"), "phone"),
        Fact(_("E-mail"), masked(account, "email"), "email"),
    ]


def steps(case: Verification, user: Any) -> list[kinds.Step]:
    """What the user may do next. The state decides which, and whether one of them is the thing to do now."""
    if not may(user, WORK, case):
        return []
    young = case.state != State.CLOSED and ages.is_too_young(case.customer)
    return [*_usual(case, user, young=young), *_rare(case, young=young)]


def _usual(case: Verification, user: Any, *, young: bool) -> list[kinds.Step]:
    if case.state == State.CLOSED:
        settle = [_step(case, "verification-funds", _("Decide on the balance"), primary=True)] if _money(case) else []
        reopen = _step(case, "verification-decide", _("Propose to reopen"), act="reopen", primary=not settle)
        return [*settle, reopen] if may(user, DECIDE, case) else settle
    if once(user, ("open_proposal", case.pk), lambda: open_proposal(case)):
        return []
    refuse = _step(case, "verification-decide", _("Propose refusal"), act="reject")
    next_one = _next(case, young=young)
    return [next_one, refuse] if next_one and next_one.url != refuse.url else [next_one or refuse]


def _money(case: Verification) -> bool:
    return funds.is_open(case) and open_proposal(case) is None


def _rare(case: Verification, *, young: bool) -> list[kinds.Step]:
    """Behind "More". What protects somebody is there even while another decision waits."""
    acts_now = ["withdraw", *endings.PROTECTIVE] if case.state != State.CLOSED else []
    if UNDERAGE in acts_now and young:
        acts_now.remove(UNDERAGE)  # it is the thing to do now
    if holds.of(case, holds.CLOSED).exists():
        acts_now.append("lift")
    return [_step(case, "verification-decide", endings.TITLES[act], act=act, rare=True) for act in acts_now]


def _next(case: Verification, *, young: bool) -> kinds.Step | None:
    """The one thing to do now, as the verdicts say; nothing while the case waits for the player or for a file."""
    if young:
        return _step(case, "verification-decide", endings.TITLES[UNDERAGE], act=UNDERAGE, primary=True)
    if case.state == State.OPEN:
        return _step(case, "verification-start", _("Start review"), post=True, primary=True)
    if case.state != State.IN_REVIEW:
        return None
    to_judge = case.evidence.filter(state="pending", document__state="ready").order_by("created_at").first()
    if to_judge:
        return _step(case, "review", _("Review files"), evidence_id=to_judge.pk, primary=True)
    match rules.standing(case):
        case "refuse":
            return _step(case, "verification-decide", _("Propose refusal"), act="reject", primary=True)
        case "ask" | "lacking":
            return _step(case, "verification-ask", _("Send request"), icon="send", primary=True)
        case "approve" if checks.by_hand(case):
            return _step(case, "verification-decide", endings.TITLES[BY_HAND], act=BY_HAND, primary=True)
        case "approve":
            return _step(case, "verification-decide", _("Propose approval"), act="approve", primary=True)
    return None


def _step(
    case: Verification,
    route: str,
    label: str | Promise,
    *,
    icon: str = "",
    post: bool = False,
    primary: bool = False,
    rare: bool = False,
    **at: Any,
) -> kinds.Step:
    url = reverse(f"cases:{route}", kwargs={"number": case.number, **at})
    return kinds.Step(url, label, icon, post=post, primary=primary, rare=rare)


def _load(pk: Any) -> Verification:
    return Verification.objects.select_for_update(of=("self",)).select_related("customer", "account").get(pk=pk)  # type: ignore[no-any-return]


def _facts(case: Verification) -> list[tuple[str | Promise, str | Promise]]:
    """What the second person should see before the button."""
    judged: list[tuple[str | Promise, str | Promise]] = [
        (check.title, check.met_by or STATES[check.status]) for check in rules.checks(case)
    ]
    return [
        (_("Player"), case.account.reference),
        (_("Level"), case.level),
        (_("Risk"), case.customer.get_risk_display()),
        *judged,
    ]


def _visible(user: Any) -> Any:
    return Verification.objects.allowed_to(user, DECIDE).values_list("pk", flat=True)


def _act(name: str, run: Any, may_propose: str) -> acts.Act:
    return acts.Act(
        name=f"{KIND}.{name}",
        title=endings.TITLES[name],
        run=run,
        load=_load,
        digest=rules.evidence_digest,
        may_propose=lambda case, user: may(user, may_propose, case),
        may_confirm=lambda case, user: may(user, DECIDE, case),
        sees=lambda case, user: may(user, VIEW, case),
        need=lambda case: services.needs_two(case, f"{KIND}.{name}"),
        unmet=lambda case: case.unmet(name),
        facts=_facts,
        seen=rules.evidence_seen,
        change_text=rules.change_text,
        consequence=lambda case: endings.CONSEQUENCES[name],
        visible=_visible,
        reason_text=endings.reason_text,
        subject_url=lambda case: reverse("cases:case", kwargs={"number": case.number}),
        # A refusal, and what lets an account go on, needs a look at each case alone.
        in_bulk=name == "approve" or name in endings.PROTECTIVE,
        submit=partial(services.submit, act=name),
        reasons=partial(endings.reasons, name),
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
        arrived=going_on.arrived,
        ruled=reviews.ruled,
        told=rules.told,
        panel="verification/_panel.html",
        new_url="cases:verification-new",
        new_label=_("New verification"),
        age=rules.age,
        routine=services.open_by_routine,
        take_over=services.take_over,
        taken_columns=("level",),
        judged=lambda: [(one.value, one.label) for one in JUDGED],
        by_exception=True,
    )
)
acts.register(
    _act("approve", services.approve, WORK),
    _act("reject", services.reject, WORK),
    _act("reopen", services.reopen, DECIDE),
    _act("lift", services.lift, WORK),
    _act(BY_HAND, services.confirm_checks, WORK),
    *[_act(move, partial(services.close_to_protect, move=move), WORK) for move in endings.PROTECTIVE],
    acts.Act(
        name=funds.ACT,
        title=_("Decide on the balance of a closed account"),
        run=funds.settle,
        load=_load,
        digest=funds.digest,
        may_propose=lambda case, user: may(user, WORK, case),
        may_confirm=lambda case, user: may(user, DECIDE, case),
        sees=lambda case, user: may(user, VIEW, case),
        need=funds.need,
        unmet=funds.unmet,
        facts=lambda case: [(_("Player"), case.account.reference), (_("Ended"), Outcome(case.outcome).label)],
        consequence=lambda case, **inputs: endings.FUNDS_WORDS.get(inputs.get("decision", ""), ""),
        visible=_visible,
        reason_text=lambda code: endings.FUNDS_BECAUSE.get(code, code),
        subject_url=lambda case: reverse("cases:case", kwargs={"number": case.number}),
    ),
)
