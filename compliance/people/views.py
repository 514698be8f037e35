"""The page of a member of staff about themselves."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import override
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from audit.access import Rule, rule
from compliance.people.access import factors, sessions
from compliance.people.access.models import End
from compliance.people.forms import KeysForm, ProfileForm
from compliance.people.requests import signed_in
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


@rule(Rule.SIGNED_IN)
@require_http_methods(["GET", "POST"])
def own_keys(request: HttpRequest) -> HttpResponse:
    """Other keys for single acts, or none; `defaults` forgets them."""
    user = signed_in(request)
    form = KeysForm(request.POST or None, user=user)
    if request.method == "POST" and ("defaults" in request.POST or form.is_valid()):
        set_preferences(user, by=user, keys={} if "defaults" in request.POST else form.cleaned_data["keys"])
        messages.success(request, _("Saved. It follows you to every browser."))
        return redirect("keys")
    return render(request, "people/keys.html", {"form": form}, status=422 if form.errors else 200)


@rule(Rule.SIGNED_IN)
@require_GET
def own_sessions(request: HttpRequest) -> HttpResponse:
    """Where this person is signed in, so that they see what is not theirs."""
    user = signed_in(request)
    context = {
        "sessions": sessions.of(user),
        "here": sessions.named(request),
        "limits": sessions.limits(user),
        "has_factor": factors.has_one(user),
    }
    return render(request, "people/sessions.html", context)


@rule(Rule.SIGNED_IN)
@require_POST
def end_own_sessions(request: HttpRequest) -> HttpResponse:
    """End one of one's own sessions, or all but this one."""
    user, asked = signed_in(request), request.POST.get("session", "")
    if asked == "others":
        sessions.end_all(user, by=user, why=End.REVOKED, but=sessions.named(request))
    elif found := sessions.one_of(user, asked):
        sessions.end(found, by=user, why=End.REVOKED)
    messages.success(request, _("Ended."))
    return redirect("sessions")
