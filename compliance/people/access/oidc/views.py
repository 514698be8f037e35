"""To the directory and back: for a sign-in, and to show once more who somebody is before a heavy act."""

import base64
import hashlib
import secrets
import time
from typing import Any, cast

from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.login import record_authentication
from allauth.account.utils import perform_login
from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.crypto import constant_time_compare
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from audit.access import Rule, rule
from audit.actors import Anonymous
from audit.record import ObjectRef, record_refusal
from compliance.people.access import limits, rights
from compliance.people.access.confirmation import DIRECTORY
from compliance.people.access.models import Identity
from compliance.people.access.oidc import services
from compliance.people.access.oidc.provider import LEEWAY, Directory, NotSaid, ask
from compliance.people.models import User
from compliance.people.requests import signed_in
from compliance.policy.errors import PolicyBroken

UNDER_WAY = "directory_under_way"  # in the session: what we wait for
WAITS = 15 * 60  # seconds that somebody may take over there
MOST = 30  # a minute from one place, each way: to it, back, and out, the directory is asked


@never_cache
@require_GET
@rule(Rule.PUBLIC)
def start(request: HttpRequest) -> HttpResponse:
    """To the directory, to sign in. Answered with 404 where settings name none."""
    return _go(request, confirms=False)


@never_cache
@require_GET
@rule(Rule.SIGNED_IN)
def confirm(request: HttpRequest) -> HttpResponse:
    """To the directory, which asks anew who it is, and back to the act."""
    return _go(request, confirms=True)


def _go(request: HttpRequest, *, confirms: bool) -> HttpResponse:
    _need_directory()
    if too_many := _too_many(request, "directory_start"):
        return too_many
    waiting = {name: secrets.token_urlsafe(32) for name in ("state", "nonce", "verifier")}
    try:
        directory = ask()
    except NotSaid as error:
        return _refused(request, error.code)
    wanted = request.GET.get("next", "")
    safe = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, request.is_secure())
    request.session[UNDER_WAY] = waiting | {"next": wanted if safe else "", "at": time.time(), "confirms": confirms}
    digest = hashlib.sha256(waiting["verifier"].encode()).digest()
    asked = {
        "response_type": "code",
        "client_id": settings.OIDC_CLIENT_ID,
        "redirect_uri": _back_to(),
        "scope": settings.OIDC_SCOPES,
        "state": waiting["state"],
        "nonce": waiting["nonce"],
        "code_challenge": base64.urlsafe_b64encode(digest).decode().rstrip("="),
        "code_challenge_method": "S256",
        # Whoever names an age is told when they signed in there: a confirmation needs it.
        "max_age": "0" if confirms else str(settings.SESSION_COOKIE_AGE),
    }
    return redirect(directory.way_in(**asked, **({"prompt": "login"} if confirms else {})))


@never_cache
@require_GET
@rule(Rule.PUBLIC)
def back(request: HttpRequest) -> HttpResponse:
    """Back from the directory. Whatever is wrong reads the same on the page; the log says what it was."""
    _need_directory()
    if too_many := _too_many(request, "directory"):
        return too_many
    waiting = request.session.pop(UNDER_WAY, None)
    said = None
    try:
        said = _said(request, waiting)
        if waiting["confirms"]:
            return _confirmed(request, said, waiting)
        user = services.whose(said)
    except NotSaid as error:
        return _refused(request, error.code, said)
    except PolicyBroken:
        return _refused(request, "policy_broken", said)
    if request.user.is_authenticated:
        get_adapter(request).logout(request)
    request.second_step_shown = said.second_step  # type: ignore[attr-defined]
    _note(request, user, said)
    return cast(HttpResponse, perform_login(request, user, redirect_url=waiting["next"] or None))


@never_cache
@require_GET
@rule(Rule.PUBLIC)
def out(request: HttpRequest) -> HttpResponse:
    """Signed out here: the way to sign out over there too, where the directory names one.

    A page of ours lies between: the browser does not follow a form of ours to another site. Nothing of where it goes
    comes from the request.
    """
    _need_directory()
    if request.user.is_authenticated:
        return redirect("/")
    if too_many := _too_many(request, "directory_out"):
        return too_many
    try:
        address = ask().way_out(back_to=f"{settings.BASE_URL}{reverse('account_login')}")
    except NotSaid:
        address = ""
    if not address:
        return redirect("account_login")
    return render(request, "account/directory_out.html", {"address": address, "directory": settings.OIDC_NAME})


