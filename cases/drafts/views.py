"""Keeping what is typed, while it is typed."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from audit.access import Rule, rule
from cases.drafts import services
from cases.queries import get_case
from compliance.people.requests import signed_in


@rule(Rule.SIGNED_IN)
@require_POST
def keep(request: HttpRequest, number: str, place: str) -> HttpResponse:
    """The answer is a line that says when it was kept."""
    user = signed_in(request)
    case = get_case(number, user=user)
    if place not in services.PLACES:
        raise Http404("no such place")
    draft = services.keep(case, place, request.POST.get(services.PLACES[place], ""), by=user)
    if not request.headers.get("HX-Request"):
        return redirect("cases:case", number=number)
    return render(request, "drafts/_kept.html", {"draft": draft})
