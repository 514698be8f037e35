"""What a change of the rules would have done to the verifications of the last days, counted in the cases themselves."""

from datetime import timedelta
from functools import partial

from django.db.models import F, Func, Max, Q, Value
from django.utils import timezone
from django.utils.translation import ngettext

from cases.models import Evidence
from cases.types.verification.models import Outcome, Verification
from compliance.formats import number
from compliance.people.models import Customer, Licensee
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


def _months_ago(months: int) -> Func:
    return Func(Value(months), template="now() - make_interval(months => %(expressions)s)")


for purpose in PURPOSES:
    previews.register(f"evidence.{purpose}.max_age_days", papers_too_old)
for risk in RISKS:
    previews.register(f"review.months.{risk}", partial(reviews_due, risk))
previews.register("verification.answer_days", requests_over)
previews.register("verification.review_hours", took_longer)
