"""The acts of a verification. Each wraps `perform` and the rows that follow in one transaction."""

from collections.abc import Callable
from contextlib import suppress
from datetime import date, timedelta
from functools import partial
from typing import Any

from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from audit.actors import Acts, system
from audit.perform import ConditionsNotMet, WrongState, perform
from audit.record import record
from cases import services as engine
from cases import texts
from cases.models import Evidence
from cases.permissions import WORK
from cases.types.verification import endings, holds, rules
from cases.types.verification.models import KIND, Verification, VerificationFacts
from compliance.people.models import Account, Customer, User
from compliance.people.risk import learn
from compliance.people.services import reach_level
from compliance.policy import policy_at, policy_for
from compliance.proposals.models import Proposal
from compliance.proposals.queries import require_second_person
from compliance.proposals.services import propose, void_overtaken

LIFT = holds.LIFT
# Reasons of a refusal that other decisions on the same player should know of.
RISKY = ("document_altered", "person_differs", "second_account")


@transaction.atomic
def open(account: Account, *, level: str, by: Acts) -> Verification:  # noqa: A001 - the verb of the trade
    """Open a verification to a level of the licensee's policy, and tell the player its number."""
    now = timezone.now()
    policy = policy_for(account.licensee.jurisdiction, on=engine.day_of(account.licensee, now))
    if level not in policy.verification.levels:
        known = ", ".join(policy.verification.levels)
        raise ConditionsNotMet([str(_("level: {level} is unknown. Known: {known}.")).format(level=level, known=known)])
    # The lock makes two who open at once wait for each other; a unique index stands behind it.
    Customer.objects.select_for_update(of=("self",)).get(pk=account.customer_id)
    if rules.another_is_open(account.customer_id):
        raise ConditionsNotMet([str(rules.ONE_OPEN)])
    review_hours: Any = policy.verification.review_hours  # reading an absent rule raises PolicyNotVerified
    due_at = now + timedelta(hours=review_hours.value)
    case: Verification = engine.open_case(KIND, account, by=by, now=now, due_at=due_at)
    VerificationFacts.objects.create(case=case, level=level)
    record("verification.open", by=by, about=case, details={"level": level, "policy": case.policy_version})
    engine.write_message(
        case, "received", by=system(), text=texts.message("received", account.language, number=case.number)
    )
    return case


def review(case: Verification, *, by: Acts, version: int | None = None) -> Verification:
    return perform(case.review, by=by, version=version)  # type: ignore[no-any-return]


@transaction.atomic
def ask(case: Verification, *, by: Acts, version: int | None = None) -> Verification:
    """Send everything that is asked again in one message, and wait for the player."""
    engine.require(WORK, case, by=by, action="verification.ask")
    case = _locked(case)  # a verdict that is taken back at this moment is in the letter and told, or neither
    returned = rules.asked_again(case)
    if not returned:
        raise ConditionsNotMet([str(_("Nothing is asked for yet. Judge a file with “Ask again” first."))])
    now = timezone.now()
    due = rules.answer_due(case, now)
    text = rules.letter(case, due=due)
    case = perform(case.ask, by=by, version=version, details={"answer_due_at": due})
    VerificationFacts.objects.filter(case=case).update(asked_at=now, answer_due_at=due)
    engine.write_message(case, "request", by=by, text=text, tells_of=returned)
    return case


def arrived(case: Verification, evidence: Evidence, *, by: Acts) -> None:
    """A file came in: when it was the last thing we waited for, the case goes back to its reviewer."""
    if case.state == Verification.State.WAITING and not rules.awaited(case):
        perform(case.resume, by=system())
        VerificationFacts.objects.filter(case=case).update(answer_due_at=None)


@transaction.atomic
def approve(
    case: Verification,
    *,
    by: Acts,
    reason: str = "all_checks_met",
    proposal: str | None = None,
    maker: str | None = None,
) -> Verification:
    """The evidence carries the level. The decision record names policy and evidence (experience X14)."""
    require_second_person("verification.approve", case, proposal=proposal)
    details = _decision(case, proposal, maker)
    case = perform(case.approve, by=by, reason=reason, details=details, at=timezone.now())
    reach_level(case.customer, case.level, by=by)
    holds.lift(case, holds.NEEDED, by=by, reason="verified", proposal=proposal, maker=maker)
    engine.write_message(
        case, "approved", by=by, text=texts.message("approved", case.account.language, number=case.number)
    )
    return case


@transaction.atomic
def reject(
    case: Verification, *, by: Acts, reason: str, proposal: str | None = None, maker: str | None = None
) -> Verification:
    """The application ends. The player reads one neutral text for all causes; the code stays inside."""
    require_second_person("verification.reject", case, proposal=proposal)
    details = _decision(case, proposal, maker)
    case = perform(case.reject, by=by, reason=reason, details=details, at=timezone.now())
    if reason in RISKY:
        learn(case.customer, reason, source=KIND, known_on=_today(case), by=by, matter=case.number)
    engine.write_message(
        case, "rejected", by=by, text=texts.message("rejected", case.account.language, number=case.number)
    )
    return case


@transaction.atomic
def reopen(
    case: Verification, *, by: Acts, reason: str, proposal: str | None = None, maker: str | None = None
) -> Verification:
    require_second_person("verification.reopen", case, proposal=proposal)
    # Whoever opens another one at this moment waits, or is seen.
    Customer.objects.select_for_update(of=("self",)).get(pk=case.customer_id)
    return perform(case.reopen, by=by, reason=reason, details=_decision(case, proposal, maker))  # type: ignore[no-any-return]


