"""What is kept of one customer so that rules can be asked at once: a digest of the raw rows in the order of time."""

import json
from collections.abc import Sequence
from typing import Any, Final

from cases.patterns.events import MINUTE, NEVER, Event

SEEN, FUNDED = 1, 2
_COUNT, _SUM = 1, 2
Buckets = list[int]  # bucket, count, sum, and so on, oldest first


class State:
    """`series` by key, then currency: hourly and daily buckets. `used` by digest: SEEN, FUNDED (instruments)."""

    __slots__ = ("country", "country_time", "first_day", "series", "used")

    def __init__(self) -> None:
        self.first_day = 0
        self.country, self.country_time = "", 0
        self.used: dict[str, int] = {}
        self.series: dict[str, dict[str, list[Buckets]]] = {}

    @classmethod
    def load(cls, data: bytes) -> "State":
        state = cls()
        if data:
            state.first_day, state.country, state.country_time, state.used, state.series = json.loads(data)
        return state

    def dump(self) -> bytes:
        values = [self.first_day, self.country, self.country_time, self.used, self.series]
        return json.dumps(values, separators=(",", ":")).encode()

    def meet(self, event: Event) -> None:
        """Tell the event what it is for this customer, and remember it. Events come in the order of time."""
        self.first_day = self.first_day or event.day
        event.days_known = event.day - self.first_day
        if event.ip_country:
            if self.country and self.country != event.ip_country:
                event.country_minutes = (event.time - self.country_time) // MINUTE
            else:
                event.country_minutes = NEVER
            self.country, self.country_time = event.ip_country, event.time
        if event.instrument is not None:
            key = event.instrument.hex
            known = self.used.get(key, 0)
            event.instrument_new, event.instrument_funded = int(not known), int(bool(known & FUNDED))
            self.used[key] = known | SEEN | (FUNDED if event.kind == "deposit" else 0)
        for thing in (event.device, event.network):
            if thing is not None:
                self.used.setdefault(thing.hex, SEEN)

    def add(self, key: str, event: Event, *, hours: int, days: int) -> None:
        """Count the event into a series; buckets that no rule looks back to go."""
        held = self.series.setdefault(key, {}).setdefault(event.currency, [[], []])
        if hours:
            _add(held[0], event.hour, event.amount, hours)
        if days:
            _add(held[1], event.day, event.amount, days)

    def count(self, key: str, unit: int, first: int, last: int) -> int:
        """Transactions of all currencies in buckets `first` to `last`; `unit` 0 is hours, 1 days."""
        held = self.series.get(key)
        return sum(_total(one[unit], first, last, _COUNT) for one in held.values()) if held else 0

    def sum(self, key: str, currency: str, unit: int, first: int, last: int) -> int:
        held = self.series.get(key, _NOTHING).get(currency)
        return _total(held[unit], first, last, _SUM) if held else 0


_NOTHING: Final[dict[str, Any]] = {}


def _add(held: Buckets, bucket: int, amount: int, keep: int) -> None:
    if held and held[-3] == bucket:
        held[-2] += 1
        held[-1] += amount
        return
    held += (bucket, 1, amount)
    oldest = bucket - keep
    while held[0] <= oldest:
        del held[:3]


def _total(held: Sequence[int], first: int, last: int, what: int) -> int:
    place, total = len(held) - 3, 0
    while place >= 0 and held[place] > last:
        place -= 3
    while place >= 0 and held[place] >= first:
        total += held[place + what]
        place -= 3
    return total
