"""A page that only reads asks for somebody's rights once; an act asks anew each time.

A page puts the same questions dozens of times: which queues are mine, whom do I know, which roles of mine still run.
`SessionMiddleware` opens a memory on the user of a safe request; it ends with the request. Nothing that writes has one,
so what ended while an act waited for its lock is seen by that act.
"""

from collections.abc import Callable
from typing import Any, TypeVar

from django.db.models import QuerySet
from django.http import HttpRequest

_MEMORY = "_asked_once"
_SAFE = ("GET", "HEAD")
Answer = TypeVar("Answer")


def remember(request: HttpRequest) -> None:
    """From now on `once` keeps what it is asked about this request's user, if the request may change nothing."""
    if request.method in _SAFE:
        setattr(request.user, _MEMORY, {})


def remembers(user: Any) -> bool:
    """Whether answers about this user are kept."""
    return getattr(user, _MEMORY, None) is not None


def once(user: Any, key: Any, ask: Callable[[], Answer]) -> Answer:
    """`ask()`, or what it said before in the same page. `key` names the question."""
    memory = getattr(user, _MEMORY, None)
    if memory is None:
        return ask()
    if key not in memory:
        memory[key] = ask()
    answer: Answer = memory[key]
    return answer


def few(user: Any, key: Any, rows: "Callable[[], QuerySet[Any, Any]]") -> "list[Any] | QuerySet[Any, Any]":
    """Values for `field__in`, of which a person has few: a query, or in a page what it said."""
    return once(user, key, lambda: list(rows())) if remembers(user) else rows()
