"""The queue and the search."""

from dataclasses import replace
from urllib.parse import urlencode

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from audit.access import Rule, rule
from audit.record import ObjectRef, record
from cases import kinds, search
from cases.bulk.acts import ACTS
from cases.bulk.heavy import heavy_acts, kind_of
from cases.bulk.services import MOST
from cases.glass import services as exceptions
from cases.lists import COLUMNS, ORDERS, VIEWS, Asked, counted
from cases.models import Case, Queue, SavedView
from cases.narrowing import NarrowForm
from cases.paging import BadCursor, page_of
from cases.permissions import WORK, granted
from cases.presence import services as presence
from cases.services import take_next
from cases.views.news import asks_again, before_reading, no_news, note_list
from compliance import formats
from compliance.people.duty.services import desks_of
from compliance.people.models import Team
from compliance.people.requests import signed_in

PAGE = 50
SORTED_BY = ("due", "age", "player", "state", "contact", "by")


@rule(Rule.SIGNED_IN)
@require_GET
def home(request: HttpRequest) -> HttpResponse:
    user = signed_in(request)
    if user.has_perm("audit.view_entry") and not Case.objects.visible_to(user).exists():
        return redirect("audit:entries")
    return redirect("cases:queue")


@rule(Rule.SIGNED_IN)
@require_GET
def queue(request: HttpRequest) -> HttpResponse:
    """Open cases the user may see, most urgent first. The state of the page is its address."""
    user = signed_in(request)
    asked = Asked.read(request.GET)
    since, cases, desks = before_reading(), asked.open_cases(user), desks_of(user)
    views = {(asked.kind, name): cases.filter(rows(user, desks)) for name, (_title, rows) in VIEWS.items()}
    counts = {name: count for (_kind, name), count in counted(user, views).items()}
    asked = asked if asked.view else replace(asked, view="mine" if counts["mine"] else "all")
    known = no_news(asked, user, since=since)
    order, query, rows = ORDERS[asked.sort], request.GET, asked.rows(user, desks=desks)
    try:
        page = page_of(rows.for_list(), order, size=PAGE, after=query.get("after", ""), before=query.get("before", ""))
    except BadCursor:
        return redirect(reverse("cases:queue") + asked.address())
    note_list(user, "cases.list", asked.address(), len(page.rows))
    chips = asked.chips(user)
    total = rows.up_to(formats.COUNTED) if chips else counts[asked.view]
    context = {
        "asked": asked,
        "chips": chips,
        "kind": kinds.kinds().get(asked.kind),
        "rows": page.rows,
        "newer_url": asked.address(before=page.newer) if page.newer else "",
        "older_url": asked.address(after=page.older) if page.older else "",
        "search_all": {
            "label": _("Search finished cases too"),
            "url": f"{reverse('cases:search')}?{urlencode({'q': asked.q})}",
        },
        "tabs": [
            {"name": name, "title": title, "url": asked.address(view=name), "count": counts[name]}
            for name, (title, _rows) in VIEWS.items()
        ],
        "saved": SavedView.objects.visible_to(user),
        "here": asked.address(q=""),
        "narrow": NarrowForm(asked, user=user),
        "kept": {name: getattr(asked, name) for name in ("kind", "view", "q", "cols")},
        "unfiltered": asked.unfiltered,
        "news_url": asks_again(asked, page.rows, since=since, known=known),
        "teams": Team.objects.filter(memberships__user=user).distinct(),
        "sorted": {column: asked.sorted_by(column) for column in SORTED_BY},
        "columns": COLUMNS,
        "counted": formats.COUNTED,
        "total": total,
        "present": presence.here([case.pk for case in page.rows], user=user),
        "acts": ACTS.values(),
        "heavy": [act for act in heavy_acts().values() if asked.kind in ("", kind_of(act.name))],
        "most": MOST,
        "kinds": kinds.kinds().values(),
        "may_work": granted(user, WORK, Queue).exists(),
    }
    return render(request, "cases/queue.html", context)


@rule(Rule.SIGNED_IN)
@require_POST
def take(request: HttpRequest) -> HttpResponse:
    """Take the most urgent free case; two people who ask at once get two."""
    user = signed_in(request)
    kind = request.POST.get("kind") or next(iter(kinds.kinds()))
    case = take_next(by=user, kind=kind) if kind in kinds.kinds() else None
    if case is None:
        return redirect("cases:queue")
    return redirect("cases:case", number=case.number)


@rule(Rule.SIGNED_IN)
@require_GET
def find(request: HttpRequest) -> HttpResponse:
    """One box: a tracking number opens its case; anything else finds players by exact contact or by name."""
    user = signed_in(request)
    words = " ".join(request.GET.get("q", "").split())
    if number := search.number_in(words, user=user):
        return redirect("cases:case", number=number)
    hits = search.everywhere(words, user=user) if words else search.Hits()
    masked = exceptions.masked(words, user=user)
    with transaction.atomic():
        details = {"query": words, "rows": len(hits)} | ({"masked": len(masked)} if masked else {})
        record("cases.search", by=user, about=ObjectRef("search", ""), details=details)
    context = {"words": words, "hits": hits, "mistyped": search.mistyped(words), "limit": search.LIMIT}
    context["masked"] = masked
    return render(request, "cases/search.html", context)
