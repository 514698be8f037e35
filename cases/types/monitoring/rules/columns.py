"""The columnar reading of rules: the same definitions over whole tables, for back-tests. Numbers are int64 throughout.

A window is two binary searches and a difference of running sums, so its cost does not depend on its length.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from cases.patterns import expressions
from cases.patterns.closures import Compiled
from cases.patterns.events import ATTRIBUTES, FACTS, MINUTE, NEVER
from cases.patterns.features import FEATURES

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
WIDE: Final = 1 << 21  # more buckets than any table spans: hours of 230 years
NONE: Final = -1


def code(attribute: str, word: str) -> int:
    """How a word stands in a column: its place among the attribute's words, or the letters of a country."""
    known = ATTRIBUTES[attribute].codes
    return known.index(word) if known else letters(word)


def letters(word: str) -> int:
    return int.from_bytes(word.encode(), "big")


@dataclass(slots=True)
class Table:
    """Transactions as columns, sorted by customer, time and id. `columns` holds every raw attribute that is asked for,
    `currency` in letters, `customer` and `instrument` as small numbers (NONE: none), `time` in microseconds."""

    customer: Ints
    time: Ints
    hour: Ints
    day: Ints
    currency: Ints
    columns: dict[str, Ints]
    instrument: Ints | None = None
    _made: dict[Any, Any] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.time)

    def column(self, name: str) -> Ints:
        if name not in self.columns:
            self.columns[name] = _worked_out(self, name)
        return self.columns[name]

    def once(self, key: Any, make: Any) -> Any:
        """What several rules ask for is made once."""
        if key not in self._made:
            self._made[key] = make()
        return self._made[key]


def raw_columns(definition: Mapping[str, Any]) -> set[str]:
    """The raw columns that a rule needs, besides those of every table."""
    asked = [
        definition["when"],
        *(FEATURES[str(n.get("count") or n["sum"])].where for n in expressions.windows(definition)),
    ]
    names = {str(node["attribute"]) for one in asked for _place, node in expressions.nodes(one) if "attribute" in node}
    found = {ATTRIBUTES[name].column for name in names} - {""}
    if names & {"instrument_new", "instrument_funded"}:
        found.add("instrument")
    if "country_minutes" in names:
        found.add("ip_country")
    if definition.get("segments"):
        found.add("risk")
    if any("fact" in node for _place, node in expressions.nodes(definition["when"])):
        found.add("facts")
    return found | {"kind", "amount"}


def hits(rule: Compiled, table: Table) -> Ints:
    """The places at which the rule fires, ascending."""
    name = (rule.kinds, rule.segments, rule.currencies)
    rows = table.once(name, lambda: _looked_at(rule, table))
    found: Ints = rows[_Reading(table, rows, rule.values, name).truth(rule.definition["when"])]
    return found


def _looked_at(rule: Compiled, table: Table) -> Ints:
    rows = np.flatnonzero(np.isin(table.column("kind"), [code("kind", kind) for kind in rule.kinds]))
    if rule.segments:
        rows = rows[np.isin(table.column("risk")[rows], [code("risk", one) for one in rule.segments])]
    if rule.currencies is not None:
        rows = rows[np.isin(table.currency[rows], [letters(one) for one in rule.currencies])]
    return rows


class _Reading:
    """An expression over some rows of a table. `name` says which rows they are, for what is made once."""

    def __init__(self, table: Table, rows: Ints, values: Mapping[str, Any], name: Any = None) -> None:
        self.table, self.rows, self.values, self.name = table, rows, values, name

    def truth(self, node: Mapping[str, Any]) -> Bools:
        found: Bools = self._truth(node)
        return found

    def _truth(self, node: Mapping[str, Any]) -> Any:
        ((name, given),) = node.items()
        match name:
            case "all":
                return np.logical_and.reduce([self.truth(one) for one in given])
            case "any":
                return np.logical_or.reduce([self.truth(one) for one in given])
            case "not":
                return ~self.truth(given)
            case "in":
                attribute = given[0]["attribute"]
                words = self.values[given[1]["param"]] if isinstance(given[1], dict) else given[1]
                return np.isin(self.table.column(attribute)[self.rows], [code(attribute, word) for word in words])
            case "fact":
                return (self.table.column("facts")[self.rows] & int(FACTS[given][0])) != 0
        left, right = self.number(given[0]), self.number(given[1])
        match name:
            case "multiple":
                return (right > 0) & (left % np.maximum(right, 1) == 0)
            case "ge":
                return left >= right
            case "gt":
                return left > right
            case "le":
                return left <= right
            case "lt":
                return left < right
        return left == right

    def number(self, node: Any) -> Ints:
        if isinstance(node, int):
            return np.full(len(self.rows), node, np.int64)
        name = next(one for one in node if one not in ("within", "before", "per"))
        given = node[name]
        match name:
            case "param":
                return self._parameter(self.values[given])
            case "attribute":
                return self.table.column(given)[self.rows]
            case "count" | "sum":
                return self._window(node, name)
            case "plus":
                total: Ints = np.sum([self.number(one) for one in given], axis=0, dtype=np.int64)
                return total
        left, right = self.number(given[0]), self.number(given[1])
        match name:
            case "percent":
                return left * right // 100
            case "times":
                return left * right
        return left - right

    def _parameter(self, value: Any) -> Ints:
        if not isinstance(value, dict):
            return np.full(len(self.rows), value, np.int64)
        found = np.zeros(len(self.rows), np.int64)
        currency = self.table.currency[self.rows]
        for name, amount in value.items():
            found[currency == letters(name)] = amount
        return found

    def _window(self, node: Mapping[str, Any], name: str) -> Ints:
        window = expressions.window_of(node)
        held = _running(self.table, node, name, self.values, window.unit)
        found: Ints = self.table.once(
            (held.key, window, self.name),
            lambda: held.within(self.table, self.rows, window.first, window.last),
        )
        return found * expressions.buckets(node["per"])[1] // window.length if "per" in node else found


