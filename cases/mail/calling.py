"""Calls somebody to a letter that belongs to no case and whose words may mean self-harm: by e-mail, at any hour.

The e-mail holds no word of the letter, and nothing of who wrote it: where to look, and why at once.
"""

from django.conf import settings
from django.core.mail import EmailMessage
from django.urls import reverse
from django.utils.translation import override

from cases.mail.models import Letter
from cases.mail.permissions import licensees_of
from cases.notices.kinds import KINDS
from compliance.outbox.kinds import register
from compliance.outbox.models import OutboxRow
from compliance.people.models import Licensee, Membership, User

CALL = "mail.call"


def whom(licensee: Licensee) -> list[User]:
    """The managers of the teams that work for the licensee; where there is none, everybody who sorts its mail."""
    members = Membership.objects.filter(team__queues__licensee=licensee, user__is_active=True)
    users = User.objects.filter(pk__in=members.values("user")).order_by("pk")
    managers = list(users.filter(pk__in=members.filter(role="manager").values("user")))
    return managers or [user for user in users if licensees_of(user).filter(pk=licensee.pk).exists()]


def call(row: OutboxRow) -> None:
    """Write to each of them; nobody once the letter was looked after. Repeated, it carries the same Message-ID."""
    letter = Letter.objects.select_related("licensee").get(pk=row.payload["letter_id"])
    if letter.state != Letter.State.UNMATCHED:
        return
    link = settings.BASE_URL + reverse("cases:letter", args=[letter.pk])
    for user in whom(letter.licensee):
        with override(user.language):
            words = str(KINDS["care"].words)
        mail = EmailMessage(f"Mizan: {words}", f"{words}.\n\n{link}", settings.DEFAULT_FROM_EMAIL, [user.email])
        mark = f"<{row.pk}.{user.pk}@{settings.AUDIT_ORIGIN}>"
        mail.extra_headers |= {"Message-ID": mark, "Auto-Submitted": "auto-generated"}
        mail.send()


register(CALL, call)
