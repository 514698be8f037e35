"""Pages: opening a restricted case by exception, the list of those to review, one of them."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from audit.access import rule
from audit.perform import ConditionsNotMet
from audit.record import ObjectRef, record, record_read
from cases import numbers
from cases.glass import services
from cases.glass.forms import OpenForm, ReviewForm
from cases.glass.models import OPEN_RESTRICTED, REVIEW_OPENINGS, Opening
from compliance.people.requests import signed_in
from compliance.policy.staff import staff_rules

SHOWN = 50


@require_http_methods(["GET", "POST"])
@rule(OPEN_RESTRICTED, fresh=True)
def open_case(request: HttpRequest) -> HttpResponse:
    """The same page whatever number is asked for."""
    longest = staff_rules(on=timezone.localdate()).glass.minutes
    form = OpenForm(request.POST or None, longest=longest, initial={"number": request.GET.get("number", "")})
    if request.method == "POST" and form.is_valid():
        asked = form.cleaned_data
        try:
            opening = services.open_case(
                _number(asked["number"]),
                by=signed_in(request),
                because=asked["because"],
                note=asked["note"],
                minutes=asked["minutes"],
            )
        except ConditionsNotMet as unmet:
            form.add_error(None, unmet.reasons)
        else:
            messages.warning(request, _("Open to you for a while. Your supervisor was told; each look is noted."))
            return redirect("cases:case", number=opening.case.number)
    return render(request, "glass/open.html", {"form": form}, status=422 if form.errors else 200)


def _number(typed: str) -> str:
    """As tracking numbers are written; what is none stays as it was typed."""
    try:
        return numbers.parse(typed) or typed.strip()
    except numbers.TypingError:
        return typed.strip()


@require_GET
@rule(REVIEW_OPENINGS)
def openings(request: HttpRequest) -> HttpResponse:
    """Those that wait for a review, the most urgent first, and the latest that were reviewed."""
    user = signed_in(request)
    rows = Opening.objects.visible_to(user).select_related("case", "user", "reviewed_by")
    waiting = list(rows.filter(state=Opening.State.WAITING).order_by("review_due_at")[:SHOWN])
    done = list(rows.exclude(state=Opening.State.WAITING).order_by("-reviewed_at")[:SHOWN])
    with transaction.atomic():
        details = {"rows": len(waiting) + len(done)}
        record("glass.list", by=user, about=ObjectRef("list", "openings"), details=details)
    context = {"waiting": waiting, "done": done, "because": services.BECAUSE}
    return render(request, "glass/openings.html", context)


@require_http_methods(["GET", "POST"])
@rule(REVIEW_OPENINGS)
def opening(request: HttpRequest, opening_id: UUID) -> HttpResponse:
    """Who opened what and why, and whether that was justified."""
    user = signed_in(request)
    rows = Opening.objects.visible_to(user).select_related("case", "user", "reviewed_by")
    one = get_object_or_404(rows, pk=opening_id)
    form = ReviewForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        justified = form.cleaned_data["justified"] == "yes"
        services.review(one, by=user, justified=justified, note=form.cleaned_data["note"])
        messages.success(request, _("Noted."))
        return redirect("cases:openings")
    with transaction.atomic():
        record_read(by=user, subject=one.audit_subject, purpose="glass", about=one, matter=one.case.number)
    context: dict[str, Any] = {
        "opening": one,
        "because": services.BECAUSE.get(one.because, one.because),
        "note": services.note_of(one),
        "review": services.review_of(one),
        "form": form if one.state == Opening.State.WAITING else None,
    }
    return render(request, "glass/opening.html", context, status=422 if form.errors else 200)
