"""What every staff page shows around its content: the rail, the search, the person."""

from typing import Any
from urllib.parse import parse_qsl, urlsplit

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from cases import kinds
from cases.contacts.services import due_count
from cases.models import Case
from compliance.formats import COUNTED
from compliance.people.suspicions.services import READ_SUSPICIONS, unread
from compliance.proposals.queries import waiting_for


def shell(request: HttpRequest) -> dict[str, Any]:
    """The context variable `shell` for signed-in staff; nothing for anybody else. No count grows with the house."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated or not user.is_active:
        return {}

    def item(url: str, label: Any, count: int | None = None) -> dict[str, Any]:
        return {"url": url, "label": label, "count": count}

    queue = reverse("cases:queue")
    cases = Case.objects.visible_to(user).open()
    mine = cases.filter(assignee_id=user.pk, waiting_for="").up_to(COUNTED)
    work = [
        item(f"{queue}?view=mine", _("My open cases"), mine),
        item(reverse("proposals:list"), _("Approvals"), waiting_for(user).count()),
    ]
    work.append(item(reverse("cases:due"), _("To do"), due_count(user)))
    queues = [
        item(f"{queue}?kind={kind.name}", kind.title, cases.filter(kind=kind.name).up_to(COUNTED))
        for kind in kinds.kinds().values()
    ]
    sections = [{"title": "", "items": work}, {"title": _("Queues"), "items": queues}]
    if user.has_perm(READ_SUSPICIONS):
        sections.append({"title": _("AML"), "items": [item(reverse("cases:suspicions"), _("Suspicions"), unread())]})
    if user.has_perm("audit.view_entry"):
        sections.append({"title": _("Oversight"), "items": _oversight(item)})
    _mark(sections, request, view="mine" if mine else "all")
    return {
        "shell": {
            "sections": sections,
            "search_url": reverse("cases:search"),
            "suspicion_url": reverse("cases:suspicion-new"),
            "demo": settings.MIZAN_ENV == settings.DEVELOPMENT,
        }
    }


def _mark(sections: list[dict[str, Any]], request: HttpRequest, *, view: str) -> None:
    """Mark the one link that leads nearest to this page. `view`: what a queue shows whose address names none."""
    asked = {"kind": "", **request.GET.dict()}
    asked["view"] = asked.get("view") or view
    items = [item for section in sections for item in section["items"]]
    here = max(items, key=lambda item: _nearness(item["url"], request.path, asked))
    here["current"] = _nearness(here["url"], request.path, asked) > 0


def _nearness(url: str, path: str, asked: dict[str, str]) -> int:
    """0: leads elsewhere. A link with a filter leads to that list only, one without also to all below it."""
    link = urlsplit(url)
    wanted = {"kind": "", **dict(parse_qsl(link.query))} if link.query else {}
    if any(asked.get(name) != value for name, value in wanted.items()):
        return 0
    return len(link.path) if path == link.path or (not wanted and path.startswith(link.path)) else 0


def _oversight(item: Any) -> list[dict[str, Any]]:
    """What auditors look at."""
    return [
        item(reverse("audit:entries"), _("Audit log")),
        item(reverse("audit:readers"), _("Who looked")),
        item(reverse("cases:population"), _("Populations")),
        item(reverse("cases:delays"), _("Delays")),
        item(reverse("platform:counts"), _("Counts of the platform")),
    ]
