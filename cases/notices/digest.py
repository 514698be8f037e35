"""Notices by e-mail: gathered into one letter, in working hours, with numbers and kinds of events and nothing else."""

from collections import defaultdict
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, override

from audit.record import record
from cases.notices.choosing import hours_of
from cases.notices.hours import is_working
from cases.notices.kinds import KINDS
from cases.notices.models import Notice
from compliance.outbox.kinds import register
from compliance.outbox.models import OutboxRow
from compliance.outbox.services import post
from compliance.people.models import User

DIGEST = "notices.digest"
GATHER = timedelta(minutes=5)  # what happens within it comes in one letter
STALE = timedelta(days=3)  # what could not be written by then is seen on the page only
SHOWN = 50


def gather(*, now: datetime | None = None) -> int:
    """Give each person's waiting notices to one letter, when it is time. How many letters."""
    now = now or timezone.now()
    waiting = Notice.objects.filter(by_mail=True, mailed_at=None, read_at=None, made_at__gte=now - STALE)
    people = User.objects.filter(pk__in=waiting.values("user"), is_active=True).order_by("pk")
    return sum(_letter_for(user, now) for user in people)


@transaction.atomic
def _letter_for(user: User, now: datetime) -> bool:
    rows = Notice.objects.select_for_update(of=("self",), skip_locked=True).filter(
        user=user, by_mail=True, mailed_at=None, read_at=None, made_at__gte=now - STALE
    )
    notices = list(rows.order_by("made_at"))
    urgent = [notice for notice in notices if notice.kind in KINDS and notice.of.urgent]
    ready = notices and notices[0].made_at <= now - GATHER and is_working(hours_of(user), user.time_zone, at=now)
    going = notices if ready else urgent
    if not going:
        return False
    ids = [notice.pk for notice in going]
    Notice.objects.filter(pk__in=ids).update(mailed_at=now)
    post(DIGEST, payload={"user_id": user.pk, "notices": ids})
    return True


def send(row: OutboxRow) -> None:
    """Write the letter: what was read or is no longer theirs to see is left out. It carries its own id."""
    user = User.objects.get(pk=row.payload["user_id"])
    if not user.is_active:
        return
    ids = [UUID(each) for each in row.payload["notices"]]
    with transaction.atomic():
        rows = Notice.objects.visible_to(user).unread().filter(pk__in=ids, kind__in=KINDS, case__restricted=False)
        notices = list(rows.select_related("case").order_by("made_at"))
        if notices:
            record("notices.send_digest", by=user, about=user, details={"rows": len(notices)})
            _mail(row, user, notices).send()


def _mail(row: OutboxRow, user: User, notices: list[Notice]) -> EmailMessage:
    by_case: dict[str, list[str]] = defaultdict(list)
    with override(user.language):
        for notice in notices:
            words = str(notice.of.words)
            if words not in by_case[notice.case.number]:
                by_case[notice.case.number].append(words)
        lines = [f"{number}: {'; '.join(words)}" for number, words in list(by_case.items())[:SHOWN]]
        count = len(notices)
        subject = ngettext("Mizan: %(count)d notice", "Mizan: %(count)d notices", count) % {"count": count}
        foot = _("You choose what is sent by e-mail:") + " " + settings.BASE_URL + reverse("cases:notice-settings")
    link = settings.BASE_URL + reverse("cases:notices")
    mail = EmailMessage(subject, "\n".join([*lines, "", link, "", foot]), settings.DEFAULT_FROM_EMAIL, [user.email])
    mail.extra_headers |= {"Message-ID": f"<{row.pk}@{settings.AUDIT_ORIGIN}>", "Auto-Submitted": "auto-generated"}
    return mail


register(DIGEST, send)
