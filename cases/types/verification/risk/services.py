"""Acts on a customer's risk: reckon it, enter and end facts by hand, override, look inside, review.

Life of an assessment: something becomes known, ends, or a list changes -> the sum is made again -> when it says
something else than before it is kept, with its arithmetic, and the customer's level follows.
"""

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from time import monotonic
from types import MappingProxyType
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import Http404
from django.utils import timezone
from django.utils.translation import gettext as _

from audit.actors import Acts, system
from audit.perform import ConditionsNotMet, Denied
from audit.record import ObjectRef, record
from cases import services as engine
from cases.models import Case
from cases.permissions import DECIDE, WORK
from cases.types.verification.risk import offices, rating
from cases.types.verification.risk.models import Assessment, Override, Profile
from compliance.keys.services import seal
from compliance.outbox.services import post
from compliance.people import risk as facts
from compliance.people.models import Customer, RiskFact, User
from compliance.people.permissions import on_the_aml_side
from compliance.policy.records import Period
from compliance.policy.risk_model import Rating, risk_model
from compliance.policy.schema import RISKS
from compliance.proposals.queries import require_second_person
from compliance.rulebook.queries import policy_of

SOURCE, NOTE, ACT = "risk", "risk.note", "risk.override"
FACT_ENDED = "fact_ended"
OURS = (SOURCE, facts.PLATFORM)  # whose facts an officer may end
RECKONED = "risk.reckoned"  # an open verification may have to ask for more
LONGEST = timedelta(days=366)
BATCH = 500
RUN_FOR = timedelta(minutes=2)  # it is asked for every hour


@transaction.atomic
def assess(
    customer: Customer, *, by: Acts, because: str, reviewed: bool = False, looked_on: date | None = None
) -> Assessment:
    """Reckon the risk now; the assessment that holds. Nothing is written when it says what it said before.

    `reviewed` starts the cycle anew: somebody looked at the customer's data as a whole. The first cycle of a customer
    runs from `looked_on`, where that was before today.
    """
    customer = Customer.objects.select_for_update(of=("self",)).select_related("licensee").get(pk=customer.pk)
    today = customer.licensee.today()
    found, override = rating.rating_of(customer, on=today), current_override(customer)
    level, basis = rating.level_with(found, override), rating.basis_on(today)
    profile = Profile.objects.select_related("assessment").filter(customer=customer).first()
    if profile and not reviewed and _says_the_same(profile.assessment, found, level, basis):
        return profile.assessment
    assessment = Assessment(
        customer=customer,
        assessed_at=timezone.now(),
        because=because,
        by=str(by.audit_actor),
        reckoned=found.level,
        level=level,
        score=found.score,
        basis=basis,
    )
    assessment.parts_sealed = rating.sealed_parts(assessment, found.parts)
    assessment.save(force_insert=True)
    reviewed_on = profile.reviewed_on if profile and not reviewed else looked_on or today
    review_on = _review_on(customer, level, reviewed_on)
    Profile.objects.update_or_create(
        customer=customer, defaults={"assessment": assessment, "reviewed_on": reviewed_on, "review_on": review_on}
    )
    details: dict[str, Any] = {"because": because, "basis": basis, "review_on": review_on, "score": found.score}
    details["parts"] = [part.code for part in found.parts]
    changes = {"risk": (customer.risk, level)} if customer.risk != level else None
    if changes:
        Customer.objects.filter(pk=customer.pk).update(risk=level)
    record("risk.assess", by=by, about=assessment, details=details, changes=changes)
    if Case.objects.open().filter(kind="verification", customer_id=customer.pk).exists():
        post(RECKONED, payload={"customer_id": customer.pk})
    return assessment


def _says_the_same(before: Assessment, found: Rating, level: str, basis: list[str]) -> bool:
    same = (before.level, before.reckoned, before.score, before.basis) == (level, found.level, found.score, basis)
    return same and [p["code"] for p in rating.parts_of(before)] == [p.code for p in found.parts]


def _review_on(customer: Customer, level: str, since: date) -> date:
    """When the customer's data is looked at again: so many months after the last look, by the policy of today."""
    months: Any = policy_of(customer.licensee, on=customer.licensee.today()).review.months[level]
    return Period(amount=months.value, unit="month").after(since) - timedelta(days=1)


def current_override(customer: Customer) -> Override | None:
    """What an officer decided, if its last day is not over in the licensee's zone."""
    running: Override | None = Override.objects.filter(
        customer=customer, ended_at=None, until__gte=customer.licensee.today()
    ).first()
    return running


