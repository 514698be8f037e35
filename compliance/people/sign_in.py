"""Signing in, failing to, signing out: each is an entry. Nobody signs up: staff are added by staff."""

from contextlib import AbstractContextManager, nullcontext
from typing import Any

from allauth.account import signals as account
from allauth.account.adapter import DefaultAccountAdapter
from allauth.core import context as library
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.mfa import signals as mfa
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models.functions import Now
from django.http import HttpRequest
from django.shortcuts import redirect
from django.urls import reverse

from audit import context
from audit.actors import Anonymous
from audit.middleware import of
from audit.record import ObjectRef, record, record_refusal
from compliance.outbox.services import post
from compliance.people.access import attempts, confirmation, letters, limits, sessions
from compliance.people.access.models import Emergency, End, Session
from compliance.people.models import User

LONGEST_LOGIN = 254
GUESSES = 20  # a minute from one place, whatever was typed: as many as `login_failed` of settings lets through
GUESSED = frozenset({"password", "totp", "recovery_codes"})  # what attempts are counted of


class ClosedSignUp(DefaultAccountAdapter):  # type: ignore[misc]  # allauth has no types
    """allauth's own page of sign-up stays closed."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def get_login_stages(self) -> list[str]:
        """Our own second step, unless the operator's directory asked for one and settings say to believe it."""
        stages: list[str] = super().get_login_stages()
        elsewhere = getattr(library.request, "second_step_shown", False)
        return [one for one in stages if not (elsewhere and one.startswith("allauth.mfa."))]

    def login(self, request: HttpRequest, user: User) -> None:
        """A locked sign-in stays closed for who knows the password or a code by now, or is half-way in."""
        if attempts.is_locked(user) and _showed_what_is_guessed(request):
            raise ImmediateHttpResponse(redirect("account_login"))
        super().login(request, user)

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Past the limit of its address the right password still opens the sign-in for emergencies.

        A wrong one, and any for another address, is answered alike and as late: nobody learns which address it is.
        """
        may_still_guess = limits.take(request, "guess", most=GUESSES)
        try:
            super().pre_authenticate(request, **credentials)
        except ValidationError:
            typed = str(credentials.get("email") or ""), str(credentials.get("password") or "")
            if not may_still_guess or not attempts.opens_emergency(*typed):
                raise

    def get_logout_redirect_url(self, request: HttpRequest) -> str:
        """Whoever came from the directory may sign out there too. Asked before the session ends."""
        shown = getattr(request, "session", {}).get("account_authentication_methods") or []
        if any(one.get("method") == confirmation.DIRECTORY for one in shown):
            return reverse("directory-out")
        return str(super().get_logout_redirect_url(request))

    def is_reauthentication_required(self, *, app: str, **kwargs: Any) -> bool:
        """The library's own heavy pages ask for what our own ask for."""
        return not confirmation.is_fresh(library.request)


def within(request: HttpRequest | None) -> AbstractContextManager[Any]:
    """The context there is, or one made from the request: a sign-in outside our middleware is recorded all the same."""
    try:
        context.current()
    except context.MissingContext:
        return context.use(of(request) if request is not None else context.new("command"))
    return nullcontext()


def _record(action: str, user: User, request: HttpRequest | None, **facts: Any) -> None:
    with within(request), transaction.atomic():
        record(action, by=user, about=user, **facts)


def signed_in(sender: Any, request: HttpRequest, user: User, **kwargs: Any) -> None:
    """Raises when it cannot be recorded: then nobody signs in."""
    with within(request), transaction.atomic():
        sessions.open_session(request, user, factors_used=_factors(request))
        record("people.sign_in", by=user, about=user, details={"factors": _factors(request)})
        _note_emergency(user)
        if _showed_what_is_guessed(request):
            attempts.forget(user)
    request.session[confirmation.SIGNED_IN_AT] = confirmation.signed_in_at(request, user)


def _note_emergency(user: User) -> None:
    """The sign-in that lies in the safe was used: an entry, and a letter to everybody who looks after people."""
    if Emergency.objects.filter(user=user).update(used_at=Now()):
        told = len(letters.told_of_emergencies(user))
        record("access.use_emergency", by=user, about=user, details={"told": told})
        post(letters.EMERGENCY, payload={"user_id": user.pk})


