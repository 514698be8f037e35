"""Told before the first deposit which documents may be needed, when and how (GB.KYC.TELL_BEFORE_DEPOSIT).

Life of the row: set with the account, so that nothing is paid in -> lifted in the transaction in which the message is
written, with the player's first verification. Who has the level to play is past it.
"""

from typing import TYPE_CHECKING, Any

from django.db import transaction

from audit.actors import Acts
from cases import services as engine
from cases import texts
from cases.types.verification import holds, playing
from compliance.people import restrictions
from compliance.people.models import Customer, Restriction
from compliance.people.services import restrict
from compliance.policy import Policy
from compliance.policy.schema import EvidenceRule
from compliance.rulebook.queries import policy_at, policy_of

if TYPE_CHECKING:
    from cases.types.verification.models import Verification

SOURCE, REASON, LETTER = "before_deposit", "not_told_yet", "documents_needed"


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
    return restrict(customer, stops=["deposit"], cover_code=holds.NEEDED, source=SOURCE, by=by, reason=REASON)


def is_asked(policy: Policy) -> bool:
    rule: Any = policy.verification.told_before_deposit if policy.verification.known("told_before_deposit") else None
    return rule is not None and bool(rule.value)


def tell(case: "Verification", *, by: Acts) -> None:
    """Tell a player who was not told yet, and open deposits, as far as nothing else stands against them."""
    rows = list(restrictions.in_force(case.customer).filter(source=SOURCE, customer=case.customer_id))
    if rows:
        engine.write_message(case, LETTER, by=by, text=letter(case))
    for row in rows:
        restrictions.lift(row, by=by, reason="told", matter=case.number)


def letter(case: "Verification") -> texts.Text:
    """Everything that the policy of the case may ask for, at whichever level, with the documents that would do."""
    language = case.account.language
    levels = policy_at(case.policy_version).verification.levels.values()
    rules: dict[str, EvidenceRule] = {rule.purpose: rule for level in levels for rule in level.required}
    items = [
        f"{texts.purpose_title(rule.purpose, language)}: {texts.values_for(rule, language)['accepted']}"
        for rule in rules.values()
    ]
    return texts.message(LETTER, language, number=case.number, items="\n".join(f"• {item}" for item in items))
