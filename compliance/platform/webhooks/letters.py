"""A letter when an endpoint was switched off because of its receiver: whoever looks after endpoints hears of it."""

from django.conf import settings
from django.core.mail import EmailMessage
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import override

from compliance.outbox.kinds import register
from compliance.outbox.models import OutboxRow
from compliance.outbox.services import post
from compliance.people.holders import holders_of
from compliance.platform.webhooks.models import Endpoint

RIGHT = "webhooks.manage_endpoint"
OFF = "webhooks.switched_off"


def tell(endpoint: Endpoint) -> None:
    """In the transaction that switches it off."""
    post(OFF, payload={"endpoint_id": endpoint.pk})


def switched_off(row: OutboxRow) -> None:
    """One letter to each; it may be sent twice. None when somebody switched it on again meanwhile."""
    endpoint = Endpoint.objects.get(pk=row.payload["endpoint_id"])
    if endpoint.disabled_at is None:
        return
    page = settings.BASE_URL + reverse("platform:webhooks:endpoint", args=[endpoint.pk])
    for reader in holders_of(RIGHT):
        with override(reader.language):
            subject = _("Events are sent no more: %(name)s") % {"name": endpoint.name}
            why = endpoint.get_disabled_because_display()
            text = _("What waits is sent once the endpoint is on again; what happens until then is in the API.")
            mail = EmailMessage(subject, f"{why}.\n{text}\n\n{page}", settings.DEFAULT_FROM_EMAIL, [reader.email])
        mail.extra_headers["Message-ID"] = f"<{row.pk}.{reader.pk}@{settings.AUDIT_ORIGIN}>"
        mail.send()


register(OFF, switched_off)
