"""The acts of a verification. Each wraps `perform` and the rows that follow in one transaction."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from audit.actors import Acts, system
from audit.perform import ConditionsNotMet, WrongState, perform
from audit.record import record
from cases import services as engine
from cases import texts
from cases.clocks import services as clocks
from cases.happenings import tell
from cases.mail.writing import own_line
from cases.models import Evidence
from cases.permissions import WORK, may
from cases.types.verification import (
    ages,
    endings,
    funds,
    history,
    holds,
    objecting,
    playing,
    requirements,
    rules,
    simplified,
    telling,
)
from cases.types.verification.checks import rules as electronic
from cases.types.verification.checks.confirming import confirm_by_hand
from cases.types.verification.enhancing import catch_up
from cases.types.verification.locking import locked as locked
from cases.types.verification.models import KIND, Because, Verification, VerificationFacts
from cases.types.verification.risk import calling
from cases.types.verification.risk.services import assess
from compliance.people.exclusions.terms import after
from compliance.people.models import Account, Customer, User
from compliance.people.risk import learn
from compliance.people.sameness.services import look_later
from compliance.people.services import reach_level
from compliance.policy import Policy
from compliance.proposals.models import Proposal
from compliance.proposals.queries import require_second_person
from compliance.proposals.services import propose, void_overtaken
from compliance.rulebook.queries import policy_at, policy_of

LIFT = holds.LIFT
# Reasons of a refusal that other decisions on the same player should know of.
RISKY = ("document_altered", "person_differs", "second_account")
LONGEST_ADDITION = 200  # characters of staff's own in a request: a line, not a second letter
JUST_NOW = timedelta(days=1)  # a withdrawal that a platform reports later than this asks too late (operator default)


@transaction.atomic
def open(  # noqa: A001 - the verb of the trade
    account: Account,
    *,
    level: str,
    by: Acts,
    because: str = Because.APPLICATION,
    crossed_at: datetime | None = None,
    knowable_at: datetime | None = None,
) -> Verification:
    """Open a verification to a level of the licensee's policy. A player who applied is told its number.

    `crossed_at` is when the duty arose, `knowable_at` when it could first have been asked for: since the account is
    there, unless an amount made it due. Raises WithdrawalTrap where a withdrawal asks too late.
    """
    now = timezone.now()
    policy = policy_of(account.licensee, on=account.licensee.day_of(now))
    if level not in policy.verification.levels:
        known = ", ".join(policy.verification.levels)
        raise ConditionsNotMet([str(_("level: {level} is unknown. Known: {known}.")).format(level=level, known=known)])
    level = simplified.at_least(policy, account.customer, level, on=account.licensee.day_of(now))
    crossed_at, knowable_at = _days(account, because, crossed_at, knowable_at, now=now)
    # What stands between a player and play was due with the account, whatever is said of it later.
    since = min(knowable_at, account.created_at) if playing.is_part_of_it(policy, level) else knowable_at
    # The moment is the caller's word: an old one must not make what was due for long look new.
    asked_at = max(crossed_at, now - JUST_NOW)
    requirements.refuse_trap(policy, because=because, knowable_at=since, asked_at=asked_at)
    # The lock makes two who open at once wait for each other; a unique index stands behind it.
    customer = Customer.objects.select_for_update(of=("self",)).select_related("licensee").get(pk=account.customer_id)
    if rules.another_is_open(account.customer_id):
        raise ConditionsNotMet([str(rules.ONE_OPEN)])
    review_hours: Any = policy.verification.review_hours  # reading an absent rule raises PolicyNotVerified
    due_at = now + timedelta(hours=review_hours.value)
    case: Verification = engine.open_case(KIND, account, by=by, now=now, due_at=due_at)
    enhanced = calling.may_be_asked(policy, customer, because=because, asked_at=asked_at)
    VerificationFacts.objects.create(case=case, level=level, because=because, enhanced=enhanced)
    details: dict[str, Any] = {"level": level, "policy": case.policy_version, "because": because}
    details |= {"enhanced": True} if enhanced else {}
    record("verification.open", by=by, about=case, details=details | {"crossed_at": crossed_at})
    called_for = calling.called_for_since(customer) if enhanced else None
    requirements.make(case, crossed_at=crossed_at, knowable_at=knowable_at, called_for=called_for)
    if because == Because.THRESHOLD:
        start_the_laws_clock(case, policy, crossed_at, by=by)
    look_later(case.customer)
    if ages.is_too_young(case.customer):
        holds.hold(case, "underage", by=system(), reason="declared_age")
    if because == Because.APPLICATION:
        text = texts.message("received", account.language, number=case.number)
        engine.write_message(case, "received", by=system(), text=text)
    telling.tell(case, by=system())
    return case


def start_the_laws_clock(case: Verification, policy: Policy, crossed_at: datetime, *, by: Acts) -> None:
    """Until when due diligence is complete by law, from the day on which the amount was reached; where policy says."""
    within = policy.verification.complete_within if policy.verification.known("complete_within") else None
    if within is not None:
        target = after(crossed_at, within.value, case.licensee) - crossed_at
        clocks.start_statutory(case, rule=within.id, target=target, by=by, at=crossed_at)


def _days(
    account: Account, because: str, crossed_at: datetime | None, knowable_at: datetime | None, *, now: datetime
) -> tuple[datetime, datetime]:
    """When the duty arose and when it could first have been asked for. ConditionsNotMet for a day to come."""
    if because not in Because.values:
        known = ", ".join(Because.values)
        raise ConditionsNotMet(
            [str(_("because: {because} is unknown. Known: {known}.")).format(because=because, known=known)]
        )
    crossed = crossed_at or now
    knowable = knowable_at or (crossed if because == Because.THRESHOLD else account.created_at)
    if crossed > now or knowable > now:
        raise ConditionsNotMet([str(_("crossed_at, knowable_at: this moment lies in the future."))])
    return crossed, knowable


def open_by_routine(account: Account) -> Verification:
    """For a player drawn by chance: everything that the policy's highest level asks for."""
    policy = policy_of(account.licensee, on=account.licensee.today())
    return open(account, level=list(policy.verification.levels)[-1], by=system())


