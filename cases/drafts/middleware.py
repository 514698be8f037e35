"""Closes what a form kept while it was typed, once the act that it asked for was done."""

from collections.abc import Callable
from typing import Any

from django.contrib.messages import WARNING, get_messages
from django.http import HttpRequest, HttpResponse

from cases.drafts import services
from compliance.people.models import User

_FORM = f"form-{services.FORM}"


class DraftsMiddleware:
    """Stands last: what another middleware answers, such as the way to the sign-in, never gets to `process_view`."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if getattr(request, "draft_may_close", False) and _was_done(request, response):
            tokens = {
                name: services.token_of(request.POST.get(name)) for name in request.POST if name.startswith(_FORM)
            }
            for name, token in tokens.items():
                if token and isinstance(request.user, User):
                    services.close_field(name.removeprefix("form-"), by=request.user, token=token)
        return response

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> None:
        match = request.resolver_match
        keeps = match is not None and match.view_name == "cases:draft-of-field"
        request.draft_may_close = request.method == "POST" and not keeps  # type: ignore[attr-defined]


def _was_done(request: HttpRequest, response: HttpResponse) -> bool:
    """A page after the act is a redirect; a part of a page that htmx swaps is not. What was refused says so, by its
    status or by a message that warns.
    """
    if not (300 <= response.status_code < 400 or (request.headers.get("HX-Request") and response.status_code < 400)):
        return False
    said: Any = get_messages(request)
    warned = any(message.level >= WARNING for message in said)
    if said:
        said.used = False  # they are shown on the page that follows
    return not warned
