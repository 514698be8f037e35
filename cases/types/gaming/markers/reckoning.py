"""The score of a player: a function of what is known of them and of nothing else. In whatever order things came to be
known, the same facts give the same sum.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from cases.patterns.closures import Compiled, filter_of
from cases.patterns.feeds import Counted
from cases.patterns.state import State
from cases.patterns.words import as_values
from cases.types.gaming.markers.book import Book
from cases.types.gaming.markers.signs import Signed, bucket_of
from compliance.people.models import Customer

NO_AGE: Final = 999  # years: nobody knows; such a player is not counted as young


@dataclass(frozen=True, slots=True)
class Moment:
    """What a marker is asked at: the newest thing known, in one of the player's currencies ("": none yet)."""

    hour: int
    day: int
    currency: str
    age: int


@dataclass(frozen=True, slots=True)
class Reckoned:
    """`lines`: for each marker {"marker", "weight", "met", "currency", "compared"}, in the order of the policy."""

    value: int
    policy: str
    as_of: datetime
    lines: list[dict[str, Any]]

    @property
    def met(self) -> list[str]:
        return [line["marker"] for line in self.lines if line["met"]]


def reckon(customer: Customer, book: Book, counted: Counted | None, signs: Iterable[Signed]) -> Reckoned | None:
    """None while nothing is known of the player."""
    signs = list(signs)
    moments = [one.at for one in signs] + ([counted.last_at] if counted else [])
    if not moments:
        return None
    as_of = max(moments)
    state = _with_signs(counted.state if counted else State(), book, signs)
    hour, day = bucket_of(as_of, customer.licensee.zone)
    age = age_on(customer.birth_date, date.fromordinal(day))
    asked = [Moment(hour, day, currency, age) for currency in _currencies(state)]
    lines = [_line(code, book, marker, state, asked) for code, marker in book.markers.items()]
    value = sum(line["weight"] for line in lines if line["met"])
    return Reckoned(value, book.policy.version, as_of, lines)


def age_on(born: date | None, day: date) -> int:
    """Whole years, as the calendar counts them."""
    if born is None:
        return NO_AGE
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


def _with_signs(state: State, book: Book, signs: Iterable[Signed]) -> State:
    """The state with the signs counted into their own series."""
    series = {one.key: one for one in book.signs}
    hours, days = max((one.hours for one in book.signs), default=0), max((one.days for one in book.signs), default=0)
    for key, one in series.items():
        belongs: Any = filter_of(one)
        state.series.pop(key, None)
        for sign in signs:
            if belongs(sign, state):
                state.add(key, sign, hours=hours, days=days)  # type: ignore[arg-type]
    return state


def _currencies(state: State) -> list[str]:
    found = {currency for held in state.series.values() for currency in held}
    return sorted(found - {""}) or [""]


def _line(code: str, book: Book, marker: Compiled, state: State, asked: Iterable[Moment]) -> dict[str, Any]:
    """A marker in the currency in which it holds, else in the first that it names; it counts once in any case."""
    weight, known = book.policy.markers[code].weight, None
    for moment in asked:
        if marker.currencies is not None and moment.currency not in marker.currencies:
            continue
        met = marker.holds(moment, state)  # type: ignore[arg-type]
        line = {"marker": code, "weight": weight, "met": met, "currency": moment.currency}
        if met or known is None:
            known = line | {"compared": as_values(marker.explain(moment, state))}  # type: ignore[arg-type]
        if met:
            break
    return known or {"marker": code, "weight": weight, "met": False, "currency": "", "compared": []}


def acts_due(book: Book, reckoned: Reckoned) -> Mapping[str, str]:
    """The acts that this score or one of its markers calls for, from the mildest on: act -> rule id of why. The product
    writes only where no person is to call, and of its two letters the stronger one.
    """
    due = {act: at.id for act, at in book.policy.acts.items() if reckoned.value >= at.score}
    for code in reckoned.met:
        marker = book.policy.markers[code]
        for act in marker.at_once:
            due.setdefault(act, marker.id)
    if "tool_prompt" in due or "call" in due:
        due.pop("message", None)
    if "call" in due:
        due.pop("tool_prompt", None)
    return due
