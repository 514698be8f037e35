"""The live reading of rules: each becomes nested functions once, and a transaction costs what they compare.

A rule that fired is explained from the same tree: `explain` names each comparison with the numbers that met.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from operator import attrgetter, eq, ge, gt, le, lt
from typing import Any, Final
from uuid import UUID

from cases.patterns import expressions
from cases.patterns.events import FACTS, Event
from cases.patterns.expressions import Series
from cases.patterns.features import EVERY
from cases.patterns.state import State

Number = Callable[[Event, State], int]
Truth = Callable[[Event, State], bool]
COMPARE: Final[Mapping[str, Callable[[int, int], bool]]] = {"ge": ge, "gt": gt, "le": le, "lt": lt, "eq": eq}


@dataclass(frozen=True, slots=True)
class Compared:
    """One comparison of a rule that fired: where it stands, and the two numbers (of "in" and "fact": 1 and 1)."""

    place: str
    left: int
    right: int
    met: bool


class Compiled:
    """A rule that can be asked. `rule_id` and `code` are the version's."""

    def __init__(self, definition: Mapping[str, Any], *, rule_id: UUID | None = None, code: str = "") -> None:
        self.rule_id, self.code, self.definition = rule_id, code, definition
        self.values = expressions.values_of(definition)
        self.kinds = frozenset(definition["on"])
        self.segments = frozenset(definition.get("segments", ()))
        self.currencies = expressions.currencies_of(definition)
        self.series = expressions.series_of(definition)
        self._fires = truth(definition["when"], self.values)
        self._comparisons: list[tuple[str, Number, Number, Truth]] | None = None

    def looks_at(self, event: Event) -> bool:
        """Whether the event is within its kinds, segments and currencies."""
        return (
            event.kind in self.kinds
            and (not self.segments or event.risk in self.segments)
            and (self.currencies is None or event.currency in self.currencies)
        )

    def fires(self, event: Event, state: State) -> bool:
        """`state` has the event in it already."""
        return self.looks_at(event) and self._fires(event, state)

    def holds(self, event: Event, state: State) -> bool:
        """Its condition alone, whatever the kind of the event."""
        return self._fires(event, state)

    def explain(self, event: Event, state: State) -> list[Compared]:
        """Every comparison, in the order of the rule, with what it compared for this event."""
        return [
            Compared(place, left(event, state), right(event, state), met(event, state))
            for place, left, right, met in self._explained()
        ]

    def _explained(self) -> list[tuple[str, Number, Number, Truth]]:
        if self._comparisons is None:
            self._comparisons = [
                (place, *_sides(node, self.values), truth(node, self.values))
                for place, node in expressions.nodes(self.definition["when"])
                if next(iter(node)) in (*expressions.COMPARES, "in", "fact")
            ]
        return self._comparisons


def _sides(node: Mapping[str, Any], values: Mapping[str, Any]) -> tuple[Number, Number]:
    """The two numbers of a comparison; a membership compares whether it holds with 1."""
    ((name, given),) = node.items()
    if name in expressions.COMPARES:
        return number(given[0], values), number(given[1], values)
    holds = truth(node, values)
    return lambda event, state: int(holds(event, state)), lambda event, state: 1


class RuleBook:
    """The rules that are asked together, and the series that they need. `digest` names these series.

    `also` are series that somebody else has counted along (`feeds`).
    """

    def __init__(self, rules: Iterable[Compiled], *, also: Iterable[Series] = ()) -> None:
        self.rules = list(rules)
        self.by_kind: dict[str, list[Compiled]] = {}
        for rule in self.rules:
            for kind in rule.kinds:
                self.by_kind.setdefault(kind, []).append(rule)
        self.series: dict[str, Series] = {}
        for asked in (*(rule.series for rule in self.rules), also):
            for one in asked:
                known = self.series.get(one.key)
                hours, days = max(one.hours, known.hours if known else 0), max(one.days, known.days if known else 0)
                self.series[one.key] = Series(one.key, one.feature, one.parameters, hours, days)
        ordered = sorted(self.series.values(), key=lambda one: one.key)
        self._members = [(one.key, one.hours, one.days, filter_of(one)) for one in ordered]
        self.digest = expressions.digest({one.key: [one.hours, one.days] for one in ordered})[:32]

    def take(self, event: Event, state: State) -> None:
        """Let the state meet the event. Events come in the order of time."""
        state.meet(event)
        for key, hours, days, belongs in self._members:
            if belongs(event, state):
                state.add(key, event, hours=hours, days=days)

    def ask(self, event: Event, state: State) -> list[Compiled]:
        """The rules that fire at an event that the state met last."""
        return [rule for rule in self.by_kind.get(event.kind, ()) if rule.fires(event, state)]


