"""The queue and the search."""

from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from audit.access import Rule, rule
from audit.cards import without_cards
from audit.record import ObjectRef, query_digest, record
from cases import kinds, numbers, search
from cases.lists import ORDERS, VIEWS, Asked
from cases.models import Case, Queue, SavedView
from cases.paging import BadCursor, page_of
from cases.permissions import WORK, granted
from cases.services import take_next
from compliance import formats
from compliance.people.models import Team
from compliance.people.requests import signed_in

PAGE = 50


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
    cases = asked.open_cases(user)
    counts = {name: cases.filter(rows(user)).up_to(formats.COUNTED) for name, (_title, rows) in VIEWS.items()}
    asked = asked if asked.view else replace(asked, view="mine" if counts["mine"] else "all")
    order, query = ORDERS[asked.sort], request.GET
    try:
        page = page_of(
            asked.rows(user).for_list(), order, size=PAGE, after=query.get("after", ""), before=query.get("before", "")
        )
    except BadCursor:
        return redirect(reverse("cases:queue") + asked.address())
    _note_list(user, "cases.list", asked.address(), len(page.rows))
    context = {
        "asked": asked,
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
        "teams": Team.objects.filter(memberships__user=user).distinct(),
        "sorted": {column: asked.sorted_by(column) for column in ("due", "age", "player")},
        "counted": formats.COUNTED,
        "total": asked.rows(user).up_to(formats.COUNTED) if asked.chips() else counts[asked.view],
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
    words = request.GET.get("q", "").strip()
    mistyped = False
    try:
        number = numbers.parse(words)
    except numbers.TypingError:
        number, mistyped = None, True
    if number and Case.objects.visible_to(user).filter(number=number).exists():
        return redirect("cases:case", number=number)
    exact, similar = search.everywhere(words, user=user) if words and not mistyped else ([], [])
    with transaction.atomic():
        record(
            "cases.search",
            by=user,
            about=ObjectRef("search", ""),
            details={"query": words, "rows": len(exact) + len(similar)},
        )
    return render(
        request, "cases/search.html", {"words": words, "mistyped": mistyped, "exact": exact, "similar": similar}
    )


def _note_list(user: Any, action: str, query: str, rows: int) -> None:
    """A list is one entry with the digest of its query: looking is recorded, what was looked for is not repeated."""
    digest = query_digest(without_cards(query))
    with transaction.atomic():
        record(action, by=user, about=ObjectRef("list", digest), details={"query": digest, "rows": rows})
