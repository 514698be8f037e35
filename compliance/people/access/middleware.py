"""Holds every request of staff against the session it names: limits, revocation, and a missing second factor."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext_lazy

from audit.access import Rule, rule_of
from compliance.people.access import sessions
from compliance.people.access.models import End
from compliance.people.access.once import remember

SAID = {
    End.IDLE: gettext_lazy("You were signed out because nothing was done here for a while."),
    End.WHOLE: gettext_lazy("You were signed out because the session had lasted its time."),
    End.REVOKED: gettext_lazy("This session was ended from another one."),
}
# What somebody reaches before their second factor is set up: setting it up, and leaving.
WITHOUT_FACTOR = ("mfa_", "account_reauthenticate", "account_change_password", "account_logout")


class SessionMiddleware:
    """After Django's authentication and the audit context, before anything that trusts `request.user`."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.user.is_authenticated:
            request.staff_session = sessions.standing(request)  # type: ignore[attr-defined]
            if request.staff_session is None:  # type: ignore[attr-defined]
                self._leave(request)
            else:
                remember(request)
        return self.get_response(request)

    def _leave(self, request: HttpRequest) -> None:
        why = sessions.why_over(request)
        request.session.flush()
        request.user = AnonymousUser()
        if why in SAID:
            messages.info(request, str(SAID[End(why)]))

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        """Somebody whose role needs a second factor gets nowhere else until they have one."""
        session = getattr(request, "staff_session", None)
        match = request.resolver_match
        if session is None or not session.needs_factor or match is None:
            return None
        if rule_of(match) == Rule.PUBLIC or (match.url_name or "").startswith(WITHOUT_FACTOR):
            return None
        if not sessions.factors_changed(session.user):  # set up since: the library tells us after its commit only
            return None
        url = reverse("mfa_index")
        if request.headers.get("HX-Request"):
            return HttpResponse(status=204, headers={"HX-Redirect": url})
        return redirect(url)
