"""Versions of the API are days. A key keeps the one it was issued in; `Mizan-Version` asks for another, once.

A new field is no new version. What would break a platform is: 1. add the day to VERSIONS and its section to
docs/reference/api-versions.md; 2. `register(Change(...))`, which turns answers of the new form into that of before,
and requests of before into the new form. Operations speak the newest version only and know no other.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

HEADER: Final = "Mizan-Version"
VERSIONS: Final = ["2026-11-22"]
PREFIX: Final = "api/v1/"
Body = Any


class UnknownVersion(Exception):
    """There is no such version of the API."""

    def __init__(self, asked: str) -> None:
        words = _("%(header)s: there is no version %(asked)s. Known: %(known)s.")
        super().__init__(words % {"header": HEADER, "asked": asked[:20], "known": ", ".join(VERSIONS)})


def _same(body: Body) -> Body:
    return body


@dataclass(frozen=True, slots=True)
class Change:
    """From `version` on `operation` ("GET /cases/{number}") has another form. Bodies are parsed JSON."""

    version: str
    operation: str
    older_answer: Callable[[Body], Body] = _same
    newer_request: Callable[[Body], Body] = _same


_changes: list[Change] = []


def register(change: Change) -> None:
    if change.version not in VERSIONS[1:]:
        raise ValueError(f"{change.operation}: {change.version} is no version after the first")
    _changes.append(change)
    _changes.sort(key=lambda one: one.version)


def newest() -> str:
    return VERSIONS[-1]


def chosen(headers: Mapping[str, str], pinned: str) -> str:
    """The version a request is answered in: the one it asks for, else its key's. Raises UnknownVersion."""
    asked = headers.get(HEADER, pinned)
    if asked not in VERSIONS:
        raise UnknownVersion(asked)
    return asked


def operation_of(request: HttpRequest) -> str:
    """ "GET /cases/{number}" of the request's route."""
    route = request.resolver_match.route if request.resolver_match else ""
    path = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", route.removeprefix(PREFIX))
    return f"{request.method} /{path}"


def older_answer(operation: str, body: Body, version: str) -> Body:
    """An answer of the newest form in the form of `version`: the youngest change is undone first."""
    for change in reversed(_after(version, operation)):
        body = change.older_answer(body)
    return body


def newer_request(operation: str, body: Body, version: str) -> Body:
    """A request's body of the form of `version` in the newest form."""
    for change in _after(version, operation):
        body = change.newer_request(body)
    return body


def _after(version: str, operation: str) -> list[Change]:
    return [change for change in _changes if change.version > version and change.operation == operation]
