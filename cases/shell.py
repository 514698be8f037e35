"""What every staff page shows around its content: the rail, the search, the person."""

from typing import Any
from urllib.parse import parse_qsl, urlsplit

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from cases import kinds, lists, rail
from cases.contacts.services import due_count
from cases.glass.models import REVIEW_OPENINGS, Opening
from cases.looking.models import Fact
from cases.mail.letters import letters_to_sort
from cases.mail.permissions import licensees_of
from cases.models import Case
from cases.quality.models import LEAD_TEAM, LOOK_AGAIN
from cases.quality.services import waiting_for as looks_waiting
from compliance.formats import COUNTED
from compliance.outbox.models import OutboxRow
from compliance.people.duty.services import desks_of
from compliance.people.permissions import on_the_aml_side
from compliance.people.suspicions.services import READ_SUSPICIONS, unread
from compliance.proposals.queries import waiting_for
from compliance.rulebook.models import VIEW as VIEW_RULES


def shell(request: HttpRequest) -> dict[str, Any]:
    """The context variable `shell` for signed-in staff; nothing for anybody else. No count grows with the house."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated or not user.is_active:
        return {}
    sections = sections_of(user)
    mine = sections[0]["items"][0]["count"]
    _mark(sections, request, view="mine" if mine else "all")
    return {
        "shell": {
            "sections": sections,
            "search_url": reverse("cases:search"),
            "suspicion_url": reverse("cases:suspicion-new"),
            "demo": settings.MIZAN_ENV == settings.DEVELOPMENT,
        }
    }


def sections_of(user: Any) -> list[dict[str, Any]]:
    """The rail of this person, with its counts; their own open cases come first."""

    def item(url: str, label: Any, count: int | None = None) -> dict[str, Any]:
        return {"url": url, "label": label, "count": count}

    queue = reverse("cases:queue")
    cases = Case.objects.visible_to(user).open()
    asked = {("", "mine"): cases.filter(lists.mine(desks_of(user)))}
    asked |= {(kind, "all"): cases.filter(kind=kind) for kind in kinds.kinds()}
    counts = lists.counted(user, asked)
    work = [
        item(f"{queue}?view=mine", _("My open cases"), counts["", "mine"]),
        item(reverse("proposals:list"), _("Approvals"), waiting_for(user).count()),
    ]
    work.append(item(reverse("cases:due"), _("To do"), due_count(user)))
    if licensees_of(user).exists():
        work.append(item(reverse("cases:contact-start"), _("New contact")))
        work.append(item(reverse("cases:mail"), _("Mail"), letters_to_sort(user, up_to=COUNTED)))
    if user.has_perm(LEAD_TEAM):
        work.append(item(reverse("cases:team"), _("Team")))
    if user.has_perm(REVIEW_OPENINGS):
        waiting = Opening.objects.visible_to(user).filter(state=Opening.State.WAITING)
        work.append(item(reverse("cases:openings"), _("Exceptional access"), waiting.count()))
        remarks = Fact.objects.visible_to(user).filter(state=Fact.State.OPEN)
        work.append(item(reverse("cases:looking"), _("Who looks at whom"), remarks.count()))
    if user.has_perm(LOOK_AGAIN):
        work.append(item(reverse("cases:looks"), _("Second looks"), looks_waiting(user).count()))
    work += [
        item(reverse(link.route), link.label, link.count(user)) for link in rail.links(aml=False) if link.shows(user)
    ]
    queues = [
        item(f"{queue}?kind={kind.name}", kind.title, counts[kind.name, "all"]) for kind in kinds.kinds().values()
    ]
    sections = [{"title": "", "items": work}, {"title": _("Queues"), "items": queues}]
    if on_the_aml_side(user):
        sections.append({"title": _("AML"), "items": _aml_side(user, item)})
    if user.has_perm("audit.view_entry"):
        sections.append({"title": _("Oversight"), "items": _oversight(item)})
    if user.has_perm(VIEW_RULES):
        sections.append({"title": _("House"), "items": [item(reverse("rulebook:rules"), _("Rules"))]})
    if user.has_perm("access.view_staff"):
        staff = [item(reverse("staff:people"), _("Staff")), item(reverse("staff:review"), _("Review of rights"))]
        sections.append({"title": _("People"), "items": staff})
    if administration := _administration(user, item):
        sections.append({"title": _("Administration"), "items": administration})
    return sections


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


def _administration(user: Any, item: Any) -> list[dict[str, Any]]:
    """What keeps the connection with the platform going."""
    items = []
    if user.has_perm("webhooks.manage_endpoint"):
        items.append(item(reverse("platform:webhooks:endpoints"), _("Webhooks")))
        items.append(item(reverse("platform:api"), "API"))
    if user.has_perm("platform.manage_key"):
        items.append(item(reverse("platform:keys:all"), _("API keys")))
    if user.has_perm("outbox.settle_outboxrow"):
        items.append(item(reverse("outbox:parked"), _("Not delivered"), OutboxRow.objects.parked().count()))
    return items


def _aml_side(user: Any, item: Any) -> list[dict[str, Any]]:
    """What the people of the compartment work on; nobody else has this part of the rail."""
    items = [
        item(reverse(link.route), link.label, link.count(user)) for link in rail.links(aml=True) if link.shows(user)
    ]
    if user.has_perm(READ_SUSPICIONS):
        items.append(item(reverse("cases:suspicions"), _("Suspicions"), unread()))
    items.append(item(reverse("aml-proposals:list"), _("Approvals"), waiting_for(user, log="aml").count()))
    return items


def _oversight(item: Any) -> list[dict[str, Any]]:
    """What auditors look at."""
    return [
        item(reverse("audit:entries"), _("Audit log")),
        item(reverse("audit:readers"), _("Who looked")),
        item(reverse("cases:population"), _("Populations")),
        item(reverse("cases:delays"), _("Delays")),
        item(reverse("platform:counts"), _("Counts of the platform")),
    ]
