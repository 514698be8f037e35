"""Headers that keep other sites from embedding or reading what we answer (CORP, COEP), and powers no page needs."""

from collections.abc import Callable

from django.http import HttpRequest
from django.http.response import HttpResponseBase

HEADERS = {
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "X-Permitted-Cross-Domain-Policies": "none",
    # Passkeys are asked for by our own pages only; the camera takes pictures of papers through a file field.
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), publickey-credentials-get=(self)",
}


class IsolationMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        return response
