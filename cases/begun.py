"""Which files somebody has looked at and not judged yet: begun is not the same as untouched (experience C3).

Who looked is read from the log. The AML side leaves no trace here, and whoever only reads has begun nothing.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from audit.models import Entry
from cases.assignment import workers_of
from cases.models import Case
from compliance.people.models import User
from compliance.people.permissions import on_the_aml_side


@dataclass(frozen=True, slots=True)
class Begun:
    """Who looked at it last, and when."""

    name: str
    at: datetime


def begun(case: Case, checks: Iterable[Any]) -> dict[str, Begun]:
    """By purpose, of the checks that wait for a verdict. Nothing is asked where none waits."""
    pending = [check for check in checks if check.evidence and check.status == "pending"]
    waiting = {str(check.evidence.document_id): check.purpose for check in pending}
    if not waiting:
        return {}
    looks = Entry.objects.filter(log="main", matter=case.number, action="audit.read", object_kind="document")
    rows = list(looks.filter(object_id__in=waiting, actor_kind="staff").order_by("id"))
    people = workers_of(case.queue).filter(pk__in={row.actor_id for row in rows}) if rows else User.objects.none()
    names = {str(user.pk): user.name for user in people if not on_the_aml_side(user)}
    return {waiting[row.object_id]: Begun(names[row.actor_id], row.at) for row in rows if row.actor_id in names}
