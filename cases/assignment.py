"""Who gets what: who may work on a queue, who is here, and giving free cases to whoever has the least.

A queue gives its cases out by itself only where that was switched on; else people take the next one.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from audit.actors import Acts, system
from audit.perform import ConditionsNotMet
from audit.record import record
from cases.models import Case, CaseGroupPermission, CaseUserPermission, Queue, QueueGroupPermission, QueueUserPermission
from cases.permissions import WORK, may
from cases.services import give
from compliance.people.duty.services import on_shift
from compliance.people.models import User

AT_ONCE = 200  # cases that one round gives out; the next round takes the rest


def workers_of(queue: Queue) -> "QuerySet[User]":
    """The active sign-ins that may work on the queue's cases."""
    return _holding(
        QueueUserPermission.objects.filter(content_object=queue),
        QueueGroupPermission.objects.filter(content_object=queue),
    )


def candidates(case: Case) -> "QuerySet[User]":
    """Who may work on this case: the queue's people, of a restricted case those it names; nobody with a conflict."""
    users = CaseUserPermission.objects.filter(content_object_id=case.pk)
    groups = CaseGroupPermission.objects.filter(content_object_id=case.pk)
    found = workers_of(case.queue)
    if case.restricted:
        found = found.filter(pk__in=_holding(users, groups).values("pk"))
    conflicts = User.objects.filter(conflicts__customer_id=case.customer_id).values("human_id")
    return found.exclude(human_id__in=conflicts).distinct().order_by("name", "email")


def _holding(users: Any, groups: Any) -> "QuerySet[User]":
    granted = Q(pk__in=users.filter(permission__codename=WORK).values("user_id"))
    through = Q(groups__in=groups.filter(permission__codename=WORK).values("group_id"))
    return User.objects.filter(granted | through, is_active=True).distinct()


def loads(people: Iterable[User]) -> Counter[Any]:
    """Open cases that each has in hand now, by sign-in: what waits or is snoozed does not count."""
    ids = [person.pk for person in people]
    rows = Case.objects.open().awake().filter(assignee__in=ids, waiting_for="").order_by()
    return Counter(rows.values_list("assignee_id", flat=True))


@transaction.atomic
def give_out(queue: Queue, *, by: Acts, batch: str = "") -> int:
    """Give the queue's free cases, most urgent first, each to who is on shift and has the least. How many.

    Nobody gets more than the queue's `most_each`, a case of somebody they know, or anything while they are away.
    """
    here = list(workers_of(queue).filter(pk__in=on_shift().values("pk")).order_by("name", "pk"))
    if not here:
        return 0
    free = Case.objects.open().free().filter(queue=queue, restricted=False).order_by("-priority", "due_at", "id")
    given, load = 0, loads(here)
    for case in free.select_for_update(of=("self",), skip_locked=True)[:AT_ONCE]:
        taker = _least(case, here, load, most=queue.most_each)
        if taker is not None:
            give(case, taker, by=by, batch=batch)
            load[taker.pk] += 1
            given += 1
    return given


def _least(case: Case, here: Sequence[User], load: Counter[Any], *, most: int) -> User | None:
    for person in sorted(here, key=lambda person: load[person.pk]):
        if load[person.pk] >= most:
            return None
        if may(person, WORK, case):
            return person
    return None


def give_out_all() -> int:
    """The sweep: every queue that gives its cases out by itself. How many were given."""
    return sum(give_out(queue, by=system()) for queue in Queue.objects.filter(gives_out=True).order_by("pk"))


@transaction.atomic
def set_assignment(queue: Queue, *, gives_out: bool, most_each: int, by: Acts) -> Queue:
    """Whether the queue gives its cases out by itself, and how many a person gets at most."""
    if not 1 <= most_each <= 500:
        raise ConditionsNotMet([_("most_each: choose a number from 1 to 500.")])
    queue = Queue.objects.select_for_update().get(pk=queue.pk)
    queue.gives_out, queue.most_each = gives_out, most_each
    queue.save(update_fields=["gives_out", "most_each"])
    record("cases.set_assignment", by=by, about=queue, details={"gives_out": gives_out, "most_each": most_each})
    return queue
