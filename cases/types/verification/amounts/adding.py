"""Adding up what a player moved until a policy's amount is reached. Pure: knows no database.

* Only the policy's currency counts: no rate is configured anywhere, and none is made up.
* Each leg (stakes, winnings, deposits, withdrawals) is added up for itself, and the first that reaches it triggers.
* A window of N calendar days is the licensee's day and the N before it; months and years begin with the start of the
  day of the same number, or the month's last. In doubt a duty falls earlier, so a window that is not said to roll is
  read as one that does: it lies within it.
* `single_or_linked` adds up what lies within `linked` of each other; `deposits` without a window all there ever was.
* A reversal takes nothing off gross sums. Of net deposits, withdrawals are taken off, less what was reversed.
"""

from bisect import bisect_left
from calendar import monthrange
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Final

from babel.numbers import get_currency_precision

from compliance.people.models import Licensee
from compliance.people.moving import DEPOSIT, REVERSAL, STAKE, WINNING, WITHDRAWAL, Movement
from compliance.policy.records import Period, Threshold

Starts = Callable[[datetime], datetime | None]

LEGS: Final = ((STAKE,), (WINNING,), (DEPOSIT,), (WITHDRAWAL,))
PAID: Final = ((DEPOSIT,), (WITHDRAWAL,))
NET: Final = ((DEPOSIT, WITHDRAWAL, REVERSAL),)
# What is surely no transfer; how it was paid is unknown of the others, and in doubt they count.
NO_TRANSFER: Final = frozenset({"card", "prepaid", "voucher", "cash", "crypto"})


@dataclass(frozen=True, slots=True)
class Line:
    """One amount of a policy, one leg of it: what counts, over which time, from how much. `minor` in minor units."""

    rule: str
    threshold: Threshold
    kinds: tuple[str, ...]
    minor: int
    within: Period | None
    transfers: bool = False

    def counts(self, one: Movement) -> bool:
        fits = one.kind in self.kinds and one.currency == self.threshold.currency
        return fits and not (self.transfers and one.by in NO_TRANSFER)

    def reached(self, total: int) -> bool:
        return total > self.minor or (self.threshold.op == "at_least" and total == self.minor)

    @property
    def is_net(self) -> bool:
        return self.kinds == NET[0]


@dataclass(frozen=True, slots=True)
class Reached:
    """The transaction at which a line was reached, the sum then, and since when it could be known."""

    line: Line
    by: Movement
    total: int
    known_at: datetime


def lines_of(rule: str, name: str, threshold: Threshold, *, linked: Period) -> list[Line]:
    """The legs of one amount. `name` is its place in the policy: transaction, transfer or deposits."""
    minor = int((threshold.amount * Decimal(10) ** get_currency_precision(threshold.currency)).to_integral_value())
    match threshold.over:
        case "deposits":
            legs, within = ((DEPOSIT,),), threshold.window
        case "net_deposits":
            legs, within = NET, threshold.window  # type: ignore[assignment]
        case _:
            legs, within = (PAID if name == "transfer" else LEGS), threshold.window or linked  # type: ignore[assignment]
    return [Line(rule, threshold, leg, minor, within, name == "transfer") for leg in legs]


def starts(within: Period | None, licensee: Licensee) -> Starts:
    """When the window of a moment begins; None: at the beginning of the relationship."""
    if within is None:
        return lambda at: None
    if within.unit == "hour":
        return lambda at: at - timedelta(hours=within.amount)

    @cache
    def first(day: date) -> datetime:
        return licensee.day_starts(_back(within, day))

    return lambda at: first(licensee.day_of(at))


def _back(within: Period, day: date) -> date:
    if within.unit == "calendar_day":
        return day - timedelta(days=within.amount)
    months = day.year * 12 + day.month - 1 - within.amount * (12 if within.unit == "year" else 1)
    year, month = divmod(months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def first_reached(
    line: Line,
    moved: Iterable[Movement],
    licensee: Licensee,
    *,
    since: datetime,
    until: datetime | None = None,
    holds: Callable[[datetime], bool] = lambda at: True,
) -> Reached | None:
    """The earliest transaction from `since` on, before `until`, at which the line is reached; None.

    `moved` reaches back one window before `since` at least. `holds(at)`: whether the line is law at that moment.
    The same rows in any order give the same answer.
    """
    rows = sorted({one.id: one for one in moved if line.counts(one)}.values(), key=lambda one: one.order)
    begins = starts(line.within, licensee)

    def usable(at: datetime) -> bool:
        return at >= since and (until is None or at < until) and holds(at)

    for last, one, total in _running(line, rows, begins):
        if line.reached(total) and usable(one.at):
            return Reached(line, one, total, _knowable(line, rows, last, begins, holds))
    return None


def _running(line: Line, rows: Sequence[Movement], begins: Starts) -> Iterator[tuple[int, Movement, int]]:
    """At each row its place, itself, and what its window holds up to it."""
    sums: Counter[str] = Counter()
    oldest = 0
    for place, one in enumerate(rows):
        sums[one.kind] += one.amount
        start = begins(one.at)
        while start is not None and rows[oldest].at < start:
            sums[rows[oldest].kind] -= rows[oldest].amount
            oldest += 1
        yield place, one, _total(line, sums)


def _total(line: Line, sums: Counter[str]) -> int:
    if line.is_net:
        return sums[DEPOSIT] - max(0, sums[WITHDRAWAL] - sums[REVERSAL])
    return sum(sums[kind] for kind in line.kinds)


def _knowable(
    line: Line, rows: Sequence[Movement], last: int, begins: Starts, holds: Callable[[datetime], bool]
) -> datetime:
    """When the rows that had come by then reached the line for the first time, at whatever transaction.

    Of gross sums more rows never reach it later, so the moment is found by halving. Of net sums: when all that the
    sum rests on had come.
    """
    if line.is_net:
        start = begins(rows[last].at)
        return max(one.known_at for one in rows[: last + 1] if start is None or one.at >= start)
    moments = sorted({one.known_at for one in rows})

    def known(moment: datetime) -> bool:
        had = [one for one in rows if one.known_at <= moment]
        return any(line.reached(total) and holds(one.at) for _place, one, total in _running(line, had, begins))

    return moments[bisect_left(moments, True, key=known)]
