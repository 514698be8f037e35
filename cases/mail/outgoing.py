"""How a written message leaves the house: by e-mail from an outbox row, after the commit. Once, or known doubtful.

First the mail server is reached: as long as it is away, nothing was tried. Then the try is written down, on a
connection of its own, before the letter is handed over. What the server refused is tried again or told; a try that
never said how it ended (the worker died, the connection broke after the text was handed over) is never repeated by
itself: a person sees the message as doubtful and decides.
"""

import smtplib
from contextlib import suppress
from uuid import UUID

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.db import transaction
from django.utils import timezone

from audit.actors import system
from audit.record import record
from cases import texts
from cases.mail.boxes import address_of
from cases.mail.deliveries import ended
from cases.mail.matching import message_id_of
from cases.mail.models import Attempt, Delivery
from cases.mail.parsing import OURS
from cases.models import Message
from cases.services import MESSAGE, message_text
from compliance.outbox.kinds import register
from compliance.outbox.models import OutboxRow
from compliance.people.services import contact_of

Result = Delivery.Result
SENT, FAILED, UNKNOWN = "sent", "failed", "unknown"
# The server said no, before or after the text: it has nothing.
NOT_TAKEN = (
    smtplib.SMTPNotSupportedError,
    smtplib.SMTPSenderRefused,
    smtplib.SMTPRecipientsRefused,
    smtplib.SMTPDataError,
)


def deliver(row: OutboxRow) -> None:
    """Send one message. It may run twice: what was sent is not sent again, what may have been is told as doubtful."""
    with transaction.atomic():
        message = (
            Message.objects.select_for_update(of=("self",))
            .select_related("case__account", "case__licensee", "case__assignee")
            .get(pk=row.payload["message_id"])
        )
        if message.sent_at is not None or Delivery.objects.filter(message=message).exists():
            return
        # An invented player's address may be somebody's.
        address = "" if message.case.licensee.is_test else contact_of(message.case.account, "email")
        if not address:
            _sent(message, channel="none")
            ended(message, Result.NO_ADDRESS)
            return
        match _former(message.pk):
            case "sent":  # the mail server took it, our own note of it was lost
                _sent(message, channel="email")
                ended(message, Result.SENT)
            case "open" | "unknown":
                ended(message, Result.DOUBTFUL)
            case _:
                _try(message, mail_of(message, address))


def mail_of(message: Message, address: str) -> EmailMessage:
    """The letter: in the player's language, with the tracking number, answerable, and marked as ours."""
    number, licensee = message.case.number, message.case.licensee
    subject = str(texts.subject(message.code, message.language, number=number))
    if number not in subject:
        subject = f"{subject} {number}"
    mail = EmailMessage(" ".join(subject.split()), message_text(message), settings.DEFAULT_FROM_EMAIL, [address])
    if reply_to := address_of(licensee.slug):
        mail.reply_to = [reply_to]
    mail.extra_headers |= {
        "Message-ID": message_id_of(message),
        "Content-Language": message.language,
        # RFC 3834: no automatic answer to what no person wrote, and none to the others either.
        "Auto-Submitted": "no" if message.written_by.startswith("staff:") else "auto-generated",
        "X-Auto-Response-Suppress": "All",
        OURS: "1",
    }
    return mail


def _try(message: Message, mail: EmailMessage) -> None:
    mail.connection = get_connection()
    try:
        mail.connection.open()  # whatever fails here, the server has nothing: the outbox tries again
        _hand_over(message, mail)
    finally:
        with suppress(OSError):  # how the letter went is known by now
            mail.connection.close()


def _hand_over(message: Message, mail: EmailMessage) -> None:
    """Send on a connection that stands. From here on a silence is a doubt."""
    attempt = Attempt.objects.using("log").create(message_id=message.pk, begun_at=timezone.now())
    try:
        mail.send()
    except NOT_TAKEN as error:
        _noted(attempt, FAILED)
        if (code := _for_good(error)) is None:
            raise  # the outbox tries again
        ended(message, Result.REFUSED, status=code)
    except Exception:  # the text may have been handed over: nobody knows
        _noted(attempt, UNKNOWN)
        ended(message, Result.DOUBTFUL)
    else:
        _noted(attempt, SENT)
        _sent(message, channel="email")
        ended(message, Result.SENT)


def _former(message_id: UUID) -> str:
    """What the last try says: "", "failed", "sent", "unknown", or "open" when it never told how it ended."""
    last = Attempt.objects.using("log").filter(message_id=message_id).order_by("-begun_at").first()
    return "" if last is None else last.result or "open"


def _noted(attempt: Attempt, result: str) -> None:
    Attempt.objects.using("log").filter(pk=attempt.pk).update(ended_at=timezone.now(), result=result)


def _for_good(error: BaseException) -> str | None:
    """The server's code when it will never take this letter (5xx to address or text); None when it may later."""
    codes = []
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        codes = [code for code, _words in error.recipients.values()]
    elif isinstance(error, smtplib.SMTPDataError):
        codes = [error.smtp_code]
    return str(codes[0]) if codes and all(500 <= code < 600 for code in codes) else None


def _sent(message: Message, *, channel: str) -> None:
    message.sent_at = timezone.now()
    message.save(update_fields=["sent_at"])
    record("cases.send_message", by=system(), about=message, details={"code": message.code, "channel": channel})


register(MESSAGE, deliver)
