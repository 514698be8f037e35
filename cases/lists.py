"""How a list of cases is asked for: kind, view, words, filters, order. All of it is the page's address.

To add a filter: 1. a field of `Asked`, 2. its line in `Asked.rows`, 3. its words in `Asked.chips`.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from typing import Any, Final, Self
from urllib.parse import urlencode
from uuid import UUID

from django.db.models import Q
from django.http import QueryDict
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from cases import kinds, search
from cases.models import Case
from cases.paging import Order
from cases.queries import CaseQuerySet
from compliance.look import STATES
from compliance.people.models import User

NOBODY: Final = "nobody"

# fmt: off
VIEWS: Final[Mapping[str, tuple[str | Promise, Callable[[User], Q]]]] = {
    "mine": (gettext_lazy("My open"), lambda user: Q(assignee_id=user.pk, waiting_for="")),
    "free": (gettext_lazy("Unassigned"), lambda user: Q(assignee=None, waiting_for="")),
    "waiting": (gettext_lazy("Waiting for the player"), lambda user: ~Q(waiting_for="")),
    "all": (gettext_lazy("All open"), lambda user: Q()),
}
ORDERS: Final[Mapping[str, Order]] = {
    "due": ("-priority", "due_at", "id"), "-due": ("priority", "-due_at", "-id"),
    "age": ("opened_at", "id"), "-age": ("-opened_at", "-id"),
    "player": ("customer__name_fold", "id"), "-player": ("-customer__name_fold", "-id"),
}
DUE: Final[Mapping[str, tuple[str | Promise, Callable[[], Q]]]] = {
    "late": (pgettext_lazy("due", "overdue"), lambda: Q(due_at__lt=timezone.now())),
    "day": (pgettext_lazy("due", "within a day"), lambda: Q(due_at__lt=timezone.now() + timedelta(days=1))),
}
# fmt: on


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
    sort: str = "due"

    @classmethod
    def read(cls, query: QueryDict) -> Self:
        given = {name: query.get(name, "").strip() for name in cls.__dataclass_fields__}
        known = {
            "kind": given["kind"] in kinds.kinds(),
            "view": given["view"] in VIEWS,
            "by": given["by"] == NOBODY or _is_id(given["by"]),
            "state": given["state"] in STATES,
            "due": given["due"] in DUE,
            "sort": given["sort"] in ORDERS,
        }
        return cls(**{name: value for name, value in given.items() if value and known.get(name, True)})

    def address(self, **changes: str) -> str:
        """The query part of the list's address, after `changes`."""
        asked = asdict(replace(self, **{name: value for name, value in changes.items() if name in asdict(self)}))
        cursors = {name: value for name, value in changes.items() if name not in asked}
        kept = {name: value for name, value in asked.items() if value and (name, value) != ("sort", "due")}
        return "?" + urlencode(kept | cursors)

    def open_cases(self, user: User) -> CaseQuerySet:
        """Open cases of the kind that the user may see, before any view or filter."""
        cases = Case.objects.visible_to(user).open()
        return cases.filter(kind=self.kind) if self.kind else cases

    def rows(self, user: User) -> CaseQuerySet:
        rows = self.open_cases(user).filter(VIEWS[self.view or "all"][1](user))
        if self.q:
            rows = rows.filter(search.in_list(self.q))
        if self.state:
            rows = rows.filter(state=self.state)
        if self.by:
            rows = rows.filter(assignee=None) if self.by == NOBODY else rows.filter(assignee_id=UUID(self.by))
        if self.language:
            rows = rows.filter(account__language=self.language)
        if self.due:
            rows = rows.filter(DUE[self.due][1]())
        return rows

    def chips(self) -> list[dict[str, Any]]:
        """The filters in force, each with the address without it. The words searched for are one of them."""
        found = [
            ("q", _("Search"), self.q),
            ("state", _("State"), STATES[self.state].word if self.state else ""),
            ("by", _("Responsible"), self._name()),
            ("language", _("Language"), self.language.upper()),
            ("due", _("Due"), DUE[self.due][0] if self.due else ""),
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

    def _name(self) -> str:
        if not self.by or self.by == NOBODY:
            return _("nobody yet") if self.by else ""
        return User.objects.filter(pk=self.by).values_list("name", flat=True).first() or self.by


def _is_id(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
