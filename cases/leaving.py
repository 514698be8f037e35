"""Whoever leaves gives their open cases back to the queue; whoever loses a role loses what they were named for on
restricted cases. Every night: who still has such a grant.

A grant gives nothing beyond the roles anyway (`permissions.allowed`). It is taken away all the same, so that a role
that somebody gets again, or a sign-in that opens again, revives none of it.
"""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from django.db.models import Exists, OuterRef
from django.utils.translation import gettext_lazy as _

from audit.actors import Acts
from audit.record import record
from cases.models import Case, CaseUserPermission, QueueGroupPermission, QueueUserPermission
from cases.permissions import VIEW, WORK
from cases.services import give
from compliance.people.access import leaving, rights
from compliance.people.access.rights import Finding, Held
from compliance.people.conflicts.models import ConflictOfInterest
from compliance.people.models import User


def end_grants(user: User, *, by: Acts) -> int:
    """Take the user's own grants that no role of theirs bears any more, each case with its entry. How many cases."""
    gone: dict[Any, list[CaseUserPermission]] = defaultdict(list)
    rows = CaseUserPermission.objects.filter(~_borne(), user=user).select_related("permission")
    for row in rows.order_by("content_object_id"):
        gone[row.content_object_id].append(row)
    for pk, ended in gone.items():
        case = Case.objects.select_for_update(of=("self",)).get(pk=pk)
        CaseUserPermission.objects.filter(pk__in=[row.pk for row in ended]).delete()
        taken = sorted(row.permission.codename for row in ended)
        record("cases.end_grant", by=by, about=case, details={"users": [str(user.pk)], "rights": taken})
        if WORK in taken and case.assignee_id == user.pk:
            give(case, None, by=by)
    return len(gone)


def release_cases(user: User, *, by: Acts) -> int:
    """Whoever left is responsible for nothing: their open cases wait in the queue for the next one. How many."""
    held = Case.objects.open().filter(assignee=user).order_by("pk").select_for_update(of=("self",))
    for case in held:
        give(case, None, by=by)
    return len(held)


def named_without_role() -> Iterator[Finding]:
    """Named on a case, without a role that could bear it: written by SQL, or by an act that met the leaving."""
    rows = CaseUserPermission.objects.filter(~_borne()).values_list("user__email", "content_object__number")
    for email, number in rows.order_by("user__email", "content_object__number").distinct():
        yield Finding("named_without_role", email, number)


def seen_by_nobody() -> Iterator[Finding]:
    """Open restricted cases whose last person is gone, or knows the player."""
    knows = ConflictOfInterest.objects.filter(
        user__human_id=OuterRef("user__human_id"), customer=OuterRef("content_object__customer")
    )
    seeing = CaseUserPermission.objects.filter(_borne(), ~Exists(knows), user__is_active=True)
    seeing = seeing.filter(content_object=OuterRef("pk"), permission__codename=VIEW)
    for number in Case.objects.open().filter(~Exists(seeing), restricted=True).order_by("number").values_list("number"):
        yield Finding("seen_by_nobody", "", number[0])


def named_on_cases() -> Iterator[Held]:
    """Who is named on how many restricted cases that are not finished. Which, only those named on them may know."""
    rows = CaseUserPermission.objects.filter(content_object__in=Case.objects.open().filter(restricted=True))
    named: dict[User, list[CaseUserPermission]] = defaultdict(list)
    for row in rows.select_related("user", "permission"):
        named[row.user].append(row)
    for user, held in named.items():
        may = sorted({row.permission.codename.removesuffix("_case") for row in held})
        count = len({row.content_object_id for row in held})
        yield Held(user=user, kind=_("Restricted cases:"), what=str(count), where=", ".join(may))


def _borne() -> Exists:
    """Of a grant on a case: somebody's group, or they themselves, hold the same right on its queue."""
    same = {
        "content_object": OuterRef("content_object__queue"),
        "permission__codename": OuterRef("permission__codename"),
    }
    through = QueueGroupPermission.objects.filter(**same, group__user=OuterRef("user"))
    return Exists(through) | Exists(QueueUserPermission.objects.filter(**same, user=OuterRef("user")))  # type: ignore[return-value]


leaving.register("cases", release_cases)
leaving.with_roles(end_grants)
rights.also_held(named_on_cases)
rights.also_look(named_without_role)
rights.also_look(seen_by_nobody)