# ------------------------------------------------------------------------------------------------- facts by hand
@transaction.atomic
def enter(case: Case, code: str, *, by: User, known_on: date, until: date | None = None) -> Assessment:
    """A fact that a person found out: office, product, payment, behaviour, news. ValidationError names the field."""
    engine.require(WORK, case, by=by, action="people.learn_risk")
    today = case.licensee.today()
    if code not in risk_model(today).enterable():
        raise ValidationError({"code": _("Choose one of the facts listed.")})
    if known_on > today:
        raise ValidationError({"known_on": _("This day is in the future.")})
    if until is not None and until < today:
        raise ValidationError({"until": _("This day is over already.")})
    facts.learn(case.customer, code, source=SOURCE, known_on=known_on, until=until, by=by, matter=case.number)
    return assess(case.customer, by=by, because="new_fact")


@transaction.atomic
def enter_country(case: Case, way: str, country: str, *, by: User, known_on: date) -> None:
    """A country that a person found out of: where the player lives, who issued the document, where they sign in or pay
    from. ValidationError names the field. One that no list names is kept, and the sum stays as it is.
    """
    engine.require(WORK, case, by=by, action="people.learn_risk")
    today = case.licensee.today()
    if known_on > today:
        raise ValidationError({"known_on": _("This day is in the future.")})
    fact = facts.learn_country(case.customer, way, country, source=SOURCE, known_on=known_on, by=by, matter=case.number)
    if rating.counted_as(fact.code, on=today):
        assess(case.customer, by=by, because="new_fact")


@transaction.atomic
def end_fact(case: Case, fact_id: Any, *, by: User, reason: str) -> Assessment:
    """A fact does not hold any more. Whoever decides may say so; facts of other sides are theirs to end.

    The level stays where it is: that it falls is decided by two (`override`).
    """
    engine.require(DECIDE, case, by=by, action="people.end_risk")
    fact = facts.holding(case.customer, on=case.licensee.today()).filter(pk=fact_id, source__in=OURS).first()
    if fact is None:
        raise Http404("no such fact")
    customer = Customer.objects.select_for_update(of=("self",)).select_related("licensee").get(pk=case.customer_id)
    facts.end(fact, by=by, reason=reason, matter=case.number)
    _keep_level(customer, by=by)
    return assess(customer, by=by, because="fact_ended")


def _keep_level(customer: Customer, *, by: User) -> None:
    """What one person ended lowers nothing alone: the level of before holds as that person's, for the longest time."""
    today = customer.licensee.today()
    found = rating.rating_of(customer, on=today)
    if RISKS.index(rating.level_with(found, current_override(customer))) >= RISKS.index(customer.risk):
        return
    _set(customer, found, by=by, reason=FACT_ENDED, level=customer.risk, until=today + LONGEST)


# ------------------------------------------------------------------------------------------------------ override
def unmet_override(customer: Customer, level: str, until: date) -> list[str]:
    """Why the level cannot be set, in words."""
    today = customer.licensee.today()
    floor = rating.floor_of(rating.rating_of(customer, on=today))
    unmet = []
    if RISKS.index(level) < RISKS.index(floor):
        unmet.append(_("A fact about this player asks for at least: %(level)s.") % {"level": floor})
    if not today <= until <= today + LONGEST:
        unmet.append(_("Choose a last day within a year from today."))
    return unmet


def day(given: str | date) -> date:
    return date.fromisoformat(given) if isinstance(given, str) else given


def lowers(customer: Customer, level: str, until: str | date | None = None) -> bool:
    """Below what holds or below what the arithmetic says: a lowered level is not extended by one alone either. Nor is a
    level above the arithmetic cut short: the day after, it would be lower.
    """
    reckoned = rating.rating_of(customer, on=customer.licensee.today()).level
    held = current_override(customer)
    if held and until and day(until) < held.until and RISKS.index(reckoned) < RISKS.index(held.level):
        return True
    return RISKS.index(level) < max(RISKS.index(customer.risk), RISKS.index(reckoned))


def _person(by: Acts) -> User:
    """Only a person decides on a level."""
    if not isinstance(by, User):
        raise Denied("person_needed")
    return by


@transaction.atomic
def set_level(case: Case, *, by: User, reason: str, level: str, until: str | date, note: str = "") -> Assessment:
    """The same from a case, by whoever decides in it, where one person is enough."""
    engine.require(DECIDE, case, by=by, action=ACT)
    return override(case.customer, by=by, reason=reason, level=level, until=until, note=note)


