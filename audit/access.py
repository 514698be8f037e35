"""Every route names its rule; a route without one is refused. Refusals are entries of the log."""

from collections.abc import Callable
from enum import StrEnum
from typing import Any, TypeVar
from urllib.parse import unquote

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import BadRequest
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import ResolverMatch
from django.utils.module_loading import import_string

from audit import context
from audit.actors import Acts, who
from audit.cards import without_cards
from audit.perform import ConditionsNotMet, Denied, StaleVersion, WrongState
from audit.record import ObjectRef, record_refusal


class Rule(StrEnum):
    """PUBLIC: anybody. SIGNED_IN: active staff; the view's first line asks for the object. KEY: an API key's scope."""

    PUBLIC = "public"
    SIGNED_IN = "signed_in"
    KEY = "key"
    CLOSED = "closed"


# The names of fields in which people write sentences.
FREE_TEXT = ("text", "note", "summary", "answer")

View = TypeVar("View", bound=Callable[..., Any])


Fresh = bool | Callable[[HttpRequest], bool]


def rule(needed: Rule | str, *, fresh: Fresh = False) -> Callable[[View], View]:
    """Name a view's rule: a `Rule`, or a permission such as "audit.view_entry".

    `fresh`: a sign-in of hours ago is not enough, the person confirms who they are (settings.AUDIT_CONFIRM asks); or
    a question to the request that says so, such as whether it takes a file away.
    """

    def named(view: View) -> View:
        view.rule, view.fresh = needed, fresh  # type: ignore[attr-defined]
        return view

    return named


def when_sent(request: HttpRequest) -> bool:
    """For `fresh=`: the page is only looked at; what is sent from it changes something or takes a file away."""
    return request.method == "POST"


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
        "mfa_login_webauthn",
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
        self.confirm: Callable[[HttpRequest], HttpResponse | None] = import_string(settings.AUDIT_CONFIRM)

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
        fresh: Fresh = getattr(view, "fresh", False)
        return self.confirm(request) if (fresh(request) if callable(fresh) else fresh) else None

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if isinstance(exception, Denied) and request.user.is_authenticated:
            ensure_recorded(exception, by=who(request.user), match=request.resolver_match)
        found = next((_answers[kind] for kind in type(exception).__mro__ if kind in _answers), None)
        if found is None:
            return None
        status, headers = found
        facts = {"exception": exception, "mine": typed_in(request), "theirs": getattr(exception, "theirs", "")}
        response = render(request, f"{status}.html", facts, status=status)
        for name, value in headers.items():
            response[name] = value
        return response


def ensure_recorded(denied: Denied, *, by: Acts, match: ResolverMatch | None) -> None:
    """Who was refused further inside than the rule of the route is in the log too: where the request recorded no
    refusal for the same reason yet, this does.
    """
    noted = context.refusals_noted()
    if (denied.log, denied.code) in noted or (denied.log == "main" and denied.code in {reason for _, reason in noted}):
        return
    # What was refused on a side with a log of its own is no matter of the other, also where the exception names none.
    log = next((log for log, _reason in noted if log != "main"), denied.log)
    about = ObjectRef("route", match.view_name if match else "")
    record_refusal("access.deny", by=by, about=about, reason=denied.code, log=log)


def typed_in(request: HttpRequest) -> str:
    """The free text of a form that was not saved: the page that says so shows it, so that nobody writes it twice."""
    texts = [request.POST.get(field, "").strip() for field in FREE_TEXT]
    return without_cards("\n\n".join(text for text in texts if text))


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