def signed_out(sender: Any, request: HttpRequest, user: User | None, **kwargs: Any) -> None:
    # Django also calls this for somebody who was not signed in.
    if user is not None:
        _record("people.sign_out", user, request)
        Session.objects.filter(pk=sessions.named(request), ended_at=None).update(
            ended_at=Now(), ended_for=End.SIGNED_OUT
        )


def confirmed(sender: Any, request: HttpRequest, user: User, method: str, **facts: Any) -> None:
    """Somebody who is signed in showed again who they are."""
    if facts.get("reauthenticated"):
        _record("access.confirm", user, request, details={"factors": str(facts.get("type") or method)})


def sign_in_failed(sender: Any, credentials: dict[str, Any], request: HttpRequest | None = None, **kwargs: Any) -> None:
    """A wrong password or an unknown address. What was typed is sealed: people type passwords into the wrong field."""
    typed = str(credentials.get("email") or credentials.get("username") or "")[:LONGEST_LOGIN]
    user = User.objects.filter(email=typed.strip().lower()).first()
    about = user or ObjectRef("user", "unknown")
    reason = "unknown" if user is None else "wrong_password" if user.is_active else "inactive"
    if getattr(request, "right_and_locked", False):  # access/backend.py
        reason = "locked"
    with within(request):
        record_refusal("people.fail_sign_in", by=Anonymous(), about=about, reason=reason, details={"login": typed})
        attempts.failed(user)


def second_step_failed(sender: Any, user: User, request: HttpRequest | None = None, **kwargs: Any) -> None:
    with within(request):
        record_refusal("people.fail_sign_in", by=Anonymous(), about=user, reason="wrong_code")
        attempts.failed(user)


def password_changed(sender: Any, request: HttpRequest, user: User, **kwargs: Any) -> None:
    """The other sessions end: whoever else knew the old password is out."""
    _record("people.change_password", user, request)
    with within(request):
        sessions.end_all(user, by=user, why=End.CHANGED, but=sessions.named(request))


def password_reset(sender: Any, request: HttpRequest, user: User, **kwargs: Any) -> None:
    _record("people.reset_password", user, request)
    with within(request):
        sessions.end_all(user, by=user, why=End.CHANGED)
        attempts.unlock(user)


def factors_changed(sender: Any, request: HttpRequest, user: User, authenticator: Any, **kwargs: Any) -> None:
    _record("people.change_factors", user, request, details={"factor": str(authenticator.type)})
    sessions.factors_changed(user)


def _factors(request: HttpRequest) -> str:
    """Such as "password" or "password+totp"; "none" for a session that no factor opened."""
    session: Any = getattr(request, "session", {})
    methods = session.get("account_authentication_methods") or []
    return "+".join(str(method.get("type") or method.get("method")) for method in methods) or "none"


def _showed_what_is_guessed(request: HttpRequest) -> bool:
    """Not by a passkey or the directory alone: these say nothing of who guesses the password meanwhile."""
    return not GUESSED.isdisjoint(_factors(request).split("+"))


# Signals of Django and allauth only: our own packages call each other.
user_logged_in.connect(signed_in, dispatch_uid="people.signed_in")
user_logged_out.connect(signed_out, dispatch_uid="people.signed_out")
user_login_failed.connect(sign_in_failed, dispatch_uid="people.sign_in_failed")
mfa.authentication_failed.connect(second_step_failed, dispatch_uid="people.second_step_failed")
for _signal in (mfa.authenticator_added, mfa.authenticator_removed, mfa.authenticator_reset):
    _signal.connect(factors_changed, dispatch_uid="people.factors_changed")
for _signal in (account.password_changed, account.password_set):
    _signal.connect(password_changed, dispatch_uid="people.password_changed")
account.authentication_step_completed.connect(confirmed, dispatch_uid="people.confirmed")
account.password_reset.connect(password_reset, dispatch_uid="people.password_reset")
