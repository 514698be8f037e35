"""Acts on contacts: log one, promise a call-back, settle a task. Each is one transaction with its entry."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from django.db import transaction
from django.db.models import Case as Choose
from django.db.models import When
from django.utils import timezone
from django.utils.translation import gettext as _

from audit.actors import Acts
from audit.cards import without_cards
from audit.perform import ConditionsNotMet, perform
from audit.record import record
from cases.clocks.services import answered, player_wrote
from cases.contacts import care, wording
from cases.contacts.models import Contact, Task
from cases.models import Case
from cases.permissions import WORK
from cases.services import in_touch, require
from compliance.keys.services import open_sealed, seal
from compliance.people.models import User

SUMMARY = "contacts.summary"
LATEST_LOG = timedelta(days=30)
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
    happened_at: datetime | None = None,
    token: UUID | None = None,
) -> Logged:
    """Keep what was said, sealed; read it for words that ask for care; keep the call-back that was promised.

    `happened_at`: when it was, if it is logged later. `token` is the form's: sent twice, it is logged once. A promise
    without a time, or a time that has passed, is refused (ConditionsNotMet): nothing of it could become due.
    """
    require(WORK, case, by=by, action="contacts.log")
    if token is not None and (known := _sent_before(case, token, by=by)):
        return known
    now, summary = timezone.now(), without_cards(summary.strip())
    if unmet := [*_unmet(summary, outcome, call_back_at, now), *_not_then(happened_at, now)]:
        raise ConditionsNotMet(unmet)
    day = case.licensee.day_of(now)
    contact = Contact(
        id=token or uuid4(),
        case=case,
        channel=channel,
        direction=direction,
        category=category,
        outcome=outcome,
        language=language or case.account.language,
        solved_at_once=solved_at_once,
        word_list=wording.words_of(day).effective_from,
        contacted_at=happened_at or now,
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
    if outcome != Contact.Outcome.NO_ANSWER:
        in_touch(case, at=contact.contacted_at)
    call_back = _promise(contact, call_back_at, by=by) if call_back_at else None
    if direction == Contact.Direction.IN:
        player_wrote(case, by=by, at=now)
    if outcome != Contact.Outcome.NO_ANSWER and (direction == Contact.Direction.OUT or channel in SPOKEN):
        answered(case, by=by, at=now)
    urgent = care.look(case, summary, by=by, contact=contact)
    closing = category == Contact.Category.CLOSE_ACCOUNT
    return Logged(contact, call_back, urgent, closing and bool(wording.hits(summary, "losses", on=day)))


def _not_then(happened_at: datetime | None, now: datetime) -> list[str]:
    """A contact is logged after it was, and not from memory months later."""
    if happened_at is None or now - LATEST_LOG <= happened_at <= now:
        return []
    return [str(_("A contact is logged within 30 days, and not before it was."))]


def _sent_before(case: Case, token: UUID, *, by: User) -> Logged | None:
    """What came of the same form when it was sent first. The lock makes two clicks at once wait for each other."""
    Case.objects.select_for_update(of=("self",)).get(pk=case.pk)
    contact = Contact.objects.filter(pk=token, case_id=case.pk, logged_by=by).first()
    if contact is None:
        return None
    tasks = {task.kind: task for task in Task.objects.filter(contact=contact)}
    return Logged(contact, tasks.get("call_back"), tasks.get("care"), offer_exclusion=False)


def _unmet(summary: str, outcome: str, call_back_at: datetime | None, now: datetime) -> list[str]:
    wrong = []
    if not summary:
        wrong.append(_("Write in a line what it was about."))
    if outcome == Contact.Outcome.CALL_BACK and call_back_at is None:
        wrong.append(_("Say when you promised to call back."))
    if call_back_at is not None and call_back_at <= now:
        wrong.append(_("The call-back must lie in the future."))
    return wrong


def _promise(contact: Contact, due_at: datetime, *, by: User) -> Task:
    task = Task.objects.create(
        case=contact.case, kind=Task.Kind.CALL_BACK, due_at=due_at, made_at=timezone.now(), made_by=by, contact=contact
    )
    record("tasks.promise", by=by, about=task, details={"kind": task.kind, "due_at": due_at})
    return task


def plan_contact(case: Case, due_at: datetime, *, by: Acts) -> Task:
    """The player is to be contacted at this time. For the same time one task is enough."""
    Case.objects.select_for_update(of=("self",)).get(pk=case.pk)
    waiting = Task.objects.filter(case_id=case.pk, kind=Task.Kind.CONTACT, closed_at=None, due_at=due_at).first()
    if waiting is not None:
        return waiting
    made_by = by if isinstance(by, User) else None
    now = timezone.now()
    task = Task.objects.create(case=case, kind=Task.Kind.CONTACT, due_at=due_at, made_at=now, made_by=made_by)
    record("tasks.plan_contact", by=by, about=task, details={"kind": task.kind, "due_at": due_at})
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
