"""Signing in, failing to, signing out: each is an entry. Nobody signs up: staff are added by staff."""

from contextlib import AbstractContextManager, nullcontext
from typing import Any

from allauth.account import signals as account
from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa import signals as mfa
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.db import transaction
from django.http import HttpRequest

from audit import context
from audit.actors import Anonymous
from audit.middleware import of
from audit.record import ObjectRef, record, record_refusal
from compliance.people.models import User

LONGEST_LOGIN = 254


class ClosedSignUp(DefaultAccountAdapter):  # type: ignore[misc]  # allauth has no types
    """allauth's own page of sign-up stays closed."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False


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
    _record("people.sign_in", user, request, details={"factors": _factors(request)})


def signed_out(sender: Any, request: HttpRequest, user: User | None, **kwargs: Any) -> None:
    # Django also calls this for somebody who was not signed in.
    if user is not None:
        _record("people.sign_out", user, request)


def sign_in_failed(sender: Any, credentials: dict[str, Any], request: HttpRequest | None = None, **kwargs: Any) -> None:
    """A wrong password or an unknown address. What was typed is sealed: people type passwords into the wrong field."""
    typed = str(credentials.get("email") or credentials.get("username") or "")[:LONGEST_LOGIN]
    user = User.objects.filter(email=typed.strip().lower()).first()
    about = user or ObjectRef("user", "unknown")
    reason = "unknown" if user is None else "wrong_password" if user.is_active else "inactive"
    with within(request):
        record_refusal("people.fail_sign_in", by=Anonymous(), about=about, reason=reason, details={"login": typed})


def second_step_failed(sender: Any, user: User, request: HttpRequest | None = None, **kwargs: Any) -> None:
    with within(request):
        record_refusal("people.fail_sign_in", by=Anonymous(), about=user, reason="wrong_code")


def password_changed(sender: Any, request: HttpRequest, user: User, **kwargs: Any) -> None:
    _record("people.change_password", user, request)


def password_reset(sender: Any, request: HttpRequest, user: User, **kwargs: Any) -> None:
    _record("people.reset_password", user, request)


def factors_changed(sender: Any, request: HttpRequest, user: User, authenticator: Any, **kwargs: Any) -> None:
    _record("people.change_factors", user, request, details={"factor": str(authenticator.type)})


def _factors(request: HttpRequest) -> str:
    """Such as "password" or "password+totp"; "none" for a session that no factor opened."""
    session: Any = getattr(request, "session", {})
    methods = session.get("account_authentication_methods") or []
    return "+".join(str(method.get("type") or method.get("method")) for method in methods) or "none"


# Signals of Django and allauth only: our own packages call each other.
user_logged_in.connect(signed_in, dispatch_uid="people.signed_in")
user_logged_out.connect(signed_out, dispatch_uid="people.signed_out")
user_login_failed.connect(sign_in_failed, dispatch_uid="people.sign_in_failed")
mfa.authentication_failed.connect(second_step_failed, dispatch_uid="people.second_step_failed")
for _signal in (mfa.authenticator_added, mfa.authenticator_removed, mfa.authenticator_reset):
    _signal.connect(factors_changed, dispatch_uid="people.factors_changed")
for _signal in (account.password_changed, account.password_set):
    _signal.connect(password_changed, dispatch_uid="people.password_changed")
account.password_reset.connect(password_reset, dispatch_uid="people.password_reset")
