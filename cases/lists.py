"""How a list of cases is asked for: kind, view, words, filters, order. All of it is the page's address.

To add a filter: 1. a field of `Asked`, named in FILTERS, 2. its line in `Asked.rows`, 3. its words in `Asked.chips`.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Self
from urllib.parse import urlencode
from uuid import UUID

from django.db import models
from django.db.models import Q, Value, When
from django.db.models.functions import Coalesce, Now
from django.http import QueryDict
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext_lazy

from cases import kinds, search
from cases.models import PRIORITIES, Case, Queue
from cases.paging import Order
from cases.permissions import VIEW, granted
from cases.queries import CaseQuerySet, up_to
from cases.tags.models import Tag
from compliance.formats import COUNTED
from compliance.look import STATES
from compliance.people.access.once import once
from compliance.people.duty.services import desks_of
from compliance.people.models import Licensee, Risk, User
from compliance.proposals.models import Proposal
from compliance.proposals.queries import waiting_for

NOBODY: Final = "nobody"
FILTERS: Final = ("state", "by", "language", "due", "tag", "priority", "risk", "licensee", "opened", "contact")
WEEK: Final = timedelta(days=7)
AWAKE: Final = Q(snoozed_until=None) | Q(snoozed_until__lte=Now())


def mine(desks: Collection[UUID]) -> Q:
    """What these sign-ins have to work on now."""
    return Q(assignee_id__in=desks, waiting_for="") & AWAKE


def due_today() -> Q:
    """Late, or due before the licensee's day is over; what waits for the player is due on no day."""
    today = Q(pk__in=())
    for licensee in Licensee.objects.only("pk", "time_zone"):
        tomorrow = licensee.day_starts(licensee.today() + timedelta(days=1))
        today |= Q(licensee=licensee.pk, due_at__lt=tomorrow)
    return today & Q(waiting_for="") & AWAKE


def to_approve(user: User) -> Q:
    """Cases on which a proposal waits for this person. They are few, and named: within the list's own question they
    would be sought anew for each of its cases.
    """
    # The oldest of those on open cases, one more than is counted; most other proposals are about no case at all.
    waiting = waiting_for(user).filter(subject_id__in=Case.objects.open().order_by().values("pk"))
    found = once(user, "to_approve", lambda: list(waiting.values_list("subject_id", flat=True)[: COUNTED + 1]))
    return Q(pk__in=found or [UUID(int=0)])  # none is asked for too: a page asks as much whoever looks at it


PRIORITY_NAMES: Final[Mapping[str, str | Promise]] = {str(level): word for level, word in PRIORITIES}

# fmt: off
# Each is asked with the viewer, and the sign-ins whose work they see as theirs: their own, and of those they stand in
# for. Every open case is in one of mine (of anybody), free, waiting and snoozed, and none is in two of them.
VIEWS: Final[Mapping[str, tuple[str | Promise, Callable[[User, Collection[UUID]], Q]]]] = {
    "mine": (gettext_lazy("My open"), lambda user, desks: mine(desks)),
    "free": (gettext_lazy("Unassigned"), lambda user, desks: Q(assignee=None, waiting_for="") & AWAKE),
    "approve": (gettext_lazy("Waiting for my approval"), lambda user, desks: to_approve(user)),
    "today": (gettext_lazy("Due today"), lambda user, desks: due_today()),
    "waiting": (gettext_lazy("Waiting for the player"), lambda user, desks: ~Q(waiting_for="") & AWAKE),
    "snoozed": (gettext_lazy("Snoozed"), lambda user, desks: Q(snoozed_until__gt=Now())),
    "all": (gettext_lazy("All open"), lambda user, desks: Q()),
}
ORDERS: Final[Mapping[str, Order]] = {
    "due": ("-priority", "due_at", "id"), "-due": ("priority", "-due_at", "-id"),
    "age": ("opened_at", "id"), "-age": ("-opened_at", "-id"),
    "player": ("customer__name_fold", "id"), "-player": ("-customer__name_fold", "-id"),
    "state": ("state", "due_at", "id"), "-state": ("-state", "-due_at", "-id"),
    "by": ("by_name", "due_at", "id"), "-by": ("-by_name", "-due_at", "-id"),
    "risk": ("risk_rank", "due_at", "id"), "-risk": ("-risk_rank", "-due_at", "-id"),
    "contact": ("quiet_since", "id"), "-contact": ("-quiet_since", "-id"),
}
# What some orders go by is in no column of the case: "" for nobody, how high a risk is instead of its word, and of a
# case without any contact the moment since when there was none.
RECKONED: Final[Mapping[str, tuple[str, Any]]] = {
    "by": ("by_name", Coalesce("assignee__name", Value(""))),
    "risk": ("risk_rank", models.Case(
        *(When(customer__risk=risk, then=Value(rank)) for rank, risk in enumerate(Risk.values)),
        default=Value(0), output_field=models.IntegerField(),
    )),
    "contact": ("quiet_since", Coalesce("last_contact_at", "opened_at")),
}
# What a row may show besides its number; "who" is the player, "by" who is responsible.
COLUMNS: Final[Mapping[str, str | Promise]] = {
    "why": gettext_lazy("Why here"), "who": gettext_lazy("Player"), "state": gettext_lazy("State"),
    "due": gettext_lazy("Due"), "age": gettext_lazy("Age"), "contact": gettext_lazy("Last contact"),
    "by": gettext_lazy("Responsible"),
}
UNASKED: Final = ("contact",)  # shown when somebody chooses it: with it the rows are wider than a small screen
DUE: Final[Mapping[str, tuple[str | Promise, Callable[[], Q]]]] = {
    "late": (pgettext_lazy("due", "overdue"), lambda: Q(due_at__lt=timezone.now())),
    "day": (pgettext_lazy("due", "within a day"), lambda: Q(due_at__lt=timezone.now() + timedelta(days=1))),
}
OPENED: Final[Mapping[str, tuple[str | Promise, Callable[[], Q]]]] = {
    "day": (pgettext_lazy("opened", "in the last day"), lambda: Q(opened_at__gte=timezone.now() - timedelta(days=1))),
    "week": (pgettext_lazy("opened", "in the last week"), lambda: Q(opened_at__gte=timezone.now() - WEEK)),
    "older": (pgettext_lazy("opened", "more than a week ago"), lambda: Q(opened_at__lt=timezone.now() - WEEK)),
}
# No contact with the player for so many days, on a case without any since it was opened.
CONTACT: Final[Mapping[str, int]] = {"1": 1, "3": 3, "7": 7, "14": 14, "30": 30}
RISKS: Final[Mapping[str, str | Promise]] = dict(Risk.choices)
# fmt: on

