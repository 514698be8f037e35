"""How a customer's records stand: may they be erased, and if not, what keeps them."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from compliance.people.models import Customer, Licensee
from compliance.policy import PolicyMissing, PolicyNotVerified
from compliance.policy.records import Period, Rule
from compliance.rulebook.queries import policy_of
from documents.keeping import reach
from documents.keeping.models import Erasure, LegalHold, RelationshipEnd


class Outcome(StrEnum):
    """In the order in which they win."""

    HELD = "held"
    OPEN_MATTER = "open_matter"
    RELATIONSHIP = "relationship"
    NOT_VERIFIED = "not_verified"
    KEPT = "kept"
    DUE = "due"


WORDS: dict[Outcome, Promise] = {
    Outcome.HELD: gettext_lazy("A legal hold stands. Nothing is erased before it is lifted."),
    Outcome.OPEN_MATTER: gettext_lazy("A case of this player is still open. Finish it first."),
    Outcome.RELATIONSHIP: gettext_lazy("Nobody noted that the business relationship ended, so no period has begun."),
    Outcome.NOT_VERIFIED: gettext_lazy(
        "The policy does not say how long these records are kept. Have counsel confirm it."
    ),
    Outcome.KEPT: gettext_lazy("The law keeps these records until %(day)s."),
    Outcome.DUE: gettext_lazy("No rule keeps these records any longer."),
}


@dataclass(frozen=True, slots=True)
class Standing:
    """`kept_until` is the first day on which the records may go, by `rule` of `policy`; None while no period runs."""

    customer: str
    licensee: str
    outcome: Outcome
    ended_on: date | None
    last_on: date
    kept_until: date | None
    rule: str
    policy: str

    @property
    def is_due(self) -> bool:
        return self.outcome is Outcome.DUE

    @property
    def words(self) -> str:
        return str(WORDS[self.outcome]) % {"day": self.kept_until}

    def as_dict(self) -> dict[str, Any]:
        return {
            "customer": self.customer,
            "licensee": self.licensee,
            "outcome": str(self.outcome),
            "ended_on": _iso(self.ended_on),
            "last_record_on": _iso(self.last_on),
            "kept_until": _iso(self.kept_until),
            "rule": self.rule,
            "policy": self.policy,
        }


def standing_of(customer: Customer, *, today: date | None = None) -> Standing:
    """`today` is the licensee's day. The longest of the periods counts, from the later of the two days: the end of the
    relationship and the last record."""
    licensee = customer.licensee
    today = today or licensee.today()
    end = RelationshipEnd.objects.filter(customer=customer).first()
    last = reach.last_day(customer)
    ended = end.ended_on if end else None
    version, rule = longest(licensee, today)
    until = rule.value.after(max(ended, last)) if rule and ended else None
    return Standing(
        customer=str(customer.pk),
        licensee=licensee.slug,
        outcome=_outcome(customer, ended=ended, until=until, today=today, verified=rule is not None),
        ended_on=ended,
        last_on=last,
        kept_until=until,
        rule=rule.id if rule else "",
        policy=version,
    )


def _outcome(customer: Customer, *, ended: date | None, until: date | None, today: date, verified: bool) -> Outcome:
    if LegalHold.objects.filter(customer=customer, lifted_at=None).exists():
        return Outcome.HELD
    if reach.open_matters(customer):
        return Outcome.OPEN_MATTER
    if not verified:
        return Outcome.NOT_VERIFIED
    if ended is None or until is None:
        return Outcome.RELATIONSHIP
    return Outcome.KEPT if today < until else Outcome.DUE


def longest(licensee: Licensee, today: date) -> tuple[str, Rule[Period] | None]:
    """The policy of the day, and of its periods for what hangs on a customer's key the longest; None when the one for
    identification papers was verified by nobody."""
    try:
        policy = policy_of(licensee, on=today)
        rules = [policy.retention.identity_documents]
    except (PolicyMissing, PolicyNotVerified):
        return "", None
    others = [name for name in ("transactions", "books") if policy.retention.known(name)]
    rules += [getattr(policy.retention, name) for name in others]
    return policy.version, max((rule for rule in rules if rule), key=lambda rule: rule.value.after(today))


def may_be_shredded(standing: Standing) -> list[str]:
    """What speaks against it, in words; nothing when it is due."""
    return [] if standing.is_due else [standing.words]


def is_erased(customer: Customer) -> bool:
    return Erasure.objects.filter(customer=customer).exists()


def erased_words() -> str:
    return str(_("This player's data was erased already."))


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None
