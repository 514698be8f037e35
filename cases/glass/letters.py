"""Supervisors hear of an exceptional access at once. An inbox is not ours: the letter says nothing of the matter."""

from django.conf import settings
from django.core.mail import EmailMessage
from django.db.models import Q
from django.db.models.functions import Now
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import override

from cases.glass.models import LEADS, OFFICE, Opening
from compliance.outbox.kinds import register
from compliance.outbox.models import OutboxRow
from compliance.people.models import Membership, User

TELL = "glass.tell"


def supervisors_of(opening: Opening) -> list[User]:
    """The leads of the case's team and the privacy officers who may review it, under one sign-in each."""
    now = Q(tenure=None) | Q(tenure__until=None) | Q(tenure__until__gt=Now())
    leads = Q(role=LEADS, team__queues=opening.case.queue_id) | Q(role=OFFICE)
    ids = Membership.objects.filter(now, leads).values("user")
    people = User.objects.filter(pk__in=ids, is_active=True).order_by("email")
    return [user for user in people if Opening.objects.visible_to(user).filter(pk=opening.pk).exists()]


def deliver(row: OutboxRow) -> None:
    """A letter to each; it may be sent twice, under the same id."""
    opening = Opening.objects.select_related("case", "user").get(pk=row.payload["opening_id"])
    for reader in supervisors_of(opening):
        with override(reader.language):
            subject = _("Exceptional access: %(name)s") % {"name": opening.user.name}
            text = _("A restricted case was opened by exception. Look at the reason and say whether it was justified.")
        url = settings.BASE_URL + reverse("cases:opening", args=[opening.pk])
        mail = EmailMessage(subject, f"{text}\n\n{url}", settings.DEFAULT_FROM_EMAIL, [reader.email])
        mail.extra_headers["Message-ID"] = f"<{row.pk}.{reader.pk}@{settings.AUDIT_ORIGIN}>"
        mail.send()


register(TELL, deliver)
