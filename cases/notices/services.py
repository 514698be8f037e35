"""Telling staff: `tell` where something happens, in its transaction. Lists and reading. Choices: choosing.py."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import F
from django.utils import timezone

from audit.actors import Acts
from cases.models import Case
from cases.notices.choosing import choices_of, choices_of_each
from cases.notices.kinds import KINDS
from cases.notices.models import Notice
from cases.permissions import DECIDE, VIEW, may
from compliance.people.models import Membership, User
from compliance.people.queries import fold
from compliance.people.roles import ROLES


def tell(kind: str, *, case: Case, to: Iterable[User], key: object, by: Acts | None = None) -> int:
    """Tell people of an event on a case, once for each `key`. How many were told.

    Left out: who did it themselves (`by`, under any sign-in), who may not see the case, who wants no such notice.
    """
    known, now = KINDS[kind], timezone.now()
    actor = getattr(by, "human_id", None)
    rows = []
    for user in {one.pk: one for one in to}.values():
        page, mail = choices_of(user)[kind]
        if (actor and user.human_id == actor) or not (page or mail) or not may(user, VIEW, case):
            continue
        # What is hidden from most must not travel by mail either.
        mail = mail and not case.restricted
        if page or mail:
            rows.append(
                Notice(user=user, case_id=case.pk, kind=kind, key=str(key), in_page=page, by_mail=mail, made_at=now)
            )
    assert known.label
    return len(Notice.objects.bulk_create(rows, ignore_conflicts=True))


@dataclass(frozen=True, slots=True)
class Event:
    """Something on a case that some people should know of; `key` names it."""

    case: Case
    to: Sequence[User]
    key: object


def tell_each(kind: str, events: Sequence[Event]) -> int:
    """`tell` for many events of the product itself: two queries and one for each person, however many the cases."""
    people = {user.pk: user for event in events for user in event.to}
    if not people:
        return 0
    cases, chosen, now = {event.case.pk for event in events}, choices_of_each(people.values()), timezone.now()
    seen = {
        pk: set(Case.objects.allowed_to(user, VIEW).filter(pk__in=cases).order_by().values_list("pk", flat=True))
        for pk, user in people.items()
    }
    rows = []
    for event in events:
        for pk in dict.fromkeys(user.pk for user in event.to):
            page, mail = chosen[pk][kind]
            mail = mail and not event.case.restricted
            if (page or mail) and event.case.pk in seen[pk]:
                told = {"case_id": event.case.pk, "kind": kind, "key": str(event.key)}
                rows.append(Notice(user_id=pk, in_page=page, by_mail=mail, made_at=now, **told))
    return len(Notice.objects.bulk_create(rows, ignore_conflicts=True))


# ---------------------------------------------------------------------------------------------------- whom
def managers_by_queue(queues: Iterable[Any]) -> dict[Any, list[User]]:
    """The managers of each queue's team, in one query."""
    found: dict[Any, list[User]] = {}
    held = Membership.objects.filter(team__queues__in=list(queues), role="manager", user__is_active=True)
    rows = held.annotate(queue=F("team__queues")).filter(queue__in=list(queues)).select_related("user")
    for member in rows.order_by("user_id").distinct():
        found.setdefault(member.queue, []).append(member.user)
    return found


def managers_of(case: Case) -> list[User]:
    """The managers of the case's team."""
    return _of_the_team(case, {"manager"})


def deciders_of(case: Case) -> list[User]:
    """Who may confirm in the case's team."""
    return _of_the_team(case, {role.name for role in ROLES.values() if DECIDE in role.queue_permissions})


def carers_of(case: Case) -> list[User]:
    """Whoever has the case, and those in its team who look after players; its managers where there is none."""
    carers = _of_the_team(case, {"rg_officer"})
    return [*responsible_for(case), *carers] if case.assignee_id or not carers else carers


def responsible_for(case: Case) -> list[User]:
    """Whoever has the case; its managers while nobody has it."""
    return [case.assignee] if case.assignee and case.assignee.is_active else managers_of(case)


def _of_the_team(case: Case, roles: set[str]) -> list[User]:
    members = Membership.objects.filter(team__queues=case.queue_id, role__in=roles, user__is_active=True)
    return list(User.objects.filter(pk__in=members.values("user")).order_by("pk"))


def mentioned(text: str, case: Case, *, by: User, key: object) -> int:
    """Tell those whom a note calls by @name: members of the case's team, by full name or a first name nobody shares."""
    if "@" not in text:
        return 0
    team = Membership.objects.filter(team__queues=case.queue_id, user__is_active=True).values("user")
    people = list(User.objects.filter(pk__in=team).order_by("pk"))
    firsts = [fold(user.name).split(" ")[0] for user in people]
    called = []
    for user, first in zip(people, firsts, strict=True):
        whole = fold(user.name)
        handles = {whole, whole.replace(" ", "."), whole.replace(" ", "")} | (
            {first} if firsts.count(first) == 1 else set()
        )
        if re.search(rf"(?<!\w)@(?:{'|'.join(re.escape(handle) for handle in handles if handle)})(?!\w)", fold(text)):
            called.append(user)
    return tell("mention", case=case, to=called, key=key, by=by)


# ---------------------------------------------------------------------------------------------------- reading
def unread_count(user: Any, *, up_to: int) -> int:
    """Unread notices that this person may still see, counted no further than one more than `up_to`."""
    rows = Notice.objects.visible_to(user).unread().filter(in_page=True)
    return int(rows.values("pk")[: up_to + 1].count())


def list_of(user: Any, *, limit: int) -> list[Notice]:
    """Unread first, of these what is urgent, then the newest."""
    rows = Notice.objects.visible_to(user).filter(in_page=True, kind__in=KINDS).select_related("case")
    found = rows.order_by(F("read_at").desc(nulls_first=True), "-made_at", "id")[:limit]
    return sorted(found, key=lambda notice: (notice.read_at is not None, not notice.of.urgent))


def read_case(case: Case, *, user: Any) -> None:
    """Who opens a case has read its notices, on every device."""
    Notice.objects.filter(user_id=user.pk, case_id=case.pk, read_at=None).update(read_at=timezone.now())


def mark(user: Any, ids: Iterable[Any] | None, *, read: bool) -> int:
    """Mark some (`ids`), or all, as read or unread again. How many changed."""
    rows = Notice.objects.filter(user_id=user.pk, read_at__isnull=read)
    if ids is not None:
        rows = rows.filter(pk__in=list(ids))
    return rows.update(read_at=timezone.now() if read else None)
