"""What a change of the rules would have done to the verifications of the last days, counted in the cases themselves."""

from datetime import date, timedelta
from functools import partial

from django.db.models import F, Func, Max, Q, Value
from django.utils import timezone
from django.utils.translation import ngettext

from cases.clocks.models import Clock, Kind
from cases.models import Evidence
from cases.types.verification.models import KIND, Outcome, Verification
from compliance.formats import number
from compliance.people.exclusions.terms import after
from compliance.people.models import Customer, Licensee
from compliance.policy.records import Period
from compliance.policy.schema import PURPOSES, RISKS
from compliance.rulebook import previews


def papers_too_old(licensee: Licensee, key: str, old: int, new: int) -> str:
    """Papers accepted lately that were older on their arrival than the new rule allows."""
    since = timezone.now() - previews.LOOKS_BACK
    accepted = Evidence.objects.filter(
        case__licensee=licensee, purpose=key.split(".")[1], decided_at__gte=since, issued_on__isnull=False
    ).filter(state=Evidence.State.ACCEPTED)
    rows = accepted.values_list("created_at", "issued_on")
    days = [(licensee.day_of(at) - issued).days for at, issued in rows if issued]
    late = sum(age > new for age in days)
    return ngettext(
        "%(n)s of %(of)s accepted paper would have been too old.",
        "%(n)s of %(of)s accepted papers would have been too old.",
        len(days),
    ) % {"n": number(late), "of": number(len(days))}


def requests_over(licensee: Licensee, key: str, old: int, new: int) -> str:
    """Requests that wait for the player now and would be over by now under the new rule."""
    waiting = Verification.objects.filter(licensee=licensee, waiting_for="player").exclude(
        verification_facts__answer_due_at=None
    )
    over = waiting.filter(verification_facts__answer_due_at__lte=timezone.now() + timedelta(days=old - new))
    return ngettext(
        "%(n)s of %(of)s open request would be over by now.",
        "%(n)s of %(of)s open requests would be over by now.",
        waiting.count(),
    ) % {"n": number(over.count()), "of": number(waiting.count())}


def took_longer(licensee: Licensee, key: str, old: int, new: int) -> str:
    """Verifications decided lately that took longer than the new rule allows."""
    since = timezone.now() - previews.LOOKS_BACK
    closed = Verification.objects.filter(licensee=licensee, closed_at__gte=since)
    longer = closed.filter(closed_at__gt=F("opened_at") + timedelta(hours=new))
    return ngettext(
        "%(n)s of %(of)s finished case took longer.", "%(n)s of %(of)s finished cases took longer.", closed.count()
    ) % {"n": number(longer.count()), "of": number(closed.count())}


def reviews_due(risk: str, licensee: Licensee, key: str, old: int, new: int) -> str:
    """Players of one risk who were approved so long ago that a review would be due today, by both rules."""
    approved = Q(cases__kind="verification", cases__outcome=Outcome.APPROVED)
    known = Customer.objects.filter(licensee=licensee, risk=risk).annotate(
        last=Max("cases__closed_at", filter=approved)
    )
    then = known.filter(last__lte=_months_ago(new)).count()
    present = known.filter(last__lte=_months_ago(old)).count()
    return ngettext(
        "%(then)s player would be due for a review today; now %(present)s.",
        "%(then)s players would be due for a review today; now %(present)s.",
        then,
    ) % {"then": number(then), "present": number(present)}


def out_of_date(licensee: Licensee, key: str, old: int, new: int) -> str:
    """Papers that are good now and that the new rule would ask for anew by now."""
    good = Evidence.objects.filter(
        case__licensee=licensee, purpose=key.split(".")[1], state=Evidence.State.ACCEPTED, decided_at__isnull=False
    )
    over = good.filter(decided_at__lte=timezone.now() - timedelta(days=new))
    return ngettext(
        "%(n)s of %(of)s accepted paper would be asked for anew by now.",
        "%(n)s of %(of)s accepted papers would be asked for anew by now.",
        good.count(),
    ) % {"n": number(over.count()), "of": number(good.count())}


def could_object(licensee: Licensee, key: str, old: int, new: int) -> str:
    """Players refused lately who could still object today, by both rules."""
    refused = Verification.objects.filter(licensee=licensee, outcome=Outcome.REJECTED)

    def count(days: int) -> int:
        since = licensee.day_starts(licensee.today() - timedelta(days=days))
        return int(refused.filter(closed_at__gte=since).count())

    return ngettext(
        "%(then)s refused player could still object today; now %(present)s.",
        "%(then)s refused players could still object today; now %(present)s.",
        count(new),
    ) % {"then": number(count(new)), "present": number(count(old))}


def too_young(licensee: Licensee, key: str, old: int, new: int) -> str:
    """Players here who are younger than the new lowest age by the date of birth that they gave."""
    here = Customer.objects.filter(licensee=licensee, erased_at=None, birth_date__isnull=False)
    young = here.filter(birth_date__gt=_years_before(licensee.today(), new))
    return ngettext(
        "%(n)s of %(of)s player would be too young.", "%(n)s of %(of)s players would be too young.", here.count()
    ) % {"n": number(young.count()), "of": number(here.count())}


def _years_before(today: date, years: int) -> date:
    try:
        return today.replace(year=today.year - years)
    except ValueError:  # a 29 February in a year that has none
        return today.replace(year=today.year - years, day=28)


def past_the_law(licensee: Licensee, key: str, old: Period, new: Period) -> str:
    """Open verifications under the law's clock that would be past it by now."""
    running = Clock.objects.filter(case__licensee=licensee, kind=Kind.STATUTORY, stopped_at=None, case__closed_at=None)
    starts = list(running.filter(case__kind=KIND).values_list("started_at", flat=True))
    late = sum(after(start, new, licensee) <= timezone.now() for start in starts)
    return ngettext(
        "%(n)s of %(of)s open case under this deadline would be past it by now.",
        "%(n)s of %(of)s open cases under this deadline would be past it by now.",
        len(starts),
    ) % {"n": number(late), "of": number(len(starts))}


def _months_ago(months: int) -> Func:
    return Func(Value(months), template="now() - make_interval(months => %(expressions)s)")


for purpose in PURPOSES:
    previews.register(f"evidence.{purpose}.max_age_days", papers_too_old)
    previews.register(f"evidence.{purpose}.good_for_days", out_of_date)
for risk in RISKS:
    previews.register(f"review.months.{risk}", partial(reviews_due, risk))
previews.register("verification.answer_days", requests_over)
previews.register("verification.review_hours", took_longer)
previews.register("verification.objection_days", could_object)
previews.register("verification.complete_within", past_the_law)
previews.register("age.minimum", too_young)
