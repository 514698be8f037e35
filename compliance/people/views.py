"""The page of a member of staff about themselves."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import override
from django.views.decorators.http import require_http_methods

from audit.access import Rule, rule
from compliance.people.forms import ProfileForm
from compliance.people.services import set_preferences


@rule(Rule.SIGNED_IN)
@require_http_methods(["GET", "POST"])
def profile(request: HttpRequest) -> HttpResponse:
    user: Any = request.user
    form = ProfileForm(request.POST or None, instance=user)
    if request.method == "POST" and form.is_valid():
        set_preferences(user, by=user, **form.chosen())
        with override(form.cleaned_data["language"]):
            messages.success(request, _("Saved. It follows you to every browser."))
        return redirect("profile")
    return render(request, "people/profile.html", {"form": form}, status=422 if form.errors else 200)
