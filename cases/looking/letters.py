"""A supervisor hears that somebody looks at players more, or otherwise, than the others. No player is named."""

from django.conf import settings
from django.core.mail import EmailMessage
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import override

from cases.glass.models import LEADS, OFFICE
from cases.looking.models import Fact
from compliance.outbox.kinds import register
from compliance.outbox.models import OutboxRow
from compliance.people.models import Membership, User

TELL = "looking.tell"


def supervisors_of(fact: Fact) -> list[User]:
    """The leads of the person's teams and the privacy officers, not the person."""
    teams = fact.user.memberships.values("team")
    ids = Membership.objects.filter(Q(role=LEADS, team__in=teams) | Q(role=OFFICE)).values("user")
    people = User.objects.filter(pk__in=ids, is_active=True).order_by("email")
    return [user for user in people if Fact.objects.visible_to(user).filter(pk=fact.pk).exists()]


def deliver(row: OutboxRow) -> None:
    """A letter to each; it may be sent twice, under the same id."""
    fact = Fact.objects.select_related("user").get(pk=row.payload["fact_id"])
    for reader in supervisors_of(fact):
        with override(reader.language):
            subject = _("Who looks at whom: something to ask %(name)s") % {"name": fact.user.name}
            text = fact.get_kind_display()
        url = settings.BASE_URL + reverse("cases:looking")
        mail = EmailMessage(subject, f"{text}\n\n{url}", settings.DEFAULT_FROM_EMAIL, [reader.email])
        mail.extra_headers["Message-ID"] = f"<{row.pk}.{reader.pk}@{settings.AUDIT_ORIGIN}>"
        mail.send()


register(TELL, deliver)
