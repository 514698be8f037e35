"""Why this time? The arithmetic of every clock of a case."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from audit.access import Rule, rule
from audit.record import record_read
from cases.clocks.arithmetic import explain, reading
from cases.clocks.models import Clock
from cases.clocks.services import pauses_of
from cases.queries import get_case
from compliance.people.requests import signed_in


@rule(Rule.SIGNED_IN)
@require_GET
def why(request: HttpRequest, number: str) -> HttpResponse:
    """Legal deadlines apart, first: nobody may take one for a target of ours."""
    user, now = signed_in(request), timezone.now()
    case = get_case(number, user=user)
    record_read(by=user, subject=case.audit_subject, purpose="case", about=case, matter=case.number)
    shown = []
    for clock in Clock.objects.filter(case=case).select_related("case").order_by("-kind", "started_at"):
        pauses = pauses_of(clock)
        at = reading(clock, pauses, at=now)
        shown.append({"clock": clock, "reading": at, "lines": explain(clock, pauses, at=now), "legal": not clock.hours})
    shown.sort(key=lambda one: not one["legal"])
    return render(request, "clocks/why.html", {"case": case, "clocks": shown})