def filter_of(series: Series) -> Truth:
    """Whether an event belongs to a series. An amount that is not named for its currency leaves it out."""
    where = EVERY[series.feature].where
    money = [value for value in series.parameters.values() if isinstance(value, dict)]
    inside = truth(where, series.parameters)
    if not money:
        return inside
    currencies = frozenset(set.intersection(*(set(value) for value in money)))
    return lambda event, state: event.currency in currencies and inside(event, state)


def truth(node: Mapping[str, Any], values: Mapping[str, Any]) -> Truth:
    ((name, given),) = node.items()
    match name:
        case "all":
            parts = [truth(one, values) for one in given]
            return _all(parts)
        case "any":
            parts = [truth(one, values) for one in given]
            return _any(parts)
        case "not":
            inner = truth(given, values)
            return lambda event, state: not inner(event, state)
        case "in":
            value = attrgetter(given[0]["attribute"])
            words = frozenset(values[given[1]["param"]] if isinstance(given[1], dict) else given[1])
            return lambda event, state: value(event) in words
        case "fact":
            bit = int(FACTS[given][0])
            return lambda event, state: bool(event.facts & bit)
        case "multiple":
            left, right = (number(one, values) for one in given)
            return lambda event, state: (unit := right(event, state)) > 0 and left(event, state) % unit == 0
    left, right = (number(one, values) for one in given)
    compare = COMPARE[name]
    if isinstance(given[1], int):
        limit = given[1]
        return lambda event, state: compare(left(event, state), limit)
    return lambda event, state: compare(left(event, state), right(event, state))


def _all(parts: list[Truth]) -> Truth:
    if len(parts) == 2:
        first, second = parts
        return lambda event, state: first(event, state) and second(event, state)

    def every(event: Event, state: State) -> bool:
        for part in parts:  # noqa: SIM110 - a generator would cost more than what it asks
            if not part(event, state):
                return False
        return True

    return every


def _any(parts: list[Truth]) -> Truth:
    def some(event: Event, state: State) -> bool:
        for part in parts:  # noqa: SIM110
            if part(event, state):
                return True
        return False

    return some


def number(node: Any, values: Mapping[str, Any]) -> Number:
    if isinstance(node, int):
        return lambda event, state: node
    name = next(one for one in node if one not in ("within", "before", "per"))
    given = node[name]
    match name:
        case "param":
            return _parameter(values[given])
        case "attribute":
            value = attrgetter(given)
            return lambda event, state: value(event)
        case "count" | "sum":
            return _window(node, name, values)
        case "plus":
            parts = [number(one, values) for one in given]
            return lambda event, state: sum(part(event, state) for part in parts)
    left, right = (number(one, values) for one in given)
    match name:
        case "percent":
            return lambda event, state: left(event, state) * right(event, state) // 100
        case "times":
            return lambda event, state: left(event, state) * right(event, state)
    return lambda event, state: left(event, state) - right(event, state)


def _parameter(value: Any) -> Number:
    if isinstance(value, dict):
        return lambda event, state: value[event.currency]
    return lambda event, state: value


def _window(node: Mapping[str, Any], name: str, values: Mapping[str, Any]) -> Number:
    window, key = expressions.window_of(node), expressions.series_key(node, values)
    unit, first, last = int(window.unit == "d"), window.first, window.last
    now: Callable[[Event], int] = attrgetter("day" if unit else "hour")

    def count(event: Event, state: State) -> int:
        bucket = now(event)
        return state.count(key, unit, bucket - first, bucket - last)

    def total(event: Event, state: State) -> int:
        bucket = now(event)
        return state.sum(key, event.currency, unit, bucket - first, bucket - last)

    found = count if name == "count" else total
    if "per" not in node:
        return found
    per, length = expressions.buckets(node["per"])[1], window.length
    return lambda event, state: found(event, state) * per // length
