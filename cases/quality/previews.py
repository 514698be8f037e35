"""What another share of second looks would have drawn: by the same lots, which never change."""

from django.utils import timezone
from django.utils.translation import ngettext

from cases import kinds
from cases.models import Case
from cases.quality.services import lot
from compliance.formats import number
from compliance.people.models import Licensee
from compliance.rulebook import previews


def drawn(licensee: Licensee, key: str, old: int, new: int) -> str:
    """Cases closed lately that would have been drawn, by both shares."""
    judged = {kind.name: {code for code, _label in kind.judged()} for kind in kinds.kinds().values()}
    closed = Case.objects.filter(
        licensee=licensee, closed_at__gt=timezone.now() - previews.LOOKS_BACK, restricted=False
    )
    rows = closed.values_list("kind", "outcome", "pk", "closed_at")
    lots = [lot(pk, at) for kind, outcome, pk, at in rows.iterator() if outcome in judged.get(kind, ())]
    then, present = (sum(one < percent for one in lots) for percent in (new, old))
    return ngettext(
        "%(then)s of %(of)s finished case would have been looked at again; now %(present)s.",
        "%(then)s of %(of)s finished cases would have been looked at again; now %(present)s.",
        len(lots),
    ) % {"then": number(then), "of": number(len(lots)), "present": number(present)}


previews.register("quality.second_look_percent", drawn)