def _said(request: HttpRequest, waiting: Any) -> services.Said:
    """What the directory says of whoever comes back. Raises NotSaid."""
    given = request.GET
    if not waiting or not constant_time_compare(given.get("state", ""), waiting["state"]):
        raise NotSaid("not_asked")
    if not 0 <= time.time() - waiting["at"] < WAITS:
        raise NotSaid("too_late")
    if given.get("iss", settings.OIDC_ISSUER) != settings.OIDC_ISSUER:
        raise NotSaid("another_issuer")
    if not given.get("code"):
        raise NotSaid("refused_there")
    directory = ask()
    tokens = directory.answer(given["code"], verifier=waiting["verifier"], back_to=_back_to())
    claims = directory.believed(str(tokens.get("id_token", "")), nonce=waiting["nonce"])
    return services.Said.of(_with_the_rest(directory, claims, str(tokens.get("access_token", ""))))


def _with_the_rest(directory: Directory, claims: dict[str, Any], access_token: str) -> dict[str, Any]:
    """Some directories keep e-mail and groups out of the token. What is signed is never replaced."""
    address = ("email", "email_verified")
    wanted = (*address, "name", settings.OIDC_GROUPS_CLAIM)
    if all(name in claims for name in wanted):
        return claims
    beside = directory.more_about(claims, access_token)
    more = {name: said for name, said in beside.items() if name in wanted}
    elsewhere = services.kept_elsewhere(claims)
    if settings.OIDC_GROUPS_CLAIM not in claims:
        elsewhere |= services.kept_elsewhere(beside)
    if not all(name in claims for name in address):  # an address and whether it is verified are said in one breath
        claims = {name: said for name, said in claims.items() if name not in address}
    else:
        more = {name: said for name, said in more.items() if name not in address}
    return more | claims | {"_claim_names": dict.fromkeys(elsewhere)}


def _confirmed(request: HttpRequest, said: services.Said, waiting: dict[str, Any]) -> HttpResponse:
    """The same person showed just now who they are. A sign-in of before, or of somebody else, confirms nothing."""
    user = signed_in(request)
    known = Identity.objects.filter(user=user, issuer=settings.OIDC_ISSUER, subject=said.subject).exists()
    if rights.has_aml_role(user):
        raise NotSaid("aml_side")
    if not known or said.signed_in_at < waiting["at"] - LEEWAY:
        raise NotSaid("not_confirmed")
    _note(request, user, said, reauthenticated=True)
    return redirect(waiting["next"] or "/")


def _note(request: HttpRequest, user: User, said: services.Said, **more: Any) -> None:
    """A sign-in over there counts from when it was, not from when they came back."""
    kind = f"{DIRECTORY}+second" if said.second_step else DIRECTORY
    record_authentication(request, user, DIRECTORY, type=kind, at=min(said.signed_in_at, time.time()), **more)


def _refused(request: HttpRequest, code: str, said: services.Said | None = None) -> HttpResponse:
    """The log names who it was about, and seals the address, as of any sign-in that fails."""
    user = request.user if request.user.is_authenticated else services.named(said) if said else None
    about = user if isinstance(user, User) else ObjectRef("user", "unknown")
    details = {"login": said.login} if said else {}
    record_refusal("people.fail_sign_in", by=Anonymous(), about=about, reason=f"directory_{code}", details=details)
    facts = {"name": settings.OIDC_NAME}
    messages.error(
        request, _("Signing in with %(name)s did not work. If it does so again, ask an administrator.") % facts
    )
    return redirect("/" if request.user.is_authenticated else "account_login")


def _too_many(request: HttpRequest, action: str) -> HttpResponse | None:
    return None if limits.take(request, action, most=MOST) else render(request, "429.html", status=429)


def _need_directory() -> None:
    if not settings.OIDC_ISSUER:
        raise Http404("no directory")


def _back_to() -> str:
    return f"{settings.BASE_URL}{reverse('directory-back')}"
