"""What a change of the rules of exclusions would have done: counted in the exclusions of the last days."""

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import ngettext

from compliance.formats import number
from compliance.people.exclusions.models import Exclusion, Kind, State
from compliance.people.exclusions.terms import after
from compliance.people.models import Licensee
from compliance.policy.records import Period
from compliance.rulebook import previews

Rows = QuerySet[Exclusion]


def too_short(licensee: Licensee, key: str, old: Period, new: Period) -> str:
    """Self-exclusions with an end, started lately, that the new rule would not have taken."""
    rows = _lately(licensee, Kind.SELF_EXCLUSION).exclude(term_ends_at=None)
    ends = [(at, end) for at, end in rows.values_list("starts_at", "term_ends_at") if end is not None]
    return _of(sum(end < after(at, new, licensee) for at, end in ends), len(ends))


def too_long(kind: str) -> previews.Answer:
    """The same of those that would have been too long."""

    def answer(licensee: Licensee, key: str, old: Period, new: Period) -> str:
        rows = _lately(licensee, kind).exclude(term_ends_at=None)
        ends = [(at, end) for at, end in rows.values_list("starts_at", "term_ends_at") if end is not None]
        return _of(sum(end > after(at, new, licensee) for at, end in ends), len(ends))

    return answer


def decided_late(licensee: Licensee, key: str, old: Period, new: Period) -> str:
    """Returns that wait for a decision and would be late by now."""
    waiting = Exclusion.objects.filter(licensee=licensee, state=State.RETURN_REQUESTED, return_asked_at__isnull=False)
    asked = [at for at in waiting.values_list("return_asked_at", flat=True) if at is not None]
    late = sum(after(at, new, licensee) <= timezone.now() for at in asked)
    return ngettext(
        "%(n)s of %(of)s return that waits for a decision would be late by now.",
        "%(n)s of %(of)s returns that wait for a decision would be late by now.",
        len(asked),
    ) % {"n": number(late), "of": number(len(asked))}


def _lately(licensee: Licensee, kind: str) -> Rows:
    since = timezone.now() - previews.LOOKS_BACK
    return Exclusion.objects.filter(licensee=licensee, kind=kind, starts_at__gte=since, carried_from=None)


def _of(refused: int, all_of_them: int) -> str:
    return ngettext(
        "%(n)s of %(of)s exclusion would not have been taken like this.",
        "%(n)s of %(of)s exclusions would not have been taken like this.",
        all_of_them,
    ) % {"n": number(refused), "of": number(all_of_them)}


previews.register("exclusions.least", too_short)
previews.register("exclusions.longest_first", too_long(Kind.SELF_EXCLUSION))
previews.register("exclusions.time_out_longest", too_long(Kind.TIME_OUT))
previews.register("exclusions.decision_within", decided_late)
