"""Letters that a key was issued or replaced: whose name it is in hears of it, and who else looks after keys."""

from django.conf import settings
from django.core.mail import EmailMessage
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import override

from compliance.outbox.kinds import register
from compliance.outbox.models import OutboxRow
from compliance.outbox.services import post
from compliance.people.holders import holders_of
from compliance.people.models import User
from compliance.platform.models import ApiKey, KeyRequest
from compliance.proposals.models import Proposal, State

RIGHT = "platform.manage_key"
MADE = "platform.key_made"


def tell(key: ApiKey) -> None:
    """In the transaction in which the key was made: who made it cannot keep it to themselves."""
    post(MADE, payload={"key_id": key.pk})


def told(key: ApiKey) -> list[User]:
    """The owner, and everybody who may revoke it; not whoever made it, under any sign-in."""
    readers = [key.owner, *(user for user in holders_of(RIGHT) if user.pk != key.owner_id)]
    return [user for user in readers if user.is_active and user.human_id != key.created_by.human_id]


def confirmed_by(key: ApiKey) -> str:
    """The name of the second person; empty where one was enough."""
    request = KeyRequest.objects.filter(key=key).first()
    found = (
        Proposal.objects.filter(subject_id=request.pk, state=State.PERFORMED) if request else Proposal.objects.none()
    )
    return found.values_list("checker__name", flat=True).first() or ""


def made(row: OutboxRow) -> None:
    """One letter to each; it may be sent twice. The page of the key only for those who may open it."""
    key = ApiKey.objects.select_related("owner", "created_by").get(pk=row.payload["key_id"])
    second = confirmed_by(key)
    for reader in told(key):
        with override(reader.language):
            facts = {"prefix": key.prefix, "owner": key.owner.name, "name": key.created_by.name}
            if reader.pk == key.owner_id:
                subject = _("An API key in your name: %(prefix)s") % facts
                text = _("%(name)s made it, and it counts as you. If you know nothing of it, have it revoked.") % facts
            else:
                subject = _("A new API key: %(prefix)s") % facts
                text = _("%(name)s made it in the name of %(owner)s. If you know nothing of it, revoke it.") % facts
            if second:
                text += " " + _("%(name)s confirmed it.") % {"name": second}
        if reader.has_perm(RIGHT):
            text += f"\n\n{settings.BASE_URL}{reverse('platform:keys:key', args=[key.pk])}"
        mail = EmailMessage(subject, text, settings.DEFAULT_FROM_EMAIL, [reader.email])
        mail.extra_headers["Message-ID"] = f"<{row.pk}.{reader.pk}@{settings.AUDIT_ORIGIN}>"
        mail.send()


register(MADE, made)