def take_over(account: Account, given: Mapping[str, str], opened_on: date, *, by: Acts) -> Verification:
    """One that a former system had begun: to the level of the file, else the first. The player is told nothing new."""
    levels = policy_of(account.licensee, on=account.licensee.today()).verification.levels
    since = account.licensee.day_starts(opened_on)
    level = given["level"] or next(iter(levels))
    return open(account, level=level, by=by, because=Because.FORMER, crossed_at=since, knowable_at=since)


def review(case: Verification, *, by: Acts, version: int | None = None) -> Verification:
    return perform(case.review, by=by, version=version)  # type: ignore[no-any-return]


@transaction.atomic
def ask(
    case: Verification, *, by: Acts, version: int | None = None, missing: Sequence[str] = (), line: str = ""
) -> Verification:
    """Send everything that is asked again in one message, and wait for the player.

    `missing` are purposes that no file was brought for, asked for in the same message; `line` is added in staff's own
    words.
    """
    engine.require(WORK, case, by=by, action="verification.ask")
    case = locked(case)  # a verdict that is taken back at this moment is in the letter and told, or neither
    returned, lacking = rules.asked_again(case), requirements.chosen(case, missing)
    if not returned and not lacking:
        raise ConditionsNotMet([str(_("Nothing is asked for yet. Judge a file with “Ask again” first."))])
    now = timezone.now()
    due = rules.answer_due(case, now)
    text = rules.letter(case, due=due, lacking=lacking, line=own_line(line, longest=LONGEST_ADDITION))
    case = perform(case.ask, by=by, version=version, details={"answer_due_at": due})
    VerificationFacts.objects.filter(case=case).update(asked_at=now, answer_due_at=due)
    asked = [evidence.purpose for evidence in returned] + [rule.purpose for rule in lacking]
    requirements.ask(case, asked, at=now, due=due)
    engine.write_message(case, "request", by=by, text=text, tells_of=returned)
    tell(case, "asked", by=by)
    return case


