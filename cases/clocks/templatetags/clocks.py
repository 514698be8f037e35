"""How a clock's time reads: hours and minutes, to the minute."""

from datetime import timedelta
from typing import Any

from django.template import Library
from django.utils import timezone
from django.utils.translation import gettext as _

from cases.clocks.arithmetic import reading
from cases.clocks.models import Clock
from cases.clocks.services import pauses_of
from cases.models import Case

register = Library()


@register.filter
def span(value: timedelta) -> str:
    minutes = int(value.total_seconds() // 60)
    return _("%(hours)d h %(minutes)02d min") % {"hours": minutes // 60, "minutes": minutes % 60}


@register.simple_tag
def clocks_of(case: Case) -> list[dict[str, Any]]:
    """The running clocks of a case, each with how it stands."""
    now = timezone.now()
    rows = Clock.objects.filter(case=case, stopped_at=None).order_by("-kind", "started_at")
    return [{"clock": clock, "reading": reading(clock, pauses_of(clock), at=now)} for clock in rows]
