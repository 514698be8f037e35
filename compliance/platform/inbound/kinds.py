"""Who works on which messages.

To add a kind:
1. write `def work(message: Incoming) -> str` in your package: it runs in a worker, in one transaction with the mark
   that it is done, may run twice, and answers with what came of it: "applied", "late" or "unknown";
2. `register("yours", work)` in a module that your AppConfig.ready() imports.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from compliance.platform.inbound.models import Sender


@dataclass(frozen=True, slots=True)
class Incoming:
    """What somebody sent, whose signature was checked: the body is theirs, and nothing in it is believed unseen."""

    sender: Sender
    message_id: str
    body: Mapping[str, Any]


Worker = Callable[[Incoming], str]
_workers: dict[str, Worker] = {}


def register(kind: str, worker: Worker) -> None:
    if kind in _workers:
        raise ValueError(f"The kind {kind} of messages is registered twice")
    _workers[kind] = worker


def known() -> tuple[str, ...]:
    return tuple(sorted(_workers))


def worker_of(kind: str) -> Worker:
    return _workers[kind]
