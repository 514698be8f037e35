"""Gives every request its context: request id, digest of the session, factors of the sign-in, address."""

from collections.abc import Callable, Iterator
from hashlib import sha256
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase, StreamingHttpResponse

from audit import context

HEADER = "X-Request-Id"


class ContextMiddleware:
    """Opens the context of a request and answers with its id.

    The id is always ours: one taken from the caller could be made to collide with another's.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        here = of(request)
        with context.use(here):
            response = self.get_response(request)
        response[HEADER] = here.request_id
        if isinstance(response, StreamingHttpResponse) and not response.is_async:
            # The bytes leave after this returns; what happens to them is recorded too.
            response.streaming_content = _within(here, iter(response))
        return response


def of(request: HttpRequest) -> context.Context:
    session = getattr(request, "session", None)
    key = session.session_key if session is not None else None
    return context.new(
        "api" if request.path.startswith(("/api/", "/scim/")) else "web",
        session=sha256(b"session" + key.encode()).hexdigest()[:16] if key else None,
        authentication=_factors(session) if key else None,
        address=address_of(request),
        user_agent=(request.META.get("HTTP_USER_AGENT") or "")[:300] or None,
    )


def address_of(request: HttpRequest) -> str | None:
    """Where the request came from: as seen by the outermost of our own proxies (TRUSTED_PROXIES), else by this server.

    What stands further left in X-Forwarded-For was written by somebody else.
    """
    count: int = settings.TRUSTED_PROXIES
    seen = [part.strip() for part in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",") if part.strip()]
    if count and len(seen) >= count:
        return str(seen[-count])
    return str(request.META.get("REMOTE_ADDR") or "") or None


def _factors(session: Any) -> str | None:
    """Such as "password" or "password+totp": the methods that allauth noted at the sign-in."""
    methods = session.get("account_authentication_methods") or []
    names = [str(method.get("type") or method.get("method")) for method in methods if isinstance(method, dict)]
    return "+".join(names) or None


def _within(here: context.Context, chunks: Iterator[bytes]) -> Iterator[bytes]:
    try:
        while True:
            with context.use(here):
                chunk = next(chunks, None)
            if chunk is None:
                return
            yield chunk
    finally:
        with context.use(here):
            getattr(chunks, "close", lambda: None)()
