"""Saving a view of the queue, and removing it."""

from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from audit.access import Rule, rule
from cases.lists import Asked
from cases.models import SavedView
from cases.saved import drop_view, save_view
from compliance.people.models import Team
from compliance.people.requests import signed_in


@rule(Rule.SIGNED_IN)
@require_POST
def save(request: HttpRequest) -> HttpResponse:
    """Takes what the list's address says, `name`, and `team` (an id) to share it."""
    user, asked = signed_in(request), Asked.read(request.POST)
    teams = Team.objects.filter(memberships__user=user).distinct()
    wanted = request.POST.get("team", "")
    team = next((each for each in teams if str(each.pk) == wanted), None)
    try:
        if wanted and team is None:
            raise ValidationError({"team": _("You can share with your own teams only.")})
        view = save_view(request.POST.get("name", ""), asked, by=user, team=team)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return redirect(reverse("cases:queue") + asked.address())
    messages.success(request, _("View saved: %(name)s.") % {"name": view.name})
    return redirect(reverse("cases:queue") + view.query)


@rule(Rule.SIGNED_IN)
@require_POST
def drop(request: HttpRequest, view_id: UUID) -> HttpResponse:
    user = signed_in(request)
    drop_view(get_object_or_404(SavedView, pk=view_id, owner=user), by=user)
    messages.success(request, _("View removed."))
    return redirect("cases:queue")
