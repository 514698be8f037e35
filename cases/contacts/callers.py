"""Before anything is disclosed: questions from what is known, answers compared by the product, the result recorded.

The member of staff never sees the right answer, types what the caller says, and learns what may be said only when
enough is right. An exclusion needs no check: stopping play never waits for one.
"""

import random
from datetime import date, datetime, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from audit.perform import ConditionsNotMet
from audit.record import record
from cases.contacts.models import CallerCheck
from cases.models import Case
from cases.permissions import WORK
from cases.services import require
from compliance.people.contacts import normal_email
from compliance.people.models import Customer, User
from compliance.people.queries import fold
from compliance.people.services import known_of

QUESTIONS: dict[str, str | Promise] = {
    "birth_date": gettext_lazy("Date of birth (day, month, year)"),
    "national_id": gettext_lazy("Last four digits of the identity number"),
    "phone": gettext_lazy("Last four digits of the phone number on the account"),
    "email": gettext_lazy("E-mail address on the account"),
    "reference": gettext_lazy("Player number"),
}
ASKED = 3  # questions of a check; with fewer facts all of them, never under LEAST
LEAST = 2
HOLDS = timedelta(minutes=30)  # a passed check is of one call
WRONG_IN_A_DAY = 3  # then nobody guesses on
DAY_FORMATS = ("%d.%m.%Y", "%d/%m/%Y", "%d-%m-%Y", "%Y-%m-%d", "%d %m %Y", "%d%m%Y")


@transaction.atomic
def start(case: Case, *, by: User, draw: Any = None) -> CallerCheck:
    """Draw the questions. ConditionsNotMet when too little is known, or too many were wrong today."""
    require(WORK, case, by=by, action="contacts.start_check")
    now = timezone.now()
    _refuse_after_too_many(case, now)
    # Asking again does not draw easier questions.
    begun = CallerCheck.objects.filter(case=case, started_by=by, answered_at=None, started_at__gt=now - HOLDS)
    if (check := begun.order_by("started_at").first()) is not None:
        return check
    known = [fact for fact in QUESTIONS if _known(case, fact)]
    if len(known) < LEAST:
        raise ConditionsNotMet([_("Too little is known of this player to check a caller. Disclose nothing.")])
    drawn = (draw or random.SystemRandom()).sample(known, min(ASKED, len(known)))
    asked = [fact for fact in QUESTIONS if fact in drawn]
    check = CallerCheck.objects.create(case=case, asked=asked, started_at=now, started_by=by)
    record("contacts.start_check", by=by, about=check, details={"asked": asked})
    return check


@transaction.atomic
def answer(check: CallerCheck, answers: dict[str, str], *, by: User) -> CallerCheck:
    """Compare what the caller said; all must be right. Answered once: another try is another check, and counted."""
    fresh = (
        CallerCheck.objects.select_for_update(of=("self",))
        .select_related("case__customer", "case__account")
        .get(pk=check.pk)
    )
    require(WORK, fresh.case, by=by, action="contacts.check_caller")
    if fresh.answered_at is not None:
        raise ConditionsNotMet([_("This check was answered already. Start another one.")])
    _refuse_after_too_many(fresh.case, timezone.now())
    fresh.passed = all(_is_right(fresh.case, fact, answers.get(fact, "")) for fact in fresh.asked)
    fresh.answered_at = timezone.now()
    fresh.save(update_fields=["passed", "answered_at"])
    record("contacts.check_caller", by=by, about=fresh, details={"asked": fresh.asked, "passed": fresh.passed})
    return fresh


def _refuse_after_too_many(case: Case, now: datetime) -> None:
    """The lock makes those who try at once wait for each other, so that each sees what failed before."""
    Customer.objects.select_for_update(of=("self",)).get(pk=case.customer_id)
    checks = CallerCheck.objects.filter(case__customer_id=case.customer_id, answered_at__gt=now - timedelta(days=1))
    if checks.filter(passed=False).count() >= WRONG_IN_A_DAY:
        raise ConditionsNotMet(
            [_("Three checks failed within a day. Disclose nothing by phone; the player can write.")]
        )


def may_disclose(case: Case, user: User, *, at: datetime | None = None) -> CallerCheck | None:
    """The check that lets this person speak about this case now, or None."""
    since = (at or timezone.now()) - HOLDS
    rows = CallerCheck.objects.filter(case_id=case.pk, started_by=user, answered_at__gt=since)
    newest = rows.order_by("-answered_at").first()
    return newest if newest and newest.passed else None


def _known(case: Case, fact: str) -> str:
    if fact == "reference":
        return case.account.reference
    if fact == "birth_date":
        return case.customer.birth_date.isoformat() if case.customer.birth_date else ""
    return known_of(case.account if fact in ("phone", "email") else case.customer, fact)


def _is_right(case: Case, fact: str, said: str) -> bool:
    known, said = _known(case, fact), said.strip()
    if not known or not said:
        return False
    match fact:
        case "birth_date":
            return _day(said) == date.fromisoformat(known)
        case "phone" | "national_id":
            digits = "".join(str(int(letter)) for letter in said if letter.isdecimal())
            return len(digits) >= 4 and "".join(filter(str.isalnum, known))[-4:] == digits[-4:]
        case "email":
            try:
                return normal_email(said) == known
            except ValidationError:
                return False
    return fold(said) == fold(known)


def _day(said: str) -> date | None:
    for form in DAY_FORMATS:
        try:
            return datetime.strptime(said, form).date()  # noqa: DTZ007 - a date of birth has no zone
        except ValueError:
            continue
    return None