@transaction.atomic
def withdraw(case: Verification, *, by: Acts, reason: str = "player_asked") -> Verification:
    """The player wants no verification. What the missing answer would have stopped stops now."""
    case = perform(_locked(case).withdraw, by=by, reason=reason, details=_decision(case), at=timezone.now())
    holds.hold(case, case.outcome, by=by, reason=reason)
    return _ended(case, "withdrawn", by=by)


@transaction.atomic
def lapse(case: Verification) -> Verification:
    """The player did not answer in time: the case ends and play stops, in one act."""
    case = perform(_locked(case).lapse, by=system(), reason="no_answer", details=_decision(case), at=timezone.now())
    holds.hold(case, case.outcome, by=system(), reason="no_answer")
    return _ended(case, "lapsed", by=system())


def lapse_overdue() -> int:
    """Every case that waits longer than its player was given. How many lapsed."""
    late = Verification.objects.filter(state="waiting", verification_facts__answer_due_at__lte=Now())
    lapsed = 0
    for case in late.order_by("verification_facts__answer_due_at"):
        with suppress(ConditionsNotMet, WrongState):  # the answer came, or somebody decided, a moment ago
            lapse(case)
            lapsed += 1
    return lapsed


@transaction.atomic
def close_to_protect(
    case: Verification, *, by: Acts, reason: str, move: str, proposal: str | None = None, maker: str | None = None
) -> Verification:
    """Under age, deceased or impersonated: close it. The account was stopped when the first person proposed it."""
    require_second_person(f"{KIND}.{move}", case, proposal=proposal)
    details = _decision(case, proposal, maker)
    moves = {
        "close_underage": case.close_underage,
        "close_deceased": case.close_deceased,
        "close_impersonated": case.close_impersonated,
    }
    case = perform(moves[move], by=by, reason=reason, details=details, at=timezone.now())
    holds.hold(case, case.outcome, by=by, reason=reason)
    learn(case.customer, case.outcome, source=KIND, known_on=_today(case), by=by, matter=case.number)
    return _ended(case, endings.LETTERS[case.outcome], by=by)


def _ended(case: Verification, letter: str | None, *, by: Acts) -> Verification:
    """The player reads how it ended, and what was proposed meanwhile is void."""
    if letter:
        text = texts.message(letter, case.account.language, number=case.number)
        engine.write_message(case, letter, by=by, text=text)
    void_overtaken(case)
    return case


@transaction.atomic
def lift(
    case: Verification, *, by: Acts, reason: str, proposal: str | None = None, maker: str | None = None
) -> Verification:
    """The account may go on: what a protective ending, or the word of one person, had stopped is allowed again."""
    require_second_person(LIFT, case, proposal=proposal)
    if unmet := case.unmet("lift"):
        raise ConditionsNotMet(unmet)
    holds.lift(case, holds.CLOSED, by=by, reason=reason, proposal=proposal, maker=maker)
    return case


def submit(case: Verification, act: str, *, by: User, reason: str, note: str, seen: str) -> Proposal | Verification:
    """Decide, or propose the decision where policy asks for two persons.

    `seen` is the digest (hex) of the evidence on the page that the person decided from: what came since was not seen.
    What stops the account to protect somebody is done first and stays, whatever becomes of the rest.
    """
    if act in endings.PROTECTIVE:
        _stop_at_once(case, act, by=by, reason=reason)
    return _submit(case, act, by=by, reason=reason, note=note, seen=seen)


@transaction.atomic
def _stop_at_once(case: Verification, act: str, *, by: User, reason: str) -> None:
    """One person is enough; whether the second agrees to close is seen later."""
    engine.require(WORK, case, by=by, action=f"{KIND}.{act}")
    holds.hold(_locked(case), endings.PROTECTIVE[act], by=by, reason=reason)


@transaction.atomic
def _submit(case: Verification, act: str, *, by: User, reason: str, note: str, seen: str) -> Proposal | Verification:
    case = _locked(case)
    if rules.evidence_digest(case).hex() != seen:
        raise WrongState(str(_("The evidence changed while you were deciding. Look at the case again.")))
    if needs_two(case, f"{KIND}.{act}").two:
        return propose(f"{KIND}.{act}", case, by=by, reason=reason, note=note)
    return ALONE[act](case, by=by, reason=reason)


def _locked(case: Verification) -> Verification:
    rows = Verification.objects.select_for_update(of=("self",)).select_related("customer", "account", "licensee")
    return rows.get(pk=case.pk)  # type: ignore[no-any-return]


def _today(case: Verification) -> date:
    return engine.day_of(case.licensee, timezone.now())


def _decision(case: Verification, proposal: str | None = None, maker: str | None = None) -> dict[str, Any]:
    facts = {
        "policy": case.policy_version,
        "evidence": rules.evidence_digest(case).hex(),
        "proposal": proposal,
        "maker": maker,
    }
    return {name: value for name, value in facts.items() if value is not None}


def needs_two(case: Verification, act: str) -> Any:
    """Whether the act needs a second person, and why, by the pinned policy.

    An approval that also lifts what a lapse had stopped needs what lifting needs.
    """
    policy = policy_at(case.policy_version)
    if act == LIFT or (act == f"{KIND}.approve" and holds.of(case, holds.NEEDED).exists()):
        return policy.need_two("people.lift_restriction")
    return policy.need_two(act, level=case.level, risk=case.customer.risk)


# What one person may decide where policy asks for no second one.
ALONE: dict[str, Callable[..., Verification]] = {
    "approve": approve,
    "reject": reject,
    "reopen": reopen,
    "withdraw": withdraw,
    "lift": lift,
    **{move: partial(close_to_protect, move=move) for move in endings.PROTECTIVE},
}
