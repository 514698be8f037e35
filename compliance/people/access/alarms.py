"""What somebody must look at: rights that nobody should have, and a sign-in for emergencies that was used."""

from datetime import timedelta

from django.utils import timezone

from audit.models import Entry
from compliance.people.access.models import Emergency

LASTS = timedelta(hours=24)


class NotInOrder(Exception):
    """The text is for the log, never for outsiders."""


def ensure_rights_in_order() -> None:
    """The last nightly look found nothing. Before the first one there is nothing to say."""
    last = Entry.objects.filter(log="main", action="access.check_rights").order_by("-id").first()
    if last is not None and last.facts["data"]["found"]:
        raise NotInOrder(f"{last.facts['data']['found']} findings: manage.py people check-rights names them")


def ensure_no_emergency() -> None:
    """Nobody used a sign-in for emergencies in the last day."""
    if Emergency.objects.filter(used_at__gt=timezone.now() - LASTS).exists():
        raise NotInOrder("a sign-in for emergencies was used in the last 24 hours")
