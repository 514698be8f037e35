"""Told before the first deposit which documents may be needed, when and how (GB.KYC.TELL_BEFORE_DEPOSIT).

Life of the row: set with the account, so that nothing is paid in -> lifted in the transaction in which the message is
written: with the player's first verification, or at once where one is open. Who has the level to play is past it, and
the approval that reaches it lifts what still stands.
"""

from typing import Any

from django.db import transaction

from audit.actors import Acts, system
from cases import services as engine
from cases import texts
from cases.models import Case
from cases.types.verification import holds, playing
from compliance.outbox.kinds import register
from compliance.outbox.models import OutboxRow
from compliance.outbox.services import post
from compliance.people import restrictions
from compliance.people.models import Customer, Restriction
from compliance.people.services import restrict
from compliance.policy import Policy
from compliance.policy.schema import EvidenceRule
from compliance.rulebook.queries import policy_at, policy_of

SOURCE, REASON, LETTER = "before_deposit", "not_told_yet", "documents_needed"
TELL = "verification.tell"


@transaction.atomic
def stop_until_told(customer: Customer, *, by: Acts) -> Restriction | None:
    """None where the policy does not ask for it, the player is verified, or was told, or the row stands already."""
    # The lock makes a verification that is opened at this moment wait, or be seen.
    customer = Customer.objects.select_for_update(of=("self",)).select_related("licensee").get(pk=customer.pk)
    licensee = customer.licensee
    policy = policy_of(licensee, on=licensee.today())
    if licensee.is_test or not is_asked(policy) or playing.is_enough(policy, customer.level):
        return None
    if Restriction.objects.filter(customer=customer, source=SOURCE).exists():
        return None
    row = restrict(customer, stops=["deposit"], cover_code=holds.NEEDED, source=SOURCE, by=by, reason=REASON)
    running = Case.objects.open().filter(kind="verification", customer=customer).first()
    if running is not None:
        post(TELL, payload={"case_id": running.pk})  # whoever locks both takes the case first
    return row


def tell_later(row: OutboxRow) -> None:
    """A verification was open already when the row was set. Twice does nothing: the row is lifted. Nobody is left to
    tell where the player was erased meanwhile.
    """
    case = Case.objects.select_for_update(of=("self",)).select_related("customer").get(pk=row.payload["case_id"])
    if case.customer.erased_at is None:
        tell(case, by=system())


def is_asked(policy: Policy) -> bool:
    rule: Any = policy.verification.told_before_deposit if policy.verification.known("told_before_deposit") else None
    return rule is not None and bool(rule.value)


def tell(case: Case, *, by: Acts) -> None:
    """Tell a player who was not told yet, and open deposits, as far as nothing else stands against them."""
    rows = _rows(case)
    if rows:
        engine.write_message(case, LETTER, by=by, text=letter(case))
    _lift(rows, case, by=by, reason="told")


def let(case: Case, *, by: Acts) -> None:
    """An approval: who has the level to play by now needs to be told of nothing, others are told before they pay in."""
    customer = Customer.objects.select_related("licensee").get(pk=case.customer_id)
    if playing.is_enough(policy_of(customer.licensee, on=customer.licensee.today()), customer.level):
        _lift(_rows(case), case, by=by, reason="verified")
    else:
        tell(case, by=by)


def _rows(case: Case) -> list[Restriction]:
    return list(restrictions.in_force(case.customer).filter(source=SOURCE, customer=case.customer_id))


def _lift(rows: list[Restriction], case: Case, *, by: Acts, reason: str) -> None:
    for row in rows:
        restrictions.lift(row, by=by, reason=reason, matter=case.number)


def letter(case: Case) -> texts.Text:
    """Everything that the policy of the case may ask for, at whichever level and of whomever, with what would do."""
    language = case.account.language
    policy = policy_at(case.policy_version)
    levels = policy.verification.levels.values()
    rules: dict[str, EvidenceRule] = {rule.purpose: rule for level in levels for rule in level.required}
    rules = {rule.purpose: rule for rule in policy.enhanced.required} | rules
    items = [
        f"{texts.purpose_title(rule.purpose, language)}: {texts.what_to_bring(rule, language)}"
        for rule in rules.values()
    ]
    return texts.message(LETTER, language, number=case.number, items="\n".join(f"• {item}" for item in items))


register(TELL, tell_later)
