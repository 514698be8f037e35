"""A letter that says that something waits, and not what: an inbox is not ours, and outside nobody may learn of it.

Whoever reads the mail server's log knows when it went. So what comes of a hold, or of a player's transaction, comes at
a moment drawn by chance; what comes of a person's act, or of a period, comes at once.
"""

import secrets
from collections.abc import Iterable
from datetime import timedelta

from django.conf import settings
from django.core.mail import EmailMessage
from django.db.models import Q
from django.db.models.functions import Now
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override

from compliance.outbox.kinds import register
from compliance.outbox.models import OutboxRow
from compliance.outbox.services import post
from compliance.people.models import Membership, User

REMIND = "people.remind"  # its name stands on the administrators' page of what could not be delivered
REPORTING = ("mlro", "deputy_mlro")
LOTTERY = secrets.SystemRandom()
# Operator defaults: not before the first, not after the second. A hold by chance never sends a letter, so none may go
# near one; a critical flag cannot wait for hours.
UNHURRIED = (timedelta(hours=1), timedelta(hours=6))
SOON = (timedelta(minutes=5), timedelta(minutes=25))
Window = tuple[timedelta, timedelta]


def remind_reporting_officers(*, within: Window | None = None) -> None:
    remind(reporting_officers(), within=within)


def remind(users: Iterable[User], *, within: Window | None = None) -> None:
    """A letter to each, after the commit or at a moment of its own `within` these bounds. None to whom one is on its
    way that goes as early: it says the same.
    """
    latest = Now() + within[1] if within else Now()
    coming = OutboxRow.objects.open().filter(kind=REMIND, due_at__lte=latest)
    told = set(coming.values_list("payload__user_id", flat=True))
    for user in {user.pk: user for user in users}.values():
        if str(user.pk) not in told:
            due_at = timezone.now() + _by_chance(*within) if within else None
            post(REMIND, payload={"user_id": str(user.pk)}, due_at=due_at)


def _by_chance(first: timedelta, last: timedelta) -> timedelta:
    return first + (last - first) * LOTTERY.random()


def reporting_officers() -> list[User]:
    now = Q(tenure=None) | Q(tenure__until=None) | Q(tenure__until__gt=Now())
    having = Membership.objects.filter(now, role__in=REPORTING).values("user")
    return list(User.objects.filter(pk__in=having, is_active=True).order_by("email"))


def deliver(row: OutboxRow) -> None:
    """Twice is the same letter: it carries the row's id."""
    user = User.objects.filter(pk=row.payload["user_id"], is_active=True).first()
    if user is None:
        return
    with override(user.language):
        subject = _("Something waits for you")
        text = _("Sign in to see it.")
    link = settings.BASE_URL + reverse("cases:home")
    letter = EmailMessage(subject, f"{text}\n\n{link}", settings.DEFAULT_FROM_EMAIL, [user.email])
    letter.extra_headers["Message-ID"] = f"<{row.pk}@{settings.AUDIT_ORIGIN}>"
    letter.send()


register(REMIND, deliver)
