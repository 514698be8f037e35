"""A wish to stop that a signal handler may express.

A handler runs in the main thread, between any two steps of it. `threading.Event` takes a lock that is not re-entrant,
in `wait` and in `set`: a handler that sets it at the wrong moment waits for its own thread for ever. `SimpleQueue.put`
is re-entrant by promise of the standard library.
"""

from queue import Empty, SimpleQueue


class Stop:
    """Set once, for ever."""

    def __init__(self) -> None:
        self._wishes: SimpleQueue[None] = SimpleQueue()

    def set(self) -> None:
        self._wishes.put(None)

    def is_set(self) -> bool:
        return not self._wishes.empty()

    def wait(self, seconds: float) -> bool:
        """Return whether it is set, at the latest after `seconds`."""
        try:
            self._wishes.get(timeout=seconds)
        except Empty:
            return False
        self._wishes.put(None)
        return True
