"""The queue and the search."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from django.core.paginator import Paginator
from django.db import transaction
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from audit.access import Rule, rule
from audit.cards import without_cards
from audit.record import ObjectRef, query_digest, record
from cases import kinds, numbers, search
from cases.models import Case, Queue
from cases.permissions import WORK, granted
from cases.services import take_next
from compliance.people.models import User
from compliance.people.requests import signed_in

VIEWS: dict[str, Callable[[User], Q]] = {
    "mine": lambda user: Q(assignee_id=user.pk, waiting_for=""),
    "free": lambda user: Q(assignee=None, waiting_for=""),
    "waiting": lambda user: ~Q(waiting_for=""),
    "all": lambda user: Q(),
}
PAGE = 50


def _titles() -> dict[str, str]:
    return {"mine": _("My open"), "free": _("Unassigned"), "waiting": _("Waiting for the player"), "all": _("All open")}


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
    kind = request.GET.get("kind", "")
    cases = Case.objects.visible_to(user).open()
    if kind in kinds.kinds():
        cases = cases.filter(kind=kind)
    counts = {name: cases.filter(rows(user)).count() for name, rows in VIEWS.items()}
    view = request.GET.get("view") or ("mine" if counts["mine"] else "all")
    view = view if view in VIEWS else "all"
    words = request.GET.get("q", "").strip()
    rows = cases.filter(VIEWS[view](user))
    if words:
        rows = rows.filter(search.in_list(words))
    page = Paginator(rows.for_list().order_by("-priority", "due_at", "id"), PAGE).get_page(request.GET.get("page"))
    _note_list(user, "cases.list", f"{kind}|{view}|{words}", len(page.object_list))
    here = f"?{urlencode({'kind': kind, 'view': view})}"
    again = f"{here}&{urlencode({'q': words})}"
    context = {
        "kind": kinds.kinds().get(kind),
        "kind_name": kind,
        "view": view,
        "words": words,
        "page": page,
        "here": here,
        "newer_url": f"{again}&page={page.previous_page_number()}" if page.has_previous() else "",
        "older_url": f"{again}&page={page.next_page_number()}" if page.has_next() else "",
        "search_all": {
            "label": _("Search finished cases too"),
            "url": f"{reverse('cases:search')}?{urlencode({'q': words})}",
        },
        "tabs": [(name, title, counts[name]) for name, title in _titles().items()],
        "rows": page.object_list,
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
