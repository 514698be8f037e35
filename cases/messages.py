"""How a written message leaves the house: by e-mail from an outbox row, after the commit."""

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.utils import timezone

from audit.actors import system
from audit.record import record
from cases import texts
from cases.models import Message
from cases.services import MESSAGE, message_text
from compliance.outbox.kinds import register
from compliance.outbox.models import OutboxRow
from compliance.people.services import contact_of


def deliver(row: OutboxRow) -> None:
    """Send one message. It may run twice: what was sent is not sent again, and the mail carries its own id."""
    with transaction.atomic():
        message = (
            Message.objects.select_for_update(of=("self",))
            .select_related("case__account")
            .get(pk=row.payload["message_id"])
        )
        if message.sent_at is not None:
            return
        address = contact_of(message.case.account, "email")
        if address:
            subject = texts.subject(message.code, message.language, number=message.case.number)
            mail = EmailMessage(subject, message_text(message), settings.DEFAULT_FROM_EMAIL, [address])
            mail.extra_headers["Message-ID"] = f"<{message.pk}@{settings.AUDIT_ORIGIN}>"
            mail.send()
        message.sent_at = timezone.now()
        message.save(update_fields=["sent_at"])
        record(
            "cases.send_message",
            by=system(),
            about=message,
            details={"code": message.code, "channel": "email" if address else "none"},
        )


register(MESSAGE, deliver)