@dataclass(slots=True)
class _Running:
    """The events of one series as running totals. `groups` are customers, or customers and currencies for sums;
    `buckets` and `places` are each event's group with its bucket, and with its place in the table."""

    key: Any
    groups: Ints
    unit: str
    buckets: Ints
    places: Ints
    totals: Ints

    def within(self, table: Table, rows: Ints, first: int, last: int) -> Ints:
        """For each row the total from `first` buckets back to `last` buckets back; 0 ends at the row itself."""
        group, bucket = self.groups[rows], (table.hour if self.unit == "h" else table.day)[rows]
        low = np.searchsorted(self.buckets, group * WIDE + (bucket - first), "left")
        if last:
            high = np.searchsorted(self.buckets, group * WIDE + (bucket - last), "right")
        else:
            high = np.searchsorted(self.places, group * len(table) + rows, "right")
        found: Ints = self.totals[high] - self.totals[low]
        return found


def _running(table: Table, node: Mapping[str, Any], name: str, values: Mapping[str, Any], unit: str) -> _Running:
    key = (expressions.series_key(node, values), name, unit)
    found: _Running = table.once(key, lambda: _make_running(table, node, name, values, key))
    return found


def _make_running(
    table: Table, node: Mapping[str, Any], name: str, values: Mapping[str, Any], key: tuple[str, str, str]
) -> _Running:
    members = table.once(key[0], lambda: _members(table, str(node.get("count") or node["sum"]), values))
    groups = table.customer if name == "count" else table.once("by currency", lambda: _by_currency(table))
    if name == "sum" and groups is not table.customer:
        members = members[np.argsort(groups[members], kind="stable")]
    group, bucket = groups[members], (table.hour if key[2] == "h" else table.day)[members]
    worth = np.ones(len(members), np.int64) if name == "count" else table.column("amount")[members]
    totals = np.concatenate([np.zeros(1, np.int64), np.cumsum(worth, dtype=np.int64)])
    return _Running(key, groups, key[2], group * WIDE + bucket, group * len(table) + members, totals)


def _members(table: Table, feature: str, values: Mapping[str, Any]) -> Ints:
    where = FEATURES[feature].where
    used = {name: values[name] for name in expressions.parameters_in(where)}
    money = [set(value) for value in used.values() if isinstance(value, dict)]
    rows = np.arange(len(table), dtype=np.int64)
    if money:
        rows = rows[np.isin(table.currency, [letters(one) for one in set.intersection(*money)])]
    return rows[_Reading(table, rows, used).truth(where)]


def _by_currency(table: Table) -> Ints:
    """A number for each customer and currency; the customers' own where there is one currency only."""
    found, which = np.unique(table.currency, return_inverse=True)
    return table.customer if len(found) <= 1 else table.customer * len(found) + which


def _worked_out(table: Table, name: str) -> Ints:
    match name:
        case "days_known":
            starts = np.searchsorted(table.customer, table.customer, "left")
            return table.day - table.day[starts]
        case "country_minutes":
            return _country_minutes(table)
        case "instrument_new" | "instrument_funded":
            return _instruments(table, name)
    raise KeyError(name)


def _country_minutes(table: Table) -> Ints:
    country = table.column("ip_country")
    found = np.full(len(table), NEVER, np.int64)
    rows = np.flatnonzero(country)
    before, after = rows[:-1], rows[1:]
    moved = (table.customer[before] == table.customer[after]) & (country[before] != country[after])
    found[after[moved]] = (table.time[after[moved]] - table.time[before[moved]]) // MINUTE
    return found


def _instruments(table: Table, name: str) -> Ints:
    found = np.zeros(len(table), np.int64)
    if table.instrument is None:
        return found
    rows = np.flatnonzero(table.instrument != NONE)
    if not len(rows):
        return found
    pair = table.customer[rows] * (int(table.instrument.max()) + 1) + table.instrument[rows]
    if name == "instrument_new":
        _pairs, first = np.unique(pair, return_index=True)
        found[rows[first]] = 1
        return found
    deposits = table.column("kind")[rows] == code("kind", "deposit")
    funded, first = np.unique(pair[deposits], return_index=True)
    if len(funded):
        since = rows[deposits][first]
        place = np.minimum(np.searchsorted(funded, pair), len(funded) - 1)
        found[rows] = (funded[place] == pair) & (since[place] < rows)
    return found