USUAL: Final = tuple(name for name in COLUMNS if name not in UNASKED)


@dataclass(frozen=True)
class Asked:
    """One list. What an address says that we do not know is left out."""

    kind: str = ""
    view: str = ""
    q: str = ""
    state: str = ""
    by: str = ""
    language: str = ""
    due: str = ""
    tag: str = ""
    priority: str = ""
    risk: str = ""
    licensee: str = ""
    opened: str = ""
    contact: str = ""
    sort: str = "due"
    cols: str = ""

    @classmethod
    def read(cls, query: QueryDict) -> Self:
        given = {name: query.get(name, "").strip() for name in cls.__dataclass_fields__}
        given["cols"] = _columns(",".join(query.getlist("cols")))
        known = {
            "kind": given["kind"] in kinds.kinds(),
            "view": given["view"] in VIEWS,
            "by": given["by"] == NOBODY or _is_id(given["by"]),
            "state": given["state"] in STATES,
            "due": given["due"] in DUE,
            "tag": _is_id(given["tag"]),
            "priority": given["priority"] in PRIORITY_NAMES,
            "risk": given["risk"] in RISKS,
            "licensee": _is_id(given["licensee"]),
            "opened": given["opened"] in OPENED,
            "contact": given["contact"] in CONTACT,
            "sort": given["sort"] in ORDERS,
        }
        return cls(**{name: value for name, value in given.items() if value and known.get(name, True)})

    def address(self, **changes: str) -> str:
        """The query part of the list's address, after `changes`."""
        asked = self.__dict__ | {name: value for name, value in changes.items() if name in self.__dict__}
        cursors = {name: value for name, value in changes.items() if name not in asked}
        kept = {name: value for name, value in asked.items() if value and (name, value) != ("sort", "due")}
        return "?" + urlencode(kept | cursors)

    @property
    def unfiltered(self) -> str:
        """The address without its filters; the words searched for and the order stay."""
        return self.address(**dict.fromkeys(FILTERS, ""))

    @property
    def columns(self) -> list[str]:
        """What the rows show, in the order of COLUMNS: what is usual, unless some were chosen."""
        return self.cols.split(",") if self.cols else list(USUAL)

    def open_cases(self, user: User) -> CaseQuerySet:
        """Open cases of the kind that the user may see, before any view or filter."""
        cases = Case.objects.visible_to(user).open()
        return cases.filter(kind=self.kind) if self.kind else cases

    def rows(self, user: User, *, desks: Collection[UUID] | None = None) -> CaseQuerySet:
        """The cases of the list. `desks` are those of `desks_of(user)`, where the caller asked already."""
        desks = desks_of(user) if desks is None and self.view == "mine" else desks or ()
        rows = self.open_cases(user).filter(VIEWS[self.view or "all"][1](user, desks))
        if self.q:
            rows = rows.filter(search.in_list(self.q, user=user))
        if self.state:
            rows = rows.filter(state=self.state)
        if self.by:
            rows = rows.filter(assignee=None) if self.by == NOBODY else rows.filter(assignee_id=UUID(self.by))
        if self.language:
            rows = rows.filter(account__language=self.language)
        if self.due:
            rows = rows.filter(DUE[self.due][1]())
        if self.tag:
            rows = rows.filter(tagged__tag_id=UUID(self.tag))
        if self.priority:
            rows = rows.filter(priority=int(self.priority))
        if self.risk:
            rows = rows.filter(customer__risk=self.risk)
        if self.licensee:
            rows = rows.filter(licensee_id=UUID(self.licensee))
        if self.opened:
            rows = rows.filter(OPENED[self.opened][1]())
        for name in {self.sort.lstrip("-"), "contact" if self.contact else ""} & RECKONED.keys():
            rows = rows.annotate(**dict([RECKONED[name]]))
        if self.contact:
            rows = rows.filter(Q(quiet_since__lt=timezone.now() - timedelta(days=CONTACT[self.contact])))
        return rows

    def changed(self, user: User, *, since: datetime) -> CaseQuerySet:
        """Those of the rows that came, or that somebody moved or proposed something on, after a moment."""
        # One after the other, each by its own index: asked with "or", every open case would be read each ten seconds.
        moved = Case.objects.order_by().filter(closed_at=None, changed_at__gt=since).values("pk")
        woke = Case.objects.order_by().filter(snoozed_until__gt=since, snoozed_until__lte=Now()).values("pk")
        parked = Proposal.objects.of_log("main").parked().order_by()
        proposed = parked.filter(created_at__gt=since).values("subject_id")
        return self.rows(user).filter(pk__in=moved.union(woke, proposed))

    def chips(self, user: User) -> list[dict[str, Any]]:
        """The filters in force, each with the address without it. The words searched for are one of them.

        What the address names and the viewer may not know of stays the id that it is.
        """
        found = [
            ("q", _("Search"), self.q),
            ("state", _("State"), STATES[self.state].word if self.state else ""),
            ("by", _("Responsible"), self._name(user)),
            ("language", _("Language"), self.language.upper()),
            ("due", _("Due"), DUE[self.due][0] if self.due else ""),
            ("tag", _("Tag"), self._tag(user)),
            ("priority", _("Priority"), PRIORITY_NAMES[self.priority] if self.priority else ""),
            ("risk", _("Risk"), RISKS[self.risk] if self.risk else ""),
            ("licensee", _("Licensee"), self._licensee(user)),
            ("opened", _("Opened"), OPENED[self.opened][0] if self.opened else ""),
            ("contact", _("No contact"), no_contact(self.contact) if self.contact else ""),
        ]
        return [
            {"name": name, "label": label, "value": value, "remove_url": self.address(**{name: ""})}
            for name, label, value in found
            if value
        ]

    def sorted_by(self, column: str) -> dict[str, str]:
        """How a column's head sorts: where it leads, and what `aria-sort` says now."""
        now = {column: "ascending", f"-{column}": "descending"}.get(self.sort, "")
        return {"url": self.address(sort=f"-{column}" if now == "ascending" else column), "now": now}

    def _name(self, user: User) -> str:
        if not self.by or self.by == NOBODY:
            return _("nobody yet") if self.by else ""
        colleague = Q(memberships__team__in=granted(user, VIEW, Queue).values("team"))
        has_one = Q(pk__in=Case.objects.visible_to(user).open().filter(assignee=UUID(self.by)).values("assignee"))
        return User.objects.filter(colleague | has_one, pk=self.by).values_list("name", flat=True).first() or self.by

    def _tag(self, user: User) -> str:
        if not self.tag:
            return ""
        seen = Tag.objects.filter(licensee__in=granted(user, VIEW, Queue).values("licensee"))
        return seen.filter(pk=self.tag).values_list("name", flat=True).first() or self.tag

    def _licensee(self, user: User) -> str:
        if not self.licensee:
            return ""
        seen = Licensee.objects.filter(pk__in=granted(user, VIEW, Queue).values("licensee"))
        return seen.filter(pk=self.licensee).values_list("name", flat=True).first() or self.licensee


def counted(user: User, lists: Mapping[tuple[str, str], CaseQuerySet]) -> dict[tuple[str, str], int]:
    """How many there are in each of these lists, no further than is counted. A list is named by its kind of case, ""
    for all, and its view. One query for all that this page did not ask for yet: the rail and the queue share theirs.
    """
    known: dict[tuple[str, str], int] = once(user, "counted", dict)
    asked = {name: rows for name, rows in lists.items() if name not in known}
    known |= zip(asked, up_to(COUNTED, *asked.values()), strict=True)
    return {name: known[name] for name in lists}


def no_contact(days: str) -> str:
    """How long nobody was in touch, of a name in CONTACT: "for 3 days"."""
    n = CONTACT[days]
    return ngettext("for %(n)s day", "for %(n)s days", n) % {"n": n}


def _columns(asked: str) -> str:
    """The known ones among these names; "" for all of them, or none."""
    kept = [name for name in COLUMNS if name in asked.split(",")]
    return "" if kept == list(USUAL) else ",".join(kept)


def _is_id(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
