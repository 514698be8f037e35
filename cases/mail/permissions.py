"""Who sorts the mail of a licensee: whoever works on its cases."""

from collections.abc import Set
from typing import Any

from django.db.models import QuerySet

from cases.models import Queue
from cases.permissions import DECIDE, WORK, granted, granted_as
from compliance.people import reach
from compliance.people.models import Licensee


def licensees_of(user: Any, permission: str = WORK) -> "QuerySet[Licensee]":
    return _of(granted(user, permission, Queue)) if getattr(user, "is_active", False) else Licensee.objects.none()


def _decides_as(user: Any, roles: Set[str]) -> "QuerySet[Licensee]":
    if not getattr(user, "is_active", False):
        return Licensee.objects.none()
    return _of(granted_as(roles, user, DECIDE, Queue))


def _of(queues: Any) -> "QuerySet[Licensee]":
    return Licensee.objects.filter(pk__in=queues.values("licensee_id"))


reach.register(_decides_as)
