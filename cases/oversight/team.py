"""What a team lead watches: who has how much, how old it is, what is late, what waits for a second person.

A lead sees the cases of the queues of the teams in which they are manager, as far as they may see them. Every number is
the length of a list of the queue page: both come from the same question (`cases.lists`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db.models import Count, Min, OuterRef, Q, QuerySet, Subquery
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from cases.clocks.models import Clock
from cases.models import Case, Queue
from cases.queries import CaseQuerySet
from compliance.people.duty.services import absences_now, on_shift
from compliance.people.models import Team, User
from compliance.people.roles import Manager
from compliance.proposals.models import Proposal

SHOWN: Final = 20  # rows of the lists on the page
# Age of an open case, by its upper end; the last has none.
AGES: Final[Sequence[tuple[str | Promise, timedelta | None]]] = (
    (_("under a day"), timedelta(days=1)),
    (_("1 to 3 days"), timedelta(days=3)),
    (_("3 to 7 days"), timedelta(days=7)),
    (_("7 to 30 days"), timedelta(days=30)),
    (_("over 30 days"), None),
)


@dataclass(frozen=True, slots=True)
class Load:
    """What one person has; `user` None: what nobody has."""

    user: User | None
    open: int
    waiting: int
    late: int
    today: int
    oldest: datetime | None
    here: bool
    away_until: datetime | None


def led_by(user: Any) -> "QuerySet[Team]":
    """Teams in which this person is manager."""
    return Team.objects.filter(memberships__user=user, memberships__role=Manager.name).distinct().order_by("name")


def queues_of(teams: "QuerySet[Team]") -> "QuerySet[Queue]":
    """The queues of these teams, by licensee and kind."""
    return Queue.objects.filter(team__in=teams).select_related("licensee").order_by("licensee__name", "kind", "pk")


def cases_of(teams: "QuerySet[Team]", *, user: Any) -> CaseQuerySet:
    """Their open cases, as far as the lead may see them."""
    return Case.objects.visible_to(user).open().filter(queue__team__in=teams)


def loads(cases: CaseQuerySet, teams: "QuerySet[Team]", *, now: datetime) -> list[Load]:
    """One row for everybody who works in the teams or has a case of theirs; what nobody has comes first."""
    busy = Q(waiting_for="")
    rows = (
        cases.order_by()
        .values("assignee")
        .annotate(
            open=Count("pk"),
            waiting=Count("pk", filter=~busy),
            late=Count("pk", filter=Q(due_at__lt=now)),
            today=Count("pk", filter=Q(due_at__gte=now, due_at__lt=now + timedelta(days=1))),
            oldest=Min("opened_at"),
        )
    )
    found: Mapping[UUID | None, dict[str, Any]] = {
        row["assignee"]: {name: value for name, value in row.items() if name != "assignee"} for row in rows
    }
    nothing = {"open": 0, "waiting": 0, "late": 0, "today": 0, "oldest": None}
    people = User.objects.filter(Q(pk__in=[pk for pk in found if pk]) | Q(memberships__team__in=teams, is_active=True))
    present = set(on_shift(now).values_list("pk", flat=True))
    away = dict(absences_now(now).values_list("user_id", "ends_at"))
    named = [
        Load(one, **found.get(one.pk, nothing), here=one.pk in present, away_until=away.get(one.pk))
        for one in people.distinct().order_by("name", "pk")
    ]
    return [Load(None, **found.get(None, nothing), here=False, away_until=None), *named]


def ages(cases: CaseQuerySet, *, now: datetime) -> list[tuple[str | Promise, int]]:
    """How many open cases there are of each age."""
    counts: dict[str, Any] = {}
    younger: timedelta | None = None
    for place, (_words, until) in enumerate(AGES):
        held = Q() if until is None else Q(opened_at__gt=now - until)
        held &= Q() if younger is None else Q(opened_at__lte=now - younger)
        counts[f"age{place}"] = Count("pk", filter=held)
        younger = until
    found = cases.order_by().aggregate(**counts)
    return [(words, found[f"age{place}"]) for place, (words, _until) in enumerate(AGES)]


def breaches(cases: CaseQuerySet) -> "QuerySet[Clock]":
    """Running clocks whose time is used up, the longest overdue first."""
    running = Clock.objects.filter(stopped_at=None, breached_at__isnull=False, case__in=cases)
    return running.select_related("case__assignee", "case__account").order_by("breached_at", "pk")


def at_risk(cases: CaseQuerySet) -> "QuerySet[Clock]":
    """Running clocks of which three quarters are used up, and not all yet."""
    running = Clock.objects.filter(stopped_at=None, breached_at=None, warned_at__isnull=False, case__in=cases)
    return running.select_related("case__assignee", "case__account").order_by("warned_at", "pk")


def approvals(cases: CaseQuerySet) -> "QuerySet[Proposal]":
    """Decisions on these cases that wait for a second person, the oldest first."""
    parked = Proposal.objects.of_log("main").parked().filter(subject_id__in=cases.values("pk"))
    number = Subquery(Case.objects.filter(pk=OuterRef("subject_id")).values("number")[:1])
    waiting: QuerySet[Proposal] = parked.select_related("maker").annotate(number=number).order_by("created_at", "pk")
    return waiting


def takers(teams: "QuerySet[Team]") -> "QuerySet[User]":
    """To whom a case of the teams may be given; whether this one may be is asked case by case."""
    return User.objects.filter(memberships__team__in=teams, is_active=True).distinct().order_by("name", "pk")
