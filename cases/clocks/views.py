"""Why this time? The arithmetic of every clock of a case, and pausing one."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from audit.access import Rule, rule
from audit.perform import ConditionsNotMet
from audit.record import record_read
from cases.clocks import holding
from cases.clocks.arithmetic import explain, reading
from cases.clocks.forms import HoldForm
from cases.clocks.models import Clock
from cases.clocks.services import pauses_of
from cases.models import Case
from cases.permissions import WORK, may
from cases.queries import get_case
from compliance.people.requests import signed_in


@rule(Rule.SIGNED_IN)
@require_GET
def why(request: HttpRequest, number: str) -> HttpResponse:
    return _page(request, get_case(number, user=signed_in(request)))


@rule(Rule.SIGNED_IN)
@require_POST
def pause(request: HttpRequest, number: str, clock_id: UUID) -> HttpResponse:
    """Stop counting, for a reason."""
    user, case, clock = _asked(request, number, clock_id)
    form = HoldForm(request.POST, prefix=str(clock.pk))
    if not form.is_valid():
        return _page(request, case, asked=form, of=clock)
    try:
        holding.hold(clock, by=user, because=form.cleaned_data["because"])
    except ConditionsNotMet as unmet:
        form.add_error(None, unmet.reasons)
        return _page(request, case, asked=form, of=clock)
    messages.success(request, _("Paused. It counts again when somebody lets it go on."))
    return redirect("cases:clocks", number=number)


@rule(Rule.SIGNED_IN)
@require_POST
def go_on(request: HttpRequest, number: str, clock_id: UUID) -> HttpResponse:
    """Count again."""
    user, case, clock = _asked(request, number, clock_id)
    try:
        holding.go_on(clock, by=user)
    except ConditionsNotMet as unmet:
        messages.error(request, " ".join(unmet.reasons))
    else:
        messages.success(request, _("It counts again."))
    return redirect("cases:clocks", number=number)


def _asked(request: HttpRequest, number: str, clock_id: UUID) -> tuple[Any, Case, Clock]:
    user = signed_in(request)
    case = get_case(number, user=user)
    return user, case, get_object_or_404(Clock.objects.select_related("case"), pk=clock_id, case_id=case.pk)


def _page(request: HttpRequest, case: Case, *, asked: HoldForm | None = None, of: Clock | None = None) -> HttpResponse:
    """Legal deadlines apart, first: nobody may take one for a target of ours."""
    user, now = signed_in(request), timezone.now()
    record_read(by=user, subject=case.audit_subject, purpose="case", about=case, matter=case.number)
    works = may(user, WORK, case)
    shown = []
    for clock in Clock.objects.filter(case=case).select_related("case").order_by("-kind", "started_at"):
        pauses = pauses_of(clock)
        at, runs = reading(clock, pauses, at=now), works and clock.stopped_at is None and bool(clock.hours)
        by_hand = any(pause.ended_at is None and pause.reason in holding.REASONS for pause in pauses)
        one = {"clock": clock, "reading": at, "lines": explain(clock, pauses, at=now), "legal": not clock.hours}
        if runs and not at.paused:
            one["form"] = asked if asked is not None and of == clock else HoldForm(prefix=str(clock.pk))
        shown.append(one | {"goes_on": runs and by_hand})
    shown.sort(key=lambda one: not one["legal"])
    context = {"case": case, "clocks": shown, "form": asked}
    return render(request, "clocks/why.html", context, status=422 if asked is not None else 200)
