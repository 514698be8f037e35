"""Until when a player may object to a decision (`objection_days`), as the letter says and as reopening asks."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from cases import texts
from cases.contacts.models import Contact
from cases.mail.models import Letter
from compliance import formats
from compliance.rulebook.queries import policy_at

if TYPE_CHECKING:
    from cases.types.verification.models import Verification

ACT, REASON = "reopen", "objection"


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
    """Why an objection cannot open the case again, in words. Who wrote or called in time is never too late."""
    if (act, reason) != (ACT, REASON) or case.closed_at is None or timezone.now() < until(case):
        return []
    called = Contact.objects.filter(case=case, direction="in", contacted_at__gte=case.closed_at)
    wrote = Letter.objects.filter(case=case, arrived_at__gte=case.closed_at)
    if called.filter(contacted_at__lt=until(case)).exists() or wrote.filter(arrived_at__lt=until(case)).exists():
        return []
    words = _("reason: the player could object until %(day)s, and nothing came. Choose another reason.")
    return [str(words) % {"day": formats.day(until(case) - timedelta(minutes=1), zone=case.licensee.zone)}]
