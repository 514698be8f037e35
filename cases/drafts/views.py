"""Keeping what is typed, while it is typed."""

from typing import Any
from urllib.parse import urlsplit
from uuid import UUID, uuid4

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from audit.access import Rule, rule
from cases.drafts import services
from cases.models import Case
from cases.queries import get_case
from compliance.people.requests import signed_in

NAMES = ("seen", "draft_form")


@rule(Rule.SIGNED_IN)
@require_POST
def keep(request: HttpRequest, number: str, place: str) -> HttpResponse:
    """The answer is a line that says when it was kept."""
    user = signed_in(request)
    case = get_case(number, user=user)
    if place not in services.PLACES:
        raise Http404("no such place")
    text, seen = request.POST.get(services.PLACES[place], ""), request.POST.get("seen")
    token = services.token_of(request.POST.get("draft_form"))
    answer = _kept(request, case, place, text, seen=seen, token=token, names=NAMES)
    return answer if request.headers.get("HX-Request") else redirect("cases:case", number=number)


@rule(Rule.SIGNED_IN)
@require_POST
def keep_field(request: HttpRequest, place: str) -> HttpResponse:
    """The same for any text area: the request says which field, and in which case it is typed, if in one.

    A place tells nothing of its page; htmx says which one it is. One of the AML side was drawn before an update.
    """
    if services.keeps_none(urlsplit(request.headers.get("HX-Current-URL", "")).path):
        raise Http404("nothing is kept there")
    number = request.POST.get("draft_case")
    case = get_case(number, user=signed_in(request)) if number else None
    if not place.startswith(services.FORM):
        raise Http404("no such place")
    text, seen = request.POST.get(request.POST.get("draft_field", ""), ""), request.POST.get(f"seen-{place}")
    token = services.token_of(request.POST.get(f"form-{place}"))
    return _kept(request, case, place, text, seen=seen, token=token, names=(f"seen-{place}", f"form-{place}"))


def _kept(
    request: HttpRequest,
    case: Case | None,
    place: str,
    text: str,
    *,
    seen: str | None,
    token: UUID | None,
    names: tuple[str, str],
) -> HttpResponse:
    """`names`: of the two hidden fields beside the text."""
    context: dict[str, Any] = {"place": place, "seen_name": names[0], "form_name": names[1]}
    try:
        draft = services.keep(case, place, text, by=signed_in(request), seen=seen, token=token)
    except services.FormClosed:
        return _closed(request, context)
    except services.AnotherWindow as other:
        # From now on the window knows the other text: typing on is a choice.
        context |= {"other": other.text, "seen": other.seen}
        return render(request, "drafts/_kept.html", context, status=409)
    context |= {"draft": draft, "seen": draft.saved_at.isoformat() if draft else ""}
    return render(request, "drafts/_kept.html", context)


def _closed(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    """Came late: nothing is kept, and usually no page is there to hear of it. One that the browser brought back gets a
    form of its own, and keeps anew what is typed in it.
    """
    response = render(request, "drafts/_kept.html", context | {"seen": "", "token": uuid4()})
    response["HX-Trigger-After-Settle"] = "again"
    return response
