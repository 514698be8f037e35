"""Snoozing: a case leaves the lists of work with a reason and comes back by itself, to the queue and person it had.

No clock stops for it: what is due stays due. It comes back at its minute whether or not a sweep ran, because lists
compare the time themselves; the sweep only writes down that it is back. Every case has a time of return, also one that
waits for the player's answer: nothing sleeps for good.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import transaction
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from audit.actors import Acts, system
from audit.names import register
from audit.perform import ConditionsNotMet, StaleVersion
from audit.record import record
from cases.happenings import Happening, listen, tell
from cases.models import Case
from cases.permissions import WORK
from cases.services import locked, require

LONGEST: Final = timedelta(days=60)
URGENT: Final = 3
PLAYER: Final = "player"  # comes back earlier when the player writes, calls or brings a file
REASONS: Final[Mapping[str, str | Promise]] = {
    "answer_expected": gettext_lazy("An answer from somebody else is expected"),
    "file_expected": gettext_lazy("The player said when the file comes"),
    "player_asked": gettext_lazy("The player asked for time"),
    "other_case_first": gettext_lazy("Another case comes first"),
    "technical": gettext_lazy("Technical trouble has to be solved first"),
}


def unmet(case: Case, *, until: datetime, because: str, wakes_on: str = "", now: datetime) -> list[str]:
    """Why this case cannot be snoozed so, in words."""
    wrong = []
    if case.closed_at is not None or case.merged_into_id is not None:
        wrong.append(_("This case is finished."))
    if case.priority >= URGENT:
        wrong.append(_("An urgent case is not snoozed."))
    if not now < until <= now + LONGEST:
        wrong.append(_("Choose a time within the next 60 days."))
    if because not in REASONS:
        wrong.append(_("Choose a reason."))
    if wakes_on not in ("", PLAYER):
        wrong.append(_("A case can come back earlier when the player answers, for nothing else."))
    return wrong


@transaction.atomic
def snooze(
    case: Case,
    *,
    by: Acts,
    until: datetime,
    because: str,
    wakes_on: str = "",
    version: int | None = None,
    batch: str = "",
) -> Case:
    """Out of the lists of work until a moment, or until the player answers, whichever comes first."""
    require(WORK, case, by=by, action="cases.snooze")
    case = locked(case)
    if version is not None and version != case.version:
        raise StaleVersion(case)
    if wrong := unmet(case, until=until, because=because, wakes_on=wakes_on, now=timezone.now()):
        raise ConditionsNotMet(wrong)
    _set(case, until, because, wakes_on)
    details = {"snoozed_until": until, "snoozed_because": because, "wakes_on": wakes_on}
    record("cases.snooze", by=by, about=case, reason=because, details=details | ({"batch": batch} if batch else {}))
    return case


@transaction.atomic
def wake(case: Case, *, by: Acts) -> Case:
    """Back at once, because somebody wants to go on with it."""
    require(WORK, case, by=by, action="cases.wake")
    case = locked(case)
    if case.snoozed_until is not None:
        _woken(case, by=by, reason="asked_for")
    return case


@transaction.atomic
def player_answered(case: Case) -> None:
    """The player wrote, called or brought a file: what slept for that comes back now."""
    found = Case.objects.select_for_update(of=("self",)).filter(pk=case.pk, wakes_on=PLAYER).first()
    if found is not None:
        _woken(found, by=system(), reason="player_answered")
        case.snoozed_until, case.snoozed_because, case.wakes_on = None, "", ""


def wake_due() -> int:
    """Write down what came back by itself since the last sweep. How many."""
    due = Case.objects.filter(snoozed_until__lte=timezone.now()).order_by("snoozed_until", "id")
    return sum(_wake_one(pk) for pk in due.values_list("pk", flat=True)[:500])


@transaction.atomic
def _wake_one(pk: Any) -> bool:
    rows = Case.objects.select_for_update(of=("self",), skip_locked=True)
    case = rows.filter(pk=pk, snoozed_until__lte=timezone.now()).first()
    if case is not None:
        _woken(case, by=system(), reason="time")
    return case is not None


def _woken(case: Case, *, by: Acts, reason: str) -> None:
    until = case.snoozed_until
    _set(case, None, "", "")
    record("cases.wake", by=by, about=case, reason=reason, details={"snoozed_until": until})
    tell(case, "woke", by=by, to=[case.assignee])


def _set(case: Case, until: datetime | None, because: str, wakes_on: str) -> None:
    case.snoozed_until, case.snoozed_because, case.wakes_on = until, because, wakes_on
    case.version += 1
    case.save(update_fields=["snoozed_until", "snoozed_because", "wakes_on", "version"])


def _heard(happening: Happening) -> None:
    """A file is an answer, whoever brought it in."""
    case = Case.objects.filter(pk=happening.case_id, wakes_on=PLAYER).first() if happening.what == "file" else None
    if case is not None:
        player_answered(case)


listen(_heard)


def _words(codes: Iterable[str]) -> dict[str, str]:
    return {code: str(REASONS[code]) for code in codes if code in REASONS}


register("snoozed_because", _words)
