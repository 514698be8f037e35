"""Until when a player may object to a decision (`objection_days`), as the letter says and as reopening asks."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from audit.models import Entry
from cases import texts
from cases.contacts.models import Contact
from cases.mail.models import Letter
from cases.models import Message
from compliance import formats
from compliance.rulebook.queries import policy_at

if TYPE_CHECKING:
    from cases.types.verification.models import Verification

ACT, REASON = "reopen", "objection"
REFUSED, SINCE = "rejected", 2  # the message that names the day, from this version on


def until(case: "Verification") -> datetime:
    """The end of the last day, in the licensee's zone, counted from the decision; now, if there is none yet."""
    days: Any = policy_at(case.policy_version).verification.objection_days  # reading an absent rule raises
    licensee = case.licensee
    return licensee.day_starts(licensee.day_of(case.closed_at or timezone.now()) + timedelta(days=days.value + 1))


def last_day(case: "Verification", language: str) -> str:
    """The last day in words."""
    return formats.day(until(case) - timedelta(minutes=1), zone=case.licensee.zone, language=language)


def last_word(case: "Verification", letter: str) -> texts.Text:
    """The message that tells how the case ended; where one may object, until when."""
    language = case.account.language
    return texts.message(letter, language, number=case.number, date=last_day(case, language))


def too_late(case: "Verification", act: str, reason: str) -> list[str]:
    """Why an objection cannot open the case again, in words. Who was told of no day, or wrote or called in time, is
    never too late.
    """
    if (act, reason) != (ACT, REASON) or not _was_told(case) or timezone.now() < until(case):
        return []
    if _came_in_time(case):
        return []
    words = _("reason: the player could object until %(day)s, and nothing came. Choose another reason.")
    return [str(words) % {"day": formats.day(until(case) - timedelta(minutes=1), zone=case.licensee.zone)}]


def _was_told(case: "Verification") -> bool:
    """Whether the newest word of a refusal named the last day."""
    if case.closed_at is None or case.outcome != "rejected":
        return False
    newest = Message.objects.filter(case=case, code=REFUSED).order_by("-written_at").first()
    said = Entry.objects.filter(action="cases.write_message", matter=case.number, object_id=str(newest and newest.pk))
    return any(entry.facts["data"].get("version", 1) >= SINCE for entry in said)


def _came_in_time(case: "Verification") -> bool:
    """Whether the player was heard of between the decision and the last day, in whatever case."""
    between = (case.closed_at, until(case) - timedelta(microseconds=1))
    mine = Q(case__customer=case.customer_id)
    called = Contact.objects.filter(mine, direction="in", contacted_at__range=between)
    return called.exists() or Letter.objects.filter(mine, arrived_at__range=between).exists()
