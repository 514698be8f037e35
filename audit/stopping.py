"""A wish to stop that a signal handler may express.

A handler runs in the main thread, between any two steps of it. `threading.Event` and `queue.SimpleQueue` take locks
that a handler at the wrong moment waits for in its own thread, for ever. So: a flag, looked at twenty times a second.
"""

import time

LOOK = 0.05  # seconds


class Stop:
    """Set once, for ever."""

    def __init__(self) -> None:
        self._set = False

    def set(self) -> None:
        self._set = True

    def is_set(self) -> bool:
        return self._set

    def wait(self, seconds: float) -> bool:
        """Return whether it is set, at the latest after `seconds`."""
        ends = time.monotonic() + seconds
        while not self._set and (left := ends - time.monotonic()) > 0:
            time.sleep(min(left, LOOK))
        return self._set
