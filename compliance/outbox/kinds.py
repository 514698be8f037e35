"""Who delivers what: one handler per kind of row.

To add a kind:
1. write `def handler(row: OutboxRow) -> None` in your package; it may run twice, so it re-checks what it does;
2. call `register("yours.verb", handler)` in a module that your AppConfig.ready() imports;
3. `post("yours.verb", payload=...)`.

The name of a kind stands on the administrators' page of what could not be delivered: one of the AML side says nothing
of AML.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from compliance.outbox.models import OutboxRow

Handler = Callable[["OutboxRow"], None]


class UnknownKind(LookupError):
    """No handler was registered for this kind of row."""


_handlers: dict[str, Handler] = {}


def register(kind: str, handler: Handler) -> None:
    if kind in _handlers:
        raise ValueError(f"The outbox kind {kind} is registered twice")
    _handlers[kind] = handler


def handler_of(kind: str) -> Handler:
    try:
        return _handlers[kind]
    except KeyError:
        raise UnknownKind(f"{kind}: nobody delivers it. Register a handler (compliance/outbox/kinds.py).") from None
