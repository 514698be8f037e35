"""Acts on contacts: log one, promise a call-back, settle a task. Each is one transaction with its entry."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Case as Choose
from django.db.models import When
from django.utils import timezone
from django.utils.translation import gettext as _

from audit.cards import without_cards
from audit.perform import ConditionsNotMet, perform
from audit.record import record
from cases.clocks.services import answered, player_wrote
from cases.contacts import wording
from cases.contacts.models import Contact, Task
from cases.models import Case
from cases.permissions import WORK
from cases.services import day_of, require
from compliance.keys.services import open_sealed, seal
from compliance.people.models import User

SUMMARY = "contacts.summary"
SPOKEN = ("phone", "chat", "in_person")  # whoever contacts us so is answered at once


@dataclass(frozen=True, slots=True)
class Logged:
    """What followed from a contact. `offer_exclusion`: the player wants to close the account and speaks of losses."""

    contact: Contact
    call_back: Task | None
    care: Task | None
    offer_exclusion: bool


@transaction.atomic
def log_contact(
    case: Case,
    *,
    by: User,
    channel: str,
    direction: str,
    category: str,
    outcome: str,
    summary: str,
    language: str = "",
    solved_at_once: bool = False,
    call_back_at: datetime | None = None,
) -> Logged:
    """Keep what was said, sealed; read it for words that ask for care; keep the call-back that was promised.

    A promise without a time, or a time that has passed, is refused (ConditionsNotMet): nothing of it could become due.
    """
    require(WORK, case, by=by, action="contacts.log")
    now, summary = timezone.now(), without_cards(summary.strip())
    if unmet := _unmet(summary, outcome, call_back_at, now):
        raise ConditionsNotMet(unmet)
    day = day_of(case.licensee, now)
    contact = Contact(
        case=case,
        channel=channel,
        direction=direction,
        category=category,
        outcome=outcome,
        language=language or case.account.language,
        solved_at_once=solved_at_once,
        word_list=wording.words_of(day).effective_from,
        contacted_at=now,
        logged_by=by,
    )
    contact.summary_sealed = seal(case.audit_subject, SUMMARY, summary.encode(), aad=contact.pk.bytes)
    contact.save(force_insert=True)
    facts = ("channel", "direction", "category", "outcome", "language", "solved_at_once")
    record(
        "contacts.log",
        by=by,
        about=contact,
        details={name: getattr(contact, name) for name in facts} | {"summary": summary},
    )
    call_back = (
        _task(contact, Task.Kind.CALL_BACK, "tasks.promise", due_at=call_back_at, by=by) if call_back_at else None
    )
    if direction == Contact.Direction.IN:
        player_wrote(case, by=by, at=now)
    if outcome != Contact.Outcome.NO_ANSWER and (direction == Contact.Direction.OUT or channel in SPOKEN):
        answered(case, by=by, at=now)
    urgent = bool(wording.hits(summary, "self_harm", on=day))
    care = _task(contact, Task.Kind.CARE, "tasks.call_for_care", due_at=now, by=by) if urgent else None
    closing = category == Contact.Category.CLOSE_ACCOUNT
    return Logged(contact, call_back, care, closing and bool(wording.hits(summary, "losses", on=day)))


def _unmet(summary: str, outcome: str, call_back_at: datetime | None, now: datetime) -> list[str]:
    wrong = []
    if not summary:
        wrong.append(_("Write in a line what it was about."))
    if outcome == Contact.Outcome.CALL_BACK and call_back_at is None:
        wrong.append(_("Say when you promised to call back."))
    if call_back_at is not None and call_back_at <= now:
        wrong.append(_("The call-back must lie in the future."))
    return wrong


def _task(contact: Contact, kind: str, action: str, *, due_at: datetime, by: User) -> Task:
    task = Task.objects.create(
        case=contact.case, kind=kind, due_at=due_at, made_at=timezone.now(), made_by=by, contact=contact
    )
    record(action, by=by, about=task, details={"kind": kind, "due_at": due_at})
    return task


def settle(task: Task, *, by: User, outcome: str, version: int | None = None) -> Task:
    """End a task with what came of it. Nothing else ends one: no handover, no closing of the case, no time."""
    if outcome not in dict(task.outcomes):
        raise ConditionsNotMet([_("Choose what came of it.")])
    return perform(task.settle, by=by, version=version, outcome=outcome, at=timezone.now())  # type: ignore[no-any-return]


def summary_of(contact: Contact) -> str:
    return open_sealed(contact.audit_subject, SUMMARY, bytes(contact.summary_sealed), aad=contact.pk.bytes).decode()


def open_tasks(user: Any) -> Any:
    """What waits for somebody on the cases this person may work on: care first, then by time. One query."""
    workable = Case.objects.allowed_to(user, WORK).order_by().values("pk")
    rows = Task.objects.filter(closed_at=None, case__in=workable)
    return rows.select_related("case__account", "case__assignee", "made_by").order_by(
        Choose(When(kind="care", then=0), default=1), "due_at", "id"
    )


def due_count(user: Any) -> int:
    """How many are due now."""
    return int(open_tasks(user).order_by().filter(due_at__lte=timezone.now()).count())
