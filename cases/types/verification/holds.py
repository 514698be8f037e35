"""What a verification restricts when it ends without an answer, or in a way that protects somebody; and lifting it.

What stops at which ending is policy (`verification.stops`). The rows are written in the transaction of the act. Only
rows that a verification set are read here: what others set is not its business.
"""

from typing import TYPE_CHECKING, Any

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from audit.actors import Acts
from cases.protection import too_early
from compliance.people import restrictions
from compliance.people.models import Customer, Person, Restriction
from compliance.people.services import restrict
from compliance.proposals.models import Proposal
from compliance.rulebook.queries import policy_at

if TYPE_CHECKING:
    from cases.types.verification.models import Verification

SOURCE = "verification"
LIFT = f"{SOURCE}.lift"
# Public codes. A verification that is approved lifts the first; the second is lifted by an act of its own.
NEEDED, CLOSED = "verification_needed", "account_closed"
CODES = {"lapsed": NEEDED, "withdrawn": NEEDED, "underage": CLOSED, "deceased": CLOSED, "impersonated": CLOSED}
# Who is under age or dead is so at every licensee of the group; a stolen identity is a matter of this customer.
OF_THE_PERSON = ("underage", "deceased")


def hold(case: "Verification", outcome: str, *, by: Acts, reason: str) -> Restriction | None:
    """Stop at once what the pinned policy names for this ending; nothing where all of it is stopped already."""
    rule = policy_at(case.policy_version).verification.stops[outcome]
    reached = _reached(case, outcome)
    rows = [row for row in of(case, CODES[outcome]) if row.person_id or not isinstance(reached, Person)]
    standing = {effect for row in rows for effect in restrictions.effects_of(row)}
    lifting = Proposal.objects.parked().filter(act=LIFT, subject_id=case.pk).exists()
    # While a lift waits, what is stopped again gets a row of its own: its day begins anew.
    if set(rule.value) <= standing and not lifting:
        return None
    return restrict(
        reached,
        stops=rule.value,
        cover_code=CODES[outcome],
        source=SOURCE,
        by=by,
        reason=reason,
        matter=case.number,
    )


def _reached(case: "Verification", outcome: str) -> Any:
    customer = case.customer
    return Person.objects.get(pk=customer.person_id) if outcome in OF_THE_PERSON else customer


def of(case: "Verification", code: str) -> "QuerySet[Restriction]":
    """Rows with this public code that verifications of this player set and that are in force."""
    return _rows(case.customer, code)


def closed_for(customer: Customer) -> "QuerySet[Restriction]":
    """Rows of a protective ending, or of one that somebody proposed."""
    return _rows(customer, CLOSED)


def _rows(customer: Customer, code: str) -> "QuerySet[Restriction]":
    return restrictions.in_force(customer).filter(source=SOURCE, cover_code=code)


def lift(case: "Verification", code: str, *, by: Acts, reason: str, **about: str | None) -> None:
    """End them. Whether two persons agreed was asked by the act that calls this."""
    facts = {name: value for name, value in about.items() if value is not None}
    for row in of(case, code):
        restrictions.lift(row, by=by, reason=reason, matter=case.number, **facts)


def unliftable(case: "Verification") -> list[str]:
    """Why what a protective ending stopped cannot be lifted now, in words."""
    rows = list(of(case, CLOSED))
    if not rows:
        return [str(_("Nothing is stopped by this verification."))]
    return [early for row in rows if (early := too_early(row, now=timezone.now()))]


def stands_against_approval(case: "Verification") -> list[str]:
    if of(case, CLOSED).exists():
        return [str(_("The account is stopped to protect somebody. Propose to lift that first."))]
    return []
