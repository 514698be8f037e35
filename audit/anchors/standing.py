"""How far the log is confirmed from outside, in facts and in words."""

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings

from audit.anchors.placing import newest_of
from audit.queries import standing


@dataclass(frozen=True, slots=True)
class Confirmed:
    """One anchor: the newest checkpoint that it holds, None before the first. `since` are entries younger than that."""

    name: str
    size: int | None
    at: datetime | None
    since: int


def confirmed(log: str) -> list[Confirmed]:
    """Every anchor that the settings name for this log, the one that goes furthest first."""
    size, found = standing(log).size, []
    for name, given in settings.AUDIT_ANCHORS.items():
        if log in given["LOGS"]:
            newest = newest_of(log, name)
            held = newest.size if newest else 0
            found.append(Confirmed(name, held or None, newest.at if newest else None, size - held))
    return sorted(found, key=lambda one: one.since)


def in_words(log: str) -> str:
    """Such as `main: anchored to 1 204 by tsa on 2026-11-21 10:00 UTC; the 12 entries since rest on this server alone`.

    It says what was handed over. `audit verify` checks whether it is still what the anchors hold.
    """
    anchors = confirmed(log)
    if not anchors:
        return f"{log}: no anchor is set up. Nothing outside this server confirms the log."
    lines = []
    for one in anchors:
        if one.size is None or one.at is None:
            lines.append(f"{log}: {one.name} holds nothing yet")
        else:
            lines.append(f"{log}: {one.name} holds {one.size} entries since {one.at:%Y-%m-%d %H:%M} UTC")
    rest = anchors[0].since
    lines.append(f"{log}: {rest} newer entries rest on this server alone")
    return "\n".join(lines)
