"""On shift, away, and who stands in: the page of a member of staff about themselves."""

from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from audit.access import Rule, rule
from compliance.people.duty import services
from compliance.people.duty.forms import AwayForm
from compliance.people.duty.models import Absence, Shift
from compliance.people.requests import signed_in


@rule(Rule.SIGNED_IN)
@require_http_methods(["GET", "POST"])
def duty(request: HttpRequest) -> HttpResponse:
    """A POST says that one will be away."""
    user = signed_in(request)
    form = AwayForm(request.POST or None, user=user)
    if request.method == "POST" and form.is_valid():
        try:
            services.be_away(user, by=user, **form.cleaned_data)
        except ValidationError as error:
            for field, words in error.message_dict.items():
                form.add_error(field, words)
        else:
            messages.success(request, _("Saved. What names you goes to your deputy in that time."))
            return redirect("duty")
    now = timezone.now()
    context = {
        "form": form,
        "shift": Shift.objects.filter(human_id=user.human_id, ends_at__gt=now).first(),
        "absences": Absence.objects.filter(user__human_id=user.human_id, ends_at__gt=now)
        .select_related("deputy")
        .order_by("starts_at"),
        "for_others": services.absences_now().filter(deputy__human_id=user.human_id).select_related("user"),
    }
    return render(request, "people/duty.html", context, status=422 if request.method == "POST" else 200)


@rule(Rule.SIGNED_IN)
@require_POST
def shift(request: HttpRequest) -> HttpResponse:
    """Come, or go (`go`)."""
    user = signed_in(request)
    try:
        if request.POST.get("go"):
            services.go(user, by=user)
        else:
            services.come(user, by=user)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    return redirect("duty")


@rule(Rule.SIGNED_IN)
@require_POST
def back(request: HttpRequest, absence_id: UUID) -> HttpResponse:
    user = signed_in(request)
    services.be_back(get_object_or_404(Absence, pk=absence_id, user__human_id=user.human_id), by=user)
    messages.success(request, _("Saved."))
    return redirect("duty")
