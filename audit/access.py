"""Every route names its rule; a route without one is refused. Refusals are entries of the log."""

from collections.abc import Callable
from enum import StrEnum
from typing import Any, TypeVar
from urllib.parse import unquote

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import BadRequest
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import ResolverMatch

from audit.actors import who
from audit.perform import ConditionsNotMet, Denied, StaleVersion, WrongState
from audit.record import ObjectRef, record_refusal


class Rule(StrEnum):
    """PUBLIC: anybody. SIGNED_IN: active staff; the view's first line asks for the object. KEY: an API key's scope."""

    PUBLIC = "public"
    SIGNED_IN = "signed_in"
    KEY = "key"
    CLOSED = "closed"


View = TypeVar("View", bound=Callable[..., Any])


def rule(needed: Rule | str) -> Callable[[View], View]:
    """Name a view's rule: a `Rule`, or a permission such as "audit.view_entry"."""

    def named(view: View) -> View:
        view.rule = needed  # type: ignore[attr-defined]
        return view

    return named


# Routes of the sign-in library: these are for people who have not signed in yet, the others for those who have.
PUBLIC_ROUTES = frozenset(
    {
        "account_inactive",
        "account_login",
        "account_logout",
        "account_reset_password",
        "account_reset_password_done",
        "account_reset_password_from_key",
        "account_reset_password_from_key_done",
        "account_signup",
        "mfa_authenticate",
    }
)
# A stolen session must not be able to move a sign-in to another address: an administrator sets it.
CLOSED_ROUTES = frozenset({"account_email", "account_confirm_email", "account_email_verification_sent"})
LIBRARY_RULES: dict[str, Rule] = {"allauth.": Rule.SIGNED_IN, "ninja.": Rule.KEY}


def rule_of(match: ResolverMatch) -> Rule | str | None:
    if match.view_name in CLOSED_ROUTES:
        return Rule.CLOSED
    if match.view_name in PUBLIC_ROUTES:
        return Rule.PUBLIC
    view = match.func
    named: Rule | str | None = getattr(view, "rule", None)
    if named is None:
        module = getattr(getattr(view, "view_class", view), "__module__", "")
        named = next((rule for prefix, rule in LIBRARY_RULES.items() if module.startswith(prefix)), None)
    return named


class RuleMiddleware:
    """Refuse what has no rule or does not meet it, and answer the product's own errors with their page."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if "\x00" in unquote(request.get_full_path()):  # PostgreSQL refuses it in a text, which would be an error 500
            raise BadRequest("NUL in the address")
        response = self.get_response(request)
        if request.user.is_authenticated:
            # What staff saw must not come back from a cache after they signed out.
            response.headers.setdefault("Cache-Control", "no-store")
        return response

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        match = request.resolver_match
        needed = rule_of(match) if match else None
        if needed in (None, Rule.CLOSED):
            raise Http404("no rule")
        if needed in (Rule.PUBLIC, Rule.KEY):
            return None
        user = request.user
        if not user.is_authenticated or not user.is_active:
            return _ask_to_sign_in(request)
        if needed is not Rule.SIGNED_IN and not user.has_perm(str(needed)):
            record_refusal(
                "access.deny",
                by=who(user),
                about=ObjectRef("route", match.view_name if match else ""),
                reason="no_right",
            )
            raise Denied("no_right")
        return None

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        found = next((_answers[kind] for kind in type(exception).__mro__ if kind in _answers), None)
        if found is None:
            return None
        status, headers = found
        response = render(request, f"{status}.html", {"exception": exception}, status=status)
        for name, value in headers.items():
            response[name] = value
        return response


_answers: dict[type[BaseException], tuple[int, dict[str, str]]] = {
    StaleVersion: (409, {}),
    WrongState: (409, {}),
    ConditionsNotMet: (422, {}),
}


def answer_with(status: int, exception: type[Exception], **headers: str) -> None:
    """Pages answer this exception, and those derived from it, with `<status>.html`. Packages call it from ready()."""
    _answers[exception] = (status, {name.replace("_", "-"): value for name, value in headers.items()})


def _ask_to_sign_in(request: HttpRequest) -> HttpResponse:
    """A page goes to the sign-in; a fragment tells htmx to go there: no sign-in form lands inside a table."""
    if request.headers.get("HX-Request"):
        return HttpResponse(
            status=204, headers={"HX-Redirect": redirect_to_login(request.headers.get("HX-Current-URL", "/")).url}
        )
    return redirect_to_login(request.get_full_path())
