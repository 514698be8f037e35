"""The acts of a verification. Each wraps `perform` and the rows that follow in one transaction."""

from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from audit.actors import Acts, system
from audit.perform import ConditionsNotMet, WrongState, perform
from audit.record import record
from cases import services as engine
from cases import texts
from cases.models import Evidence
from cases.permissions import WORK
from cases.types.verification import rules
from cases.types.verification.models import KIND, Verification, VerificationFacts
from compliance.people.models import Account, Customer, User
from compliance.people.services import reach_level
from compliance.policy import policy_at, policy_for
from compliance.proposals.models import Proposal
from compliance.proposals.queries import require_second_person
from compliance.proposals.services import propose


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
    text = rules.letter(case)
    case = perform(case.ask, by=by, version=version)
    engine.write_message(case, "request", by=by, text=text, tells_of=returned)
    return case


def arrived(case: Verification, evidence: Evidence, *, by: Acts) -> None:
    """A file came in: when it was the last thing we waited for, the case goes back to its reviewer."""
    if case.state == Verification.State.WAITING and not case.evidence.filter(state="returned").exists():
        perform(case.resume, by=system())


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
    return perform(case.withdraw, by=by, reason=reason, at=timezone.now())  # type: ignore[no-any-return]


@transaction.atomic
def submit(case: Verification, act: str, *, by: User, reason: str, note: str, seen: str) -> Proposal | Verification:
    """Decide, or propose the decision where policy asks for two persons.

    `seen` is the digest (hex) of the evidence on the page that the person decided from: what came since was not seen.
    """
    case = _locked(case)
    if rules.evidence_digest(case).hex() != seen:
        raise WrongState(str(_("The evidence changed while you were deciding. Look at the case again.")))
    if needs_two(case, f"verification.{act}").two:
        return propose(f"verification.{act}", case, by=by, reason=reason, note=note)
    return {"approve": approve, "reject": reject, "reopen": reopen}[act](case, by=by, reason=reason)


def _locked(case: Verification) -> Verification:
    rows = Verification.objects.select_for_update(of=("self",)).select_related("customer", "account", "licensee")
    return rows.get(pk=case.pk)  # type: ignore[no-any-return]


def _decision(case: Verification, proposal: str | None, maker: str | None) -> dict[str, Any]:
    facts = {
        "policy": case.policy_version,
        "evidence": rules.evidence_digest(case).hex(),
        "proposal": proposal,
        "maker": maker,
    }
    return {name: value for name, value in facts.items() if value is not None}


def needs_two(case: Verification, act: str) -> Any:
    """Whether the act needs a second person, and why, by the pinned policy."""
    return policy_at(case.policy_version).need_two(act, level=case.level, risk=case.customer.risk)
