"""How long the compartment takes, read from its own log and shown within it only."""

from collections.abc import Iterator
from datetime import datetime

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from audit.record import ObjectRef, record
from cases.oversight.delays import Delay, Distribution, Taken, distribution, taken_of
from cases.oversight.population import Asked
from cases.types.monitoring.models import Investigation
from cases.types.monitoring.permissions import require
from compliance.people.models import User

ENDS = ("monitoring.close", "monitoring.merge")  # nothing waits any more, whatever was due
DELAYS = (
    Delay(
        "opened_to_taken_up",
        _("From opening an investigation to taking it up"),
        "monitoring.open",
        ("monitoring.take_up", *ENDS),
    ),
    Delay(
        "opened_to_handed_over",
        _("From opening an investigation to the reporting officer"),
        "monitoring.open",
        ("monitoring.hand_over", *ENDS),
    ),
    Delay(
        "handed_over_to_decided",
        _("From the reporting officer’s desk to a decision"),
        "monitoring.hand_over",
        ("monitoring.report", "monitoring.return_to_analyst", *ENDS),
    ),
    Delay(
        "decided_to_filed",
        _("From the decision to report to a filed report"),
        "monitoring.report",
        ("reports.submit", "reports.leave", *ENDS),
    ),
    Delay(
        "draft_to_end",
        _("From the draft of a report to filing or leaving it"),
        "reports.draft",
        ("reports.submit", "reports.leave"),
        same="object",
    ),
    Delay(
        "frozen_to_seconded",
        _("From a freeze to a second person’s look"),
        "freezes.place",
        ("freezes.second", "freezes.lift"),
        same="object",
    ),
)


@transaction.atomic
def spread(asked: Asked, *, by: User) -> list[tuple[Delay, Distribution]]:
    """Each delay of the period with how it spreads, over the investigations that the person may see."""
    require(by)
    shown = [(delay, distribution(list(_taken(delay, asked.starts, asked.ends, by)))) for delay in DELAYS]
    details = {"view": "delays", "rows": len(shown)}
    record("monitoring.list", by=by, about=ObjectRef("list", "delays"), details=details, log="aml")
    return shown


def _taken(delay: Delay, starts: datetime, ends: datetime, user: User) -> Iterator[Taken]:
    mine = Investigation.objects.visible_to(user)
    return taken_of(delay, starts, ends, log="aml", seen=Q(matter__in=mine.values("number")))