def ruled(case: Any, evidence: Evidence, *, by: Acts) -> None:
    """A verdict was given or taken back: keep it in the file's history, and let it drive the case.

    After the last verdict a file refused for good parks the refusal: who judged proposes, somebody else decides.
    """
    history.note_verdict(evidence, by=by)
    requirements.judged(case, evidence.purpose, evidence.state, at=timezone.now())
    case = Verification.objects.select_related("customer", "account", "licensee").get(pk=case.pk)
    if isinstance(by, User) and case.state == Verification.State.IN_REVIEW and rules.standing(case) == "refuse":
        _park_refusal(case, by=by)


def _park_refusal(case: Verification, *, by: User) -> None:
    act = f"{KIND}.reject"
    if not needs_two(case, act).two or Proposal.objects.parked().filter(act=act, subject_id=case.pk).exists():
        return
    evidence = next(check.evidence for check in rules.refused_for_good(case) if check.evidence)
    propose(act, case, by=by, reason=evidence.reasons[0])


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
    details = decision(case, proposal, maker)
    case = perform(case.approve, by=by, reason=reason, details=details, at=timezone.now())
    reach_level(case.customer, case.level, by=by)
    assess(case.customer, by=by, because="verified", reviewed=True)
    holds.lift(case, holds.NEEDED, by=by, reason="verified", proposal=proposal, maker=maker)
    playing.let(case, by=by)
    telling.let(case, by=by)
    engine.write_message(
        case, "approved", by=by, text=texts.message("approved", case.account.language, number=case.number)
    )
    engine.leave_word_of_end(case, by=by)
    return case


@transaction.atomic
def reject(
    case: Verification, *, by: Acts, reason: str, proposal: str | None = None, maker: str | None = None
) -> Verification:
    """The application ends. The player reads one neutral text for all causes; the code stays inside."""
    require_second_person("verification.reject", case, proposal=proposal)
    details = decision(case, proposal, maker)
    case = perform(case.reject, by=by, reason=reason, details=details, at=timezone.now())
    if reason in RISKY:
        learn(case.customer, reason, source=KIND, known_on=_today(case), by=by, matter=case.number)
    engine.write_message(case, "rejected", by=by, text=objecting.last_word(case, "rejected"))
    engine.leave_word_of_end(case, by=by)
    return case


@transaction.atomic
def reopen(
    case: Verification, *, by: Acts, reason: str, proposal: str | None = None, maker: str | None = None
) -> Verification:
    require_second_person("verification.reopen", case, proposal=proposal)
    if proposal is None and (unmet := objecting.too_late(case, "reopen", reason)):
        raise ConditionsNotMet(unmet)
    # Whoever opens another one at this moment waits, or is seen.
    Customer.objects.select_for_update(of=("self",)).get(pk=case.customer_id)
    case = perform(case.reopen, by=by, reason=reason, details=decision(case, proposal, maker))
    funds.close_decision(case, by=by)
    if catch_up(case, by=system()):  # what became known while it was closed is asked for now
        case = locked(case)
    tell(case, "reopened", by=by)
    return case


@transaction.atomic
def withdraw(case: Verification, *, by: Acts, reason: str = "player_asked") -> Verification:
    """The player wants no verification. What the missing answer would have stopped stops now."""
    case = perform(locked(case).withdraw, by=by, reason=reason, details=decision(case), at=timezone.now())
    holds.hold(case, case.outcome, by=by, reason=reason)
    if reason == funds.ACCOUNT_CLOSED:
        funds.open_decision(case, by=by)
    return ended(case, "withdrawn", by=by)


