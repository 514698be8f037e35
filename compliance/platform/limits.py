"""How often a key may call: a number of requests in each minute of the clock, shared by all web processes.

Each process counts for itself and tells the shared cache once a second, so a request costs no query. The count is
therefore exact to about a second; that is enough to stop a runaway client, and no security rests on it.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock

from django.conf import settings
from django.core.cache import cache
from django.db import connection

log = logging.getLogger(__name__)

MINUTE = 60
TELL_EVERY = 1.0


@dataclass(frozen=True, slots=True)
class Allowance:
    """Where a caller stands in this minute. `resets_in` seconds."""

    limit: int
    used: int
    resets_in: int

    @property
    def exceeded(self) -> bool:
        return self.used > self.limit

    @property
    def headers(self) -> dict[str, str]:
        return {
            "RateLimit-Limit": str(self.limit),
            "RateLimit-Remaining": str(max(0, self.limit - self.used)),
            "RateLimit-Reset": str(self.resets_in),
        }


@dataclass(slots=True)
class _Count:
    window: int
    shared: int = 0  # what the cache said last, ours included
    unsaid: int = 0  # what we counted since
    told_at: float = float("-inf")


class RateLimit:
    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._counts: dict[str, _Count] = {}
        self._lock = Lock()

    def hit(self, caller: str, limit: int) -> Allowance:
        """Count one request of `caller` and say how it stands."""
        now = self._clock()
        window = int(now // MINUTE)
        with self._lock:
            count = self._counts.get(caller)
            if count is None or count.window != window:
                count = self._counts[caller] = _Count(window)
            count.unsaid += 1
            telling = count.unsaid if now - count.told_at >= TELL_EVERY else 0
            if telling:
                count.told_at = now
                count.unsaid -= telling
                count.shared += telling
            used = count.shared + count.unsaid
        if telling:
            used = self._tell(caller, count, telling)
        return Allowance(limit, used, MINUTE - int(now % MINUTE))

    def _tell(self, caller: str, count: _Count, telling: int) -> int:
        name = f"rate:{caller}:{count.window}"
        shared = 0
        try:
            if not cache.add(name, telling, timeout=2 * MINUTE):
                shared = int(cache.incr(name, telling))
        except Exception as error:  # a cache that is away must not close the gate; this process still counts for itself
            log.warning("rate limits are not shared at the moment: %s", type(error).__name__)
        with self._lock:
            count.shared = max(count.shared, shared)
            return count.shared + count.unsaid


rate_limit = RateLimit()


def forget_ended() -> int:
    """Delete what ended from the cache, where a table of ours is the cache: it removes by itself only what somebody
    asks for again, and counts of tries are never asked for again. How many rows.
    """
    kept = settings.CACHES["default"]
    if not kept["BACKEND"].endswith(".DatabaseCache"):
        return 0
    with connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {connection.ops.quote_name(kept['LOCATION'])} WHERE expires < now()")  # noqa: S608
        return int(cursor.rowcount)
