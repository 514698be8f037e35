"""The answer to an error that nobody expected; of one under /api/, `compliance.platform.problems` makes a problem.

A database that is away, restarts or gave up a transaction is no fault to report: everything was rolled back, and the
same request may go through in a moment. So it is 503 with Retry-After, and needs no database to be said.
"""

import sys
from typing import Final

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.views.defaults import server_error

RETRY_AFTER: Final = "5"  # seconds


def unexpected(request: HttpRequest) -> HttpResponse:
    """Django's handler500: called while the exception is being handled."""
    if isinstance(sys.exc_info()[1], (OperationalError, InterfaceError)):
        return HttpResponse(render_to_string("503.html"), status=503, headers={"Retry-After": RETRY_AFTER})
    return server_error(request)
