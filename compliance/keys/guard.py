"""Nothing is served on a database that was restored from a backup older than the last shred, or exclusion."""

import logging
import time
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render

from compliance.keys.providers import KeyUnavailable
from compliance.keys.tombstones import refuse_if_unreplayed

ASK_AGAIN = 30.0  # seconds; the services are stopped for a restore, this is for those who did not

_log = logging.getLogger(__name__)
_checks: list[Callable[[], None]] = [refuse_if_unreplayed]


def ask_too(check: Callable[[], None]) -> None:
    """A further question whose KeyUnavailable closes everything. Packages above add theirs in AppConfig.ready()."""
    if check not in _checks:
        _checks.append(check)


class ReplayGuard:
    """503 for every page and call until `manage.py keys replay-shreds` and `manage.py exclusions reconcile` ran."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        self._good_until = 0.0

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if time.monotonic() >= self._good_until:
            try:
                for check in _checks:
                    check()
            except KeyUnavailable as error:
                _log.error("%s", error)
                return _refused(request)
            self._good_until = time.monotonic() + ASK_AGAIN
        return self.get_response(request)


def _refused(request: HttpRequest) -> HttpResponse:
    response = render(request, "503.html", status=503)
    response["Retry-After"] = "60"
    return response
