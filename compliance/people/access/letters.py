"""Letters to staff: the link to a new password, and that a sign-in for emergencies was used. A worker writes them."""

from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from django.conf import settings
from django.core.mail import EmailMessage
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import override

from compliance.outbox.kinds import register
from compliance.outbox.models import OutboxRow
from compliance.people.models import Membership, User

RESET, EMERGENCY, LOCKED = "access.reset_link", "access.emergency", "access.locked"
TOLD = ("admin", "manager")  # who hears that the emergency sign-in was used


def told_of_emergencies(user: User) -> list[User]:
    """Everybody who is told, under one sign-in each; not whoever used it."""
    ids = Membership.objects.filter(role__in=TOLD).values("user")
    return list(User.objects.filter(pk__in=ids, is_active=True).exclude(human_id=user.human_id).order_by("email"))


def reset_link(row: OutboxRow) -> None:
    """Nobody signs in with the address: then there is nothing to send. The link is made here and kept nowhere."""
    user = User.objects.filter(pk=row.payload.get("user_id"), is_active=True).first()
    if user is None:
        return
    key = f"{user_pk_to_url_str(user)}-{default_token_generator.make_token(user)}"
    path = reverse("account_reset_password_from_key", kwargs={"uidb36": "UID", "key": "KEY"}).replace("UID-KEY", key)
    with override(user.language):
        facts = {"password_reset_url": settings.BASE_URL + path}
        subject = render_to_string("account/email/password_reset_key_subject.txt", facts).strip()
        text = render_to_string("account/email/password_reset_key_message.txt", facts)
    _send(row, user, subject, text)


def emergency(row: OutboxRow) -> None:
    """One letter to each administrator and manager; it may be sent twice."""
    user = User.objects.get(pk=row.payload["user_id"])
    for reader in told_of_emergencies(user):
        with override(reader.language):
            subject = _("The sign-in for emergencies was used: %(name)s") % {"name": user.name}
            text = _("If nobody told you why, close it at once and look at the log.")
        _send(row, reader, subject, f"{text}\n\n{settings.BASE_URL}{reverse('staff:person', args=[user.pk])}")


def locked(row: OutboxRow) -> None:
    """To the person themselves: only they know whether it was they who typed."""
    user = User.objects.filter(pk=row.payload["user_id"], is_active=True).first()
    if user is None:
        return
    with override(user.language):
        subject = _("Your sign-in is locked")
        text = _(
            "A wrong password or code was entered too many times in a row. Set a new password with the link on the "
            "sign-in page. If it was not you, tell your administrator."
        )
    _send(row, user, subject, f"{text}\n\n{settings.BASE_URL}{reverse('account_reset_password')}")


def _send(row: OutboxRow, reader: User, subject: str, text: str) -> None:
    mail = EmailMessage(subject, text, settings.DEFAULT_FROM_EMAIL, [reader.email])
    mail.extra_headers["Message-ID"] = f"<{row.pk}.{reader.pk}@{settings.AUDIT_ORIGIN}>"
    mail.send()


register(RESET, reset_link)
register(EMERGENCY, emergency)
register(LOCKED, locked)
