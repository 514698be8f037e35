"""What the log seals about a player after their erasure: that somebody looked, from which address.

Nothing else is kept about an erased player (compliance.keys refuses it). These few words have a key of their own, which
ends when the log of erasures need not be kept any longer: `retention.erasure_log`, and `retention.log` where it is
longer, from the day the key was made. A legal hold wins here too.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db import transaction

from audit.actors import system
from audit.perform import ConditionsNotMet
from compliance.keys.models import SubjectKey
from compliance.keys.services import made_afterwards, shred_subject
from compliance.people.models import Customer, Licensee
from compliance.policy import PolicyMissing, PolicyNotVerified
from compliance.rulebook.queries import policy_of
from documents.keeping.models import LegalHold
from documents.keeping.standing import WORDS, Outcome

REASON = "log_period_over"


@dataclass(frozen=True, slots=True)
class Remnant:
    """`kept_until` is the first day on which the key may go, by `rule` of `policy`; None where nobody verified it."""

    customer: str
    licensee: str
    outcome: Outcome
    made_on: date
    kept_until: date | None
    rule: str
    policy: str

    @property
    def is_due(self) -> bool:
        return self.outcome is Outcome.DUE

    def as_dict(self) -> dict[str, Any]:
        return {
            "customer": self.customer,
            "licensee": self.licensee,
            "outcome": str(self.outcome),
            "made_on": self.made_on.isoformat(),
            "kept_until": self.kept_until.isoformat() if self.kept_until else None,
            "rule": self.rule,
            "policy": self.policy,
        }


def remnants() -> Iterator[Remnant]:
    """Of every erased player about whom the log sealed something since; oldest first."""
    keys = list(made_afterwards())
    known = Customer.objects.select_related("licensee").in_bulk([key.subject_id for key in keys])
    by_id = {str(pk): customer for pk, customer in known.items()}
    return (remnant_of(by_id[key.subject_id], key) for key in keys if key.subject_id in by_id)


def remnant_of(customer: Customer, key: SubjectKey) -> Remnant:
    licensee = customer.licensee
    today, made_on = licensee.today(), licensee.day_of(key.created_at)
    version, until, rule = _period(licensee, today, made_on)
    if LegalHold.objects.filter(customer=customer, lifted_at=None).exists():
        outcome = Outcome.HELD
    elif until is None:
        outcome = Outcome.NOT_VERIFIED
    else:
        outcome = Outcome.KEPT if today < until else Outcome.DUE
    return Remnant(str(customer.pk), licensee.slug, outcome, made_on, until, rule, version)


def _period(licensee: Licensee, today: date, made_on: date) -> tuple[str, date | None, str]:
    try:
        policy = policy_of(licensee, on=today)
        rules = [policy.retention.erasure_log]
    except (PolicyMissing, PolicyNotVerified):
        return "", None, ""
    if policy.retention.known("log"):
        rules.append(policy.retention.log)
    rule = max((rule for rule in rules if rule), key=lambda rule: rule.value.after(made_on))
    return policy.version, rule.value.after(made_on), rule.id


@transaction.atomic
def destroy(customer: Customer) -> None:
    """Destroy the key that was made afterwards. By the system, in a retention run. Raises ConditionsNotMet."""
    fresh = Customer.objects.select_for_update(of=("self",)).select_related("licensee").get(pk=customer.pk)
    key = made_afterwards().filter(subject_id=str(fresh.pk)).last()
    if key is None:
        return
    remnant = remnant_of(fresh, key)
    if not remnant.is_due or remnant.kept_until is None:
        raise ConditionsNotMet([str(WORDS[remnant.outcome]) % {"day": remnant.kept_until}])
    why = {"rule": remnant.rule, "policy": remnant.policy, "kept_until": remnant.kept_until.isoformat()}
    shred_subject(fresh.audit_subject, by=system(), reason=REASON, **why)
