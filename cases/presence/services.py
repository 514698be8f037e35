"""Presence: who else looks at this case now. It tells colleagues that they are two; nothing depends on it.

The AML side leaves no trace here: that somebody of it looks must not be seen from outside (practice.md, principle 4).
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.utils import timezone

from cases.models import Case
from cases.presence.models import Presence
from compliance.people.models import User
from compliance.people.permissions import on_the_aml_side

HERE = timedelta(seconds=30)
AGAIN = timedelta(seconds=5)  # a page that is asked for more often writes no more often
FORGOTTEN = timedelta(hours=1)


def look(case: Case, *, by: User, now: datetime | None = None) -> None:
    """This person looks at the case."""
    now = now or timezone.now()
    if on_the_aml_side(by):
        return
    row, made = Presence.objects.get_or_create(case_id=case.pk, user=by, defaults={"seen_at": now})
    if not made and row.seen_at < now - AGAIN:
        Presence.objects.filter(pk=row.pk).update(seen_at=now)


def others(case: Case, *, user: User) -> list[str]:
    """Names of the other persons who look at the case now."""
    return here([case.pk], user=user).get(case.pk, [])


def here(case_ids: Iterable[UUID], *, user: User) -> dict[UUID, list[str]]:
    """By case, the names of the other persons who look at it now. One query."""
    rows = Presence.objects.filter(case__in=list(case_ids), seen_at__gt=timezone.now() - HERE, user__is_active=True)
    found: dict[UUID, list[str]] = {}
    names: Any = rows.exclude(user__human_id=user.human_id).values_list("case_id", "user__name").distinct()
    for case_id, name in names.order_by("user__name"):
        found.setdefault(case_id, []).append(name)
    return found


def forget() -> int:
    """Delete what is long over. How many."""
    deleted, _models = Presence.objects.filter(seen_at__lt=timezone.now() - FORGOTTEN).delete()
    return deleted
