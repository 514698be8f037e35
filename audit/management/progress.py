"""How far a long command is: rate and time left on a terminal, a line now and then elsewhere."""

import time
from typing import Any

EVERY = 0.2  # seconds between two looks on a terminal
LINE_EVERY = 10.0  # and between two lines in a file


class Progress:
    """Call it with how much is done and how much there is. `out` is the command's stderr; `what` names the things."""

    def __init__(self, what: str, out: Any) -> None:
        self._what, self._out, self._began, self._due = what, out, time.monotonic(), 0.0
        self._terminal = bool(getattr(out, "isatty", lambda: False)())
        self._due = self._began + (0.0 if self._terminal else LINE_EVERY)

    def __call__(self, done: int, total: int) -> None:
        now = time.monotonic()
        if now < self._due and not (self._terminal and done == total):
            return
        self._due = now + (EVERY if self._terminal else LINE_EVERY)
        rate = done / max(now - self._began, 1e-9)
        left = (total - done) / rate if rate else 0.0
        words = f"{done:,} of {total:,} {self._what}, {rate:,.0f}/s, {left:,.0f} s left"
        ending = ("\n" if done == total else "") if self._terminal else "\n"
        self._out.write(f"\r{words}  " if self._terminal else words, ending=ending)
        self._out.flush()
