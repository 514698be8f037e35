"""How a thing came in: request id, session, authentication, address. Never the actor, who is always passed by name."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace


class MissingContext(RuntimeError):
    """Recorded outside a request, task or command. Open one with `context.use(context.new(source))`."""


@dataclass(frozen=True, slots=True)
class Context:
    """`source` is web, api, task, command or test; `session` is a digest; `authentication` names the factors used.

    `host` where the machine must not show: what is done by chance and by hand, and must look the same.
    """

    source: str
    request_id: str = field(default_factory=lambda: uuid.uuid4().hex)
    session: str | None = None
    authentication: str | None = None
    address: str | None = None
    user_agent: str | None = None
    host: str | None = None


_current: ContextVar[Context] = ContextVar("audit_context")
_refused: ContextVar[frozenset[tuple[str, str]]] = ContextVar("audit_refused", default=frozenset())


def new(source: str, **facts: str | None) -> Context:
    return Context(source, **facts)  # type: ignore[arg-type]


def current() -> Context:
    try:
        return _current.get()
    except LookupError:
        raise MissingContext(MissingContext.__doc__) from None


@contextmanager
def use(context: Context) -> Iterator[Context]:
    token, before = _current.set(context), _refused.set(frozenset())
    try:
        yield context
    finally:
        _refused.reset(before)
        _current.reset(token)


def amend(**facts: str | None) -> None:
    """Add what was learned on the way, such as how an API call signed in. Holds until the enclosing `use` ends."""
    _current.set(replace(current(), **facts))  # type: ignore[arg-type]


def note_refusal(log: str, reason: str) -> None:
    """That something was refused here for this reason is an entry of this log."""
    _refused.set(_refused.get() | {(log, reason)})


def refusals_noted() -> frozenset[tuple[str, str]]:
    return _refused.get()


def request_id() -> str | None:
    """For log lines, which exist outside requests too."""
    found = _current.get(None)
    return found.request_id if found else None


def bare(context: Context) -> Context:
    """The same without what would have to be sealed."""
    return replace(context, address=None, user_agent=None)
