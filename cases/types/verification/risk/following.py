"""What follows a change of risk: the sum is made anew and, where the law asks for it, the player is looked at again."""

from datetime import timedelta
from typing import Any

from django.db.models import OuterRef, Subquery
from django.utils import timezone

from audit.actors import Acts, system
from cases.types.verification import reviews, simplified
from cases.types.verification.enhancing import catch_up
from cases.types.verification.models import Because, Outcome, Verification
from cases.types.verification.risk import rating, services
from cases.types.verification.risk.calling import is_owed, triggers
from cases.types.verification.risk.models import Profile
from cases.types.verification.risk.services import RUN_FOR
from compliance.outbox.kinds import register
from compliance.outbox.models import OutboxRow
from compliance.outbox.services import post
from compliance.people import correcting
from compliance.people.models import Customer, RiskFact
from compliance.people.risk import LEARNED, MAIN
from compliance.policy.schema import RISKS
from compliance.rulebook.queries import policy_of

RECKONED = "risk"


def learned(row: OutboxRow) -> None:
    """A fact outside the compartment came or ended. Twice does nothing: the sum says what it said."""
    customer = Customer.objects.select_related("licensee").filter(pk=row.payload["customer_id"], erased_at=None).first()
    fact = RiskFact.objects.filter(pk=row.payload["fact_id"], log=MAIN).first()
    if customer is None or fact is None:
        return
    counts = set(rating.counted_as(fact.code, on=customer.licensee.today()))
    looked_at = asks_for_a_look(customer)
    if not counts and not looked_at:  # a country that no list names says nothing of risk
        return
    before = customer.risk
    after = services.assess(customer, by=system(), because="new_fact").level
    raised = RISKS.index(after) > RISKS.index(before)
    if fact.ended_at is not None:
        return
    if Verification.objects.open().filter(customer=customer).exists():
        post(services.RECKONED, payload={"customer_id": customer.pk})
    if raised or counts & triggers(customer) or looked_at:
        reviews.review(customer, because=Because.NEW_FACT, crossed_at=fact.recorded_at)


def corrected(customer: Customer, fields: frozenset[str], by: Acts) -> str:
    """Lists of countries name the nationality: another one makes another sum, and a higher level a new look."""
    if "nationality" not in fields:
        return ""
    before = customer.risk
    after = services.assess(customer, by=by, because="corrected").level
    if RISKS.index(after) > RISKS.index(before):
        reviews.review(customer, because=Because.NEW_FACT, crossed_at=timezone.now())
    return RECKONED if after != before else ""


def asks_for_a_look(customer: Customer) -> bool:
    """Whether the policy has every new fact looked at, also one that raises nothing (`on_new_fact`)."""
    review = policy_of(customer.licensee, on=customer.licensee.today()).review
    rule: Any = review.on_new_fact if review.known("on_new_fact") else None
    return rule is not None and rule.value == "at_once"


def reckoned(row: OutboxRow) -> None:
    """Something was learned, or the sum was made anew, while a verification is open: it asks for what the policy wants
    of such a player. In a transaction of its own, which takes the case first, as an approval does.
    """
    for case in Verification.objects.open().filter(customer_id=row.payload["customer_id"]):
        catch_up(case, by=system())


def enhance_all(*, run_for: timedelta = RUN_FOR) -> int:
    """What runs and does not ask yet for what is called for by now: a list, the policy or its triggers changed, or a
    fact came while the case was closed. How many ask for more now.
    """
    rows = Verification.objects.open().filter(verification_facts__enhanced=False).select_related("verification_facts")

    def more(case: Verification) -> bool:
        return bool(is_owed(case) or simplified.stands_against_approval(case)) and catch_up(case, by=system())

    return services.walk(rows, more, run_for=run_for)


def begin_cycles(*, run_for: timedelta = RUN_FOR) -> int:
    """Players who were verified before risk was reckoned: their cycle runs from their last approval. How many."""
    approved = Verification.objects.filter(customer=OuterRef("pk"), outcome=Outcome.APPROVED, closed_at__isnull=False)
    newest = Subquery(approved.order_by("-closed_at").values("closed_at")[:1])
    rows = Customer.objects.filter(risk_profile=None, erased_at=None).annotate(approved_at=newest)

    def begin(customer: Any) -> bool:
        services.assess(customer, by=system(), because="verified", looked_on=timezone.localdate(customer.approved_at))
        return True

    return services.walk(rows.exclude(approved_at=None), begin, run_for=run_for)


def open_due_reviews(*, run_for: timedelta = RUN_FOR) -> int:
    """Players whose review is due, oldest first. How many were opened.

    Only where the newest verification was an approval: what was refused, lapsed or is being looked at is not periodic.
    """
    newest = Verification.objects.filter(customer=OuterRef("customer")).order_by("-opened_at", "-pk")
    due = Profile.objects.filter(review_on__lte=timezone.now().date(), customer__erased_at=None)
    due = due.alias(newest=Subquery(newest.values("outcome")[:1])).filter(newest=Outcome.APPROVED)

    def open_one(profile: Profile) -> bool:
        return reviews.review(profile.customer, because=Because.PERIODIC) is not None

    return services.walk(due.select_related("customer"), open_one, run_for=run_for, by="review_on")


register(LEARNED, learned)
register(services.RECKONED, reckoned)
correcting.also(corrected)
