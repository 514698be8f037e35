"""How a clock's time reads: hours and minutes, to the minute."""

from datetime import timedelta
from typing import Any

from django.db.models import Q
from django.template import Library
from django.utils import timezone
from django.utils.translation import gettext as _

from cases.clocks.arithmetic import reading
from cases.clocks.holding import REASONS
from cases.clocks.models import Clock, Kind
from cases.clocks.services import pauses_of
from cases.models import Case

register = Library()


@register.filter
def span(value: timedelta) -> str:
    minutes = int(value.total_seconds() // 60)
    return _("%(hours)d h %(minutes)02d min") % {"hours": minutes // 60, "minutes": minutes % 60}


@register.filter
def pause_reason(code: str) -> str:
    """The words of a pause by hand; what the product paused says its code."""
    return str(REASONS.get(code, code))


@register.simple_tag
def clocks_of(case: Case) -> list[dict[str, Any]]:
    """The running clocks of a case, each with how it stands; and the legal deadlines of what was merged into it."""
    now = timezone.now()
    theirs = Q(case=case) | Q(case__merged_into=case, kind=Kind.STATUTORY)
    rows = Clock.objects.filter(theirs, stopped_at=None).order_by("-kind", "started_at")
    return [{"clock": clock, "reading": reading(clock, pauses_of(clock), at=now)} for clock in rows]