@transaction.atomic
def close_to_protect(
    case: Verification, *, by: Acts, reason: str, move: str, proposal: str | None = None, maker: str | None = None
) -> Verification:
    """Under age, deceased or impersonated: close it. The account was stopped when the first person proposed it."""
    require_second_person(f"{KIND}.{move}", case, proposal=proposal)
    details = decision(case, proposal, maker)
    moves = {
        "close_underage": case.close_underage,
        "close_deceased": case.close_deceased,
        "close_impersonated": case.close_impersonated,
    }
    case = perform(moves[move], by=by, reason=reason, details=details, at=timezone.now())
    holds.hold(case, case.outcome, by=by, reason=reason)
    funds.open_decision(case, by=by)
    learn(case.customer, case.outcome, source=KIND, known_on=_today(case), by=by, matter=case.number)
    return ended(case, endings.LETTERS[case.outcome], by=by)


def ended(case: Verification, letter: str | None, *, by: Acts) -> Verification:
    """The player reads how it ended and until when they may object, and what was proposed meanwhile is void."""
    if letter:
        engine.write_message(case, letter, by=by, text=objecting.last_word(case, letter))
    engine.leave_word_of_end(case, by=by)
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


@transaction.atomic
def confirm_checks(
    case: Verification, *, by: Acts, reason: str, proposal: str | None = None, maker: str | None = None
) -> Verification:
    """What the law asks for before any service and nobody is set up to answer: two persons saw it themselves."""
    require_second_person(f"{KIND}.confirm_checks", case, proposal=proposal)
    case = locked(case)
    if unmet := case.unmet("confirm_checks"):
        raise ConditionsNotMet(unmet)
    kinds = electronic.by_hand(case)
    details = decision(case, proposal, maker) | {"kinds": kinds}
    record("verification.confirm_checks", by=by, about=case, reason=reason, details=details)
    confirm_by_hand(case, kinds, by=by)
    return case


def submit(case: Verification, act: str, *, by: User, reason: str, note: str, seen: str) -> Proposal | Verification:
    """Decide, or propose the decision where policy asks for two persons.

    `seen` is the digest (hex) of the evidence on the page that the person decided from: what came since was not seen.
    What stops the account to protect somebody is done first and stays, whatever becomes of the rest.
    """
    if act in endings.PROTECTIVE:
        _stop_at_once(case, act, by=by, reason=reason)
    if act == "approve" and may(by, WORK, case):  # kept though the decision is refused then, as more is asked for
        catch_up(case, by=system())
    return _submit(case, act, by=by, reason=reason, note=note, seen=seen)


@transaction.atomic
def _stop_at_once(case: Verification, act: str, *, by: User, reason: str) -> None:
    """One person is enough; whether the second agrees to close is seen later."""
    engine.require(WORK, case, by=by, action=f"{KIND}.{act}")
    holds.hold(locked(case), endings.PROTECTIVE[act], by=by, reason=reason)


@transaction.atomic
def _submit(case: Verification, act: str, *, by: User, reason: str, note: str, seen: str) -> Proposal | Verification:
    case = locked(case)
    if rules.evidence_digest(case).hex() != seen:
        raise WrongState(str(_("The evidence changed while you were deciding. Look at the case again.")))
    if unmet := objecting.too_late(case, act, reason):
        raise ConditionsNotMet(unmet)
    if needs_two(case, f"{KIND}.{act}").two:
        return propose(f"{KIND}.{act}", case, by=by, reason=reason, note=note)
    return ALONE[act](case, by=by, reason=reason)


def _today(case: Verification) -> date:
    return case.licensee.today()


def decision(case: Verification, proposal: str | None = None, maker: str | None = None) -> dict[str, Any]:
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
    "confirm_checks": confirm_checks,
    **{move: partial(close_to_protect, move=move) for move in endings.PROTECTIVE},
}
