"""Words that ask for care at once, wherever they come in: a contact, a letter, a note, an answer of the player."""

from django.db import transaction
from django.utils import timezone

from audit.actors import Acts
from audit.record import record
from cases.contacts import wording
from cases.contacts.models import Contact, Task
from cases.models import Case
from cases.patterns import feeds
from compliance.people.models import User


@transaction.atomic
def look(case: Case, text: str, *, by: Acts, contact: Contact | None = None) -> Task | None:
    """Open an urgent task when the text holds words that may mean self-harm. One that is open already is enough: who
    looks at it sees all that was said.
    """
    now = timezone.now()
    if not wording.hits(text, "self_harm", on=case.licensee.day_of(now)):
        return None
    Case.objects.select_for_update(of=("self",)).get(pk=case.pk)
    waiting = Task.objects.filter(case_id=case.pk, kind=Task.Kind.CARE, closed_at=None).order_by("made_at").first()
    if waiting is not None:
        return waiting
    made_by = by if isinstance(by, User) else None
    task = Task.objects.create(
        case=case, kind=Task.Kind.CARE, due_at=now, made_at=now, made_by=made_by, contact=contact
    )
    feeds.changed([case.customer_id])
    record("tasks.call_for_care", by=by, about=task, details={"kind": task.kind, "due_at": now})
    return task
