"""A fresh sign-in before heavy acts. A route asks for it: `@rule(..., fresh=True)` (audit/access.py calls `ask`)."""

import time
from datetime import timedelta
from typing import Any

from allauth.account.internal.flows.login import get_authentication_records
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.utils.translation import gettext as _

from compliance.policy.staff import staff_rules

DIRECTORY = "directory"  # the method of who signed in with the operator's own directory
SIGNED_IN_AT = "signed_in_at"  # seconds since 1970, in the session


def span() -> timedelta:
    return timedelta(minutes=staff_rules(on=timezone.localdate()).confirmation.minutes)


def last_confirmed(request: HttpRequest) -> float:
    """When this session last showed who it is, in seconds since 1970; 0 for never."""
    records = get_authentication_records(request, request.user)
    moments = [float(one["at"]) for one in records if "at" in one]
    return max([float(request.session.get(SIGNED_IN_AT, 0)), *moments])


def signed_in_at(request: HttpRequest, user: Any) -> float:
    """When who signs in now showed who they are: with the directory that may have been hours ago, over there."""
    records = get_authentication_records(request, user)
    there = [float(one["at"]) for one in records if one.get("method") == DIRECTORY]
    return there[-1] if there else time.time()


def by_directory(request: HttpRequest) -> bool:
    return any(one.get("method") == DIRECTORY for one in get_authentication_records(request, request.user))


def is_fresh(request: HttpRequest) -> bool:
    """Within the span; what was opened in time may be sent in twice the span, so that nobody loses what they typed."""
    allowed = span() if request.method in ("GET", "HEAD") else 2 * span()
    return 0 <= time.time() - last_confirmed(request) < allowed.total_seconds()


def ask(request: HttpRequest) -> HttpResponse | None:
    """None when fresh; else the way to the page that asks, and back to where the act starts."""
    if is_fresh(request):
        return None
    way = _way(request)
    url = f"{reverse(way)}?{urlencode({'next': _start(request)})}" if way else ""
    if request.method not in ("GET", "HEAD"):
        messages.info(request, _("Nothing was done yet. Confirm that it is you, then do it again."))
    if not url:  # signed in elsewhere, with nothing of ours to ask for
        url = redirect_to_login(_start(request)).url
        request.session.flush()
    if request.headers.get("HX-Request"):
        return HttpResponse(status=204, headers={"HX-Redirect": url})
    return redirect(url)


def _way(request: HttpRequest) -> str:
    """The strongest of what the user has: a code, a key, the directory that they signed in with, else the password."""
    user: Any = request.user
    kinds = set(Authenticator.objects.filter(user=user).values_list("type", flat=True))
    if Authenticator.Type.TOTP in kinds:
        return "mfa_reauthenticate"
    if Authenticator.Type.WEBAUTHN in kinds:
        return "mfa_reauthenticate_webauthn"
    if settings.OIDC_ISSUER and by_directory(request):
        return "directory-confirm"
    return "account_reauthenticate" if user.has_usable_password() else ""


def _start(request: HttpRequest) -> str:
    """The page itself; of what was sent, the page it was sent from."""
    if request.method in ("GET", "HEAD"):
        return request.get_full_path()
    origin = request.headers.get("HX-Current-URL") or request.headers.get("Referer") or "/"
    return origin if url_has_allowed_host_and_scheme(origin, {request.get_host()}, request.is_secure()) else "/"
