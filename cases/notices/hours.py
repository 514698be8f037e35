"""When a person may be written to: days and a span of time in their own zone."""

from collections.abc import Mapping
from datetime import datetime, time
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from cases.clocks.working import DAYS, HoursBroken, WorkingHours

__all__ = ["DAYS", "NORMAL_HOURS", "checked", "is_working"]

NORMAL_HOURS: Final = {"days": ["mon", "tue", "wed", "thu", "fri"], "from": "09:00", "to": "18:00"}


def checked(hours: Mapping[str, Any], zone: str) -> WorkingHours:
    """The same as working hours; ValidationError when they never come."""
    try:
        span = (time.fromisoformat(hours["from"]), time.fromisoformat(hours["to"]))
        return WorkingHours(zone, dict.fromkeys(hours["days"], (span,)))
    except (HoursBroken, ValueError):
        raise ValidationError({"hours": _("Choose at least one day, and an end after the beginning.")}) from None


def is_working(hours: Mapping[str, Any], zone: str, *, at: datetime) -> bool:
    working = checked(hours, zone)
    day = at.astimezone(ZoneInfo(zone)).date()
    return any(start <= at < end for start, end in working.on(day).spans)
