"""Acts that the product did by itself, for a person's look."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from audit.access import rule
from audit.perform import ConditionsNotMet, WrongState
from cases.types.gaming.markers import services, showing
from cases.types.gaming.markers.forms import ReviewForm
from cases.types.gaming.markers.models import LASTING, READ_CARE, CareAction, State
from compliance.people.requests import signed_in

SHOWN = 200


@rule(READ_CARE)
@require_safe
def waiting(request: HttpRequest) -> HttpResponse:
    """What waits for this person's look, the most urgent first."""
    user, now = signed_in(request), timezone.now()
    found = services.list_waiting(by=user, most=SHOWN)
    rows = [{"row": row, "act": showing.ACTS[row.act], "late": row.is_late(now)} for row in found]
    return render(request, "gaming/reviews.html", {"rows": rows})


@rule(READ_CARE)
@require_http_methods(["GET", "POST"])
def review(request: HttpRequest, action_id: UUID) -> HttpResponse:
    """One act with the sum that it rested on."""
    user = signed_in(request)
    rows = CareAction.objects.visible_to(user).select_related("customer", "case", "restriction", "reviewed_by")
    action = get_object_or_404(rows, pk=action_id)
    ends = action.act not in LASTING
    form = ReviewForm(request.POST or None, ends=ends)
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                services.review(action, by=user, **form.cleaned_data)
            except (ConditionsNotMet, WrongState) as unmet:
                form.add_error(None, getattr(unmet, "reasons", [str(unmet)]))
            else:
                messages.success(request, _("Noted. What was done stays as it is."))
                return redirect("cases:care-review", action_id=action.pk)
    lines = showing.lines(services.lines_of(action, by=user), action.policy)
    imposed = [showing.reckoned(one) for one in services.limits_of(action, by=user)]
    context = {
        "action": action,
        "act": showing.ACTS[action.act],
        "form": form,
        "ends": ends,
        "lines": lines,
        "imposed": imposed,
        "total": showing.total(lines),
        "waits": action.state == State.WAITING,
        "outcome": action.get_outcome_display() if action.outcome else "",
    }
    return render(request, "gaming/review.html", context, status=status)