@transaction.atomic
def override(
    customer: Customer,
    *,
    by: Acts,
    reason: str,
    level: str,
    until: str | date,
    note: str = "",
    proposal: str | None = None,
    maker: str | None = None,
) -> Assessment:
    """Set the level until a last day, over what the arithmetic says. Lowering it needs two persons."""
    last = day(until)
    customer = Customer.objects.select_for_update(of=("self",)).select_related("licensee").get(pk=customer.pk)
    two = lowers(customer, level, last)
    if two:
        require_second_person(ACT, customer, proposal=proposal, level=level, until=str(last))
    if unmet := unmet_override(customer, level, last):
        raise ConditionsNotMet(unmet)
    found = rating.rating_of(customer, on=customer.licensee.today())
    decided = {"proposal": proposal, "maker": maker}
    _set(customer, found, by=by, reason=reason, level=level, until=last, two=two, note=note, decided=decided)
    return assess(customer, by=by, because="override")


def _set(
    customer: Customer,
    found: Rating,
    *,
    by: Acts,
    reason: str,
    level: str,
    until: date,
    two: bool = False,
    note: str = "",
    decided: Mapping[str, str | None] = MappingProxyType({}),
) -> None:
    Override.objects.filter(customer=customer, ended_at=None).update(ended_at=timezone.now())
    made = Override(
        customer=customer,
        level=level,
        reason=reason,
        made_by=_person(by),
        made_at=timezone.now(),
        until=until,
        by_two=two,
    )
    if note:
        made.note_sealed = seal(made.audit_subject, NOTE, note.encode(), aad=made.pk.bytes)
    made.save(force_insert=True)
    details = {"level": level, "until": until, "reckoned": found.level, **decided}
    details = {name: value for name, value in details.items() if value is not None}
    record("risk.override", by=by, about=made, reason=reason, note=note or None, details=details)


def end_overrides() -> int:
    """Every override whose last day is over in its licensee's zone. How many."""
    ended = 0
    rows = Override.objects.filter(ended_at=None, until__lt=timezone.now().date() + timedelta(days=1))
    for row in rows.order_by("until", "pk")[:BATCH]:
        with transaction.atomic():
            held = Override.objects.select_for_update(of=("self",)).select_related("customer__licensee").get(pk=row.pk)
            if held.ended_at is None and held.until < held.customer.licensee.today():
                held.ended_at = timezone.now()
                held.save(update_fields=["ended_at"])
                record("risk.end_override", by=system(), about=held, details={"level": held.level})
                assess(held.customer, by=system(), because="override_ended")
                ended += 1
    return ended


# ------------------------------------------------------------------------------------------------------- sweeping
def reckon_again(*, run_for: timedelta = RUN_FOR) -> int:
    """Customers whose assessment rests on lists or a model that no longer hold, or on a fact that is over. How many."""
    today = timezone.now().date()
    over = RiskFact.objects.filter(log=facts.MAIN, until__lt=today, until__gte=today - timedelta(days=3))
    old = ~Q(assessment__basis=rating.basis_on(today)) | Q(customer__in=over.values("customer"))
    old |= Q(customer__in=offices.over(on=today).filter(log=facts.MAIN).values("customer"))
    rows = Profile.objects.filter(old, customer__erased_at=None).select_related("customer")

    def reckon(profile: Profile) -> bool:
        return assess(profile.customer, by=system(), because="lists_changed").pk != profile.assessment_id

    return walk(rows, reckon, run_for=run_for)


def walk(rows: QuerySet[Any], act: Callable[[Any], bool], *, run_for: timedelta, by: str = "pk") -> int:
    """Each row in the order of a field, in batches, until there are none or the time is over; how many `act` did.

    It goes along the keyset: a row on which nothing can be done keeps no other one waiting.
    """
    done, after, until = 0, None, monotonic() + run_for.total_seconds()
    while True:
        ahead = (
            rows if after is None else rows.filter(Q(**{f"{by}__gt": after[0]}) | Q(**{by: after[0]}, pk__gt=after[1]))
        )
        batch = list(ahead.order_by(by, "pk")[:BATCH])
        after = (getattr(batch[-1], by), batch[-1].pk) if batch else None
        for row in batch:
            if monotonic() >= until:
                return done
            done += act(row)
        if len(batch) < BATCH:
            return done


# ------------------------------------------------------------------------------------------------- the compartment
@transaction.atomic
def look_inside(customer_id: Any, *, by: User) -> tuple[Customer, Rating]:
    """The whole risk, with the facts of the AML side, for its people only: Http404 to everybody else.

    It is reckoned when it is looked at and kept nowhere; the look is an entry of the AML side's log.
    """
    if not on_the_aml_side(by):
        raise Http404("no such page")
    customer = Customer.objects.select_related("licensee").filter(pk=customer_id).first()
    if customer is None:
        raise Http404("no such page")
    about = ObjectRef("customer", str(customer.pk))
    record("risk.look_inside", by=by, about=about, details={"customer": str(customer.pk)}, log="aml")
    return customer, rating.rating_of(customer, on=customer.licensee.today(), inside=True)
