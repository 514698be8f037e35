"""The language of rules: JSON over named features and attributes. Here is what may stand where; nothing is evaluated.

    definition  {"on": [kind, ...], "when": truth, "parameters": {name: {"type", "value", "words"}},
                 "cool_down_hours": n, "jurisdictions": [...], "segments": [...],      empty lists: all
                 "holds_withdrawals": false}                                           a new flag has them held
    truth       {"all": [truth, ...]}  {"any": [truth, ...]}  {"not": truth}
                {"ge" | "gt" | "le" | "lt" | "eq": [number, number]}
                {"multiple": [number, number]}                                         divides without remainder
                {"in": [{"attribute": name}, ["word", ...] | {"param": name}]}
                {"fact": name}
    number      an integer  {"param": name}  {"attribute": name}
                {"count" | "sum": feature, "within": "24h" | "30d", ["before": ...], ["per": ...]}
                {"percent": [number, number]}  {"times": [number, number]}
                {"plus": [number, ...]}  {"minus": [number, number]}

A window of 24h is the hour of the transaction and the 23 before it; one of 30d the licensee's day and the 29 before.
"before" ends the window that much earlier, "per" turns a sum into the average of that length. Counts reach over all
currencies; sums are of the transaction's own currency, and amounts ("money" parameters) are named for each currency: a
rule does not look at transactions of a currency that one of its amounts lacks. Everything is whole numbers.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from cases.patterns.events import ATTRIBUTES, CARE_ATTRIBUTES, EVERY_ATTRIBUTE, FACTS
from cases.patterns.features import EVERY, FEATURES
from cases.patterns.kinds import Kind

COMPARES: Final = ("ge", "gt", "le", "lt", "eq", "multiple")
WINDOW: Final = re.compile(r"([1-9]\d{0,2})([hd])")
MOST_HOURS, MOST_DAYS = 48, 400
DEEPEST, LARGEST = 8, 80  # levels, nodes
MOST_NUMBER: Final = 10**12
TYPES: Final = ("number", "percent", "money", "words")
_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,39}")
_CURRENCY: Final = re.compile(r"[A-Z]{3}")


@dataclass(frozen=True, slots=True)
class Window:
    """Buckets back from that of the transaction: `first` the oldest, `last` the newest, both included (last 0: now)."""

    unit: str
    first: int
    last: int

    @property
    def length(self) -> int:
        return self.first - self.last + 1


@dataclass(frozen=True, slots=True)
class Series:
    """What has to be kept in buckets: a feature with the parameters that its filter names. `key` is the same for the
    same filter, whatever rule asks; `hours` and `days` are how many buckets rules look back."""

    key: str
    feature: str
    parameters: Mapping[str, Any]
    hours: int
    days: int


class _Check:
    """Walks a definition and gathers what is wrong, each with its place. `care`: of a marker of harm, which may name
    more features, and is asked at a moment instead of a transaction: of it there is the player's age and no fact.
    """

    def __init__(self, parameters: Mapping[str, Any], *, care: bool = False) -> None:
        self.parameters, self.wrong, self.nodes, self.care = parameters, list[str](), 0, care
        self.features = EVERY if care else FEATURES

    def attributes(self, *, bare: bool) -> Mapping[str, Any]:
        if not self.care:
            return ATTRIBUTES
        return EVERY_ATTRIBUTE if bare else {"age": CARE_ATTRIBUTES["age"]}

    def say(self, place: str, words: str) -> None:
        self.wrong.append(f"{place}: {words}")

    def truth(self, node: Any, place: str, depth: int = 0, *, bare: bool = False) -> None:
        """`bare`: attributes and parameters only, as in the filter of a feature."""
        found = self._one(node, place, depth)
        if found is None:
            return
        name, given = found
        if name in ("all", "any"):
            if not isinstance(given, list) or not given:
                return self.say(place, _("“%(name)s” needs a list of conditions.") % {"name": name})
            for number, one in enumerate(given):
                self.truth(one, f"{place}.{name}.{number}", depth + 1, bare=bare)
        elif name == "not":
            self.truth(given, f"{place}.not", depth + 1, bare=bare)
        elif name in COMPARES:
            self._pair(given, f"{place}.{name}", depth, bare=bare)
        elif name == "in":
            self._member(given, f"{place}.in", bare=bare)
        elif name == "fact":
            if given not in FACTS or self.care:
                self.say(place, _("There is no fact “%(name)s”.") % {"name": given})
        else:
            self.say(place, _("“%(name)s” is no condition.") % {"name": name})

    def number(self, node: Any, place: str, depth: int, *, bare: bool) -> None:
        if isinstance(node, int) and not isinstance(node, bool):
            if abs(node) > MOST_NUMBER:
                self.say(place, _("This number is too large."))
            return
        found = self._one(node, place, depth)
        if found is None:
            return
        name, given = found
        if name == "param":
            self._parameter(given, place, ("number", "percent", "money"))
        elif name == "attribute":
            known = self.attributes(bare=bare)
            if given not in known or known[given].codes is not None:
                self.say(place, _("There is no number “%(name)s”.") % {"name": given})
        elif name in ("count", "sum") and not bare:
            self._window(node, given, place)
        elif name in ("percent", "times", "minus"):
            self._pair(given, f"{place}.{name}", depth, bare=bare)
        elif name == "plus" and isinstance(given, list) and given:
            for number, one in enumerate(given):
                self.number(one, f"{place}.plus.{number}", depth + 1, bare=bare)
        else:
            self.say(place, _("“%(name)s” is no number.") % {"name": name})

    def _one(self, node: Any, place: str, depth: int) -> tuple[str, Any] | None:
        self.nodes += 1
        if depth > DEEPEST or self.nodes > LARGEST:
            if self.nodes <= LARGEST + 1:
                self.say(place, _("This rule is too large."))
            return None
        names = [name for name in node if name not in ("within", "before", "per")] if isinstance(node, dict) else []
        if len(names) != 1:
            self.say(place, _("Write one condition or number here."))
            return None
        return str(names[0]), node[names[0]]

    def _pair(self, given: Any, place: str, depth: int, *, bare: bool) -> None:
        if not isinstance(given, list) or len(given) != 2:
            return self.say(place, _("Two numbers are needed."))
        for number, one in enumerate(given):
            self.number(one, f"{place}.{number}", depth + 1, bare=bare)

    def _member(self, given: Any, place: str, *, bare: bool) -> None:
        if not isinstance(given, list) or len(given) != 2 or not isinstance(given[0], dict):
            return self.say(place, _("An attribute and a list of words are needed."))
        attribute = self.attributes(bare=bare).get(str(given[0].get("attribute")))
        if attribute is None or attribute.codes is None:
            return self.say(place, _("This attribute has no words to choose from."))
        if isinstance(given[1], dict):
            return self._parameter(given[1].get("param"), place, ("words",))
        words = given[1] if isinstance(given[1], list) else [None]
        for word in words:
            if not isinstance(word, str) or (attribute.codes and word not in attribute.codes):
                self.say(place, _("“%(word)s” is not known here.") % {"word": word})

    def _window(self, node: dict[str, Any], feature: Any, place: str) -> None:
        if feature not in self.features:
            return self.say(place, _("There is no feature “%(name)s”.") % {"name": feature})
        try:
            window_of(node)
            if "per" in node:
                buckets(node["per"])
        except ValueError as error:
            return self.say(place, str(error))
        self.truth(self.features[feature].where, f"{place}.{feature}", 1, bare=True)

    def _parameter(self, name: Any, place: str, types: tuple[str, ...]) -> None:
        parameter = self.parameters.get(name) if isinstance(name, str) else None
        if not isinstance(parameter, dict):
            self.say(place, _("The parameter “%(name)s” is missing.") % {"name": name})
        elif parameter.get("type") not in types:
            self.say(place, _("The parameter “%(name)s” is of another type.") % {"name": name})


def check(definition: Any) -> None:
    """Raise ValidationError that names each place and what is wrong there, unless this is a rule."""
    if not isinstance(definition, dict):
        raise ValidationError({"definition": _("A rule is a JSON object.")})
    known = {"on", "when", "parameters", "cool_down_hours", "jurisdictions", "segments", "holds_withdrawals"}
    wrong = [f"{name}: {_('This is not known.')}" for name in sorted(set(definition) - known)]
    kinds = definition.get("on")
    if not isinstance(kinds, list) or not kinds or any(kind not in Kind.values for kind in kinds):
        wrong.append(f"on: {_('Name the kinds of transactions.')}")
    hours = definition.get("cool_down_hours")
    if not isinstance(hours, int) or isinstance(hours, bool) or not 1 <= hours <= 8760:
        wrong.append(f"cool_down_hours: {_('From 1 to 8,760 hours.')}")
    for name, pattern in (("jurisdictions", r"[A-Z]{2}"), ("segments", "low|medium|high")):
        given = definition.get(name, [])
        if not isinstance(given, list) or any(not re.fullmatch(pattern, str(one)) for one in given):
            wrong.append(f"{name}: {_('This is not known.')}")
    if not isinstance(definition.get("holds_withdrawals", False), bool):
        wrong.append(f"holds_withdrawals: {_('true or false.')}")
    if wrong := wrong + faults(definition):
        raise ValidationError({"definition": wrong})


def faults(definition: Mapping[str, Any], *, care: bool = False) -> list[str]:
    """What is wrong with the parameters and the condition of a rule, or with `care` of a marker of harm."""
    wrong, parameters = [], definition.get("parameters", {})
    if isinstance(parameters, dict):
        wrong += [words for name, one in parameters.items() if (words := _wrong_parameter(name, one))]
    else:
        wrong.append(f"parameters: {_('An object is needed.')}")
    walk = _Check(parameters if isinstance(parameters, dict) else {}, care=care)
    walk.truth(definition.get("when"), "when")
    return wrong + walk.wrong


def _wrong_parameter(name: str, parameter: Any) -> str:
    place = f"parameters.{name}"
    if not _NAME.fullmatch(name) or not isinstance(parameter, dict) or set(parameter) - {"type", "value", "words"}:
        return f"{place}: {_('A name in small letters, with type and value.')}"
    value = parameter.get("value")
    match parameter.get("type"):
        case "number":
            fine = _is_number(value, MOST_NUMBER)
        case "percent":
            fine = _is_number(value, 1_000_000)
        case "money":
            amounts = value.items() if isinstance(value, dict) else ()
            fine = bool(amounts) and all(
                _CURRENCY.fullmatch(key) and _is_number(one, MOST_NUMBER) for key, one in amounts
            )
        case "words":
            fine = isinstance(value, list) and all(isinstance(one, str) and len(one) <= 20 for one in value)
        case _:
            fine = False
    return "" if fine else f"{place}: {_('This value does not fit its type.')}"


def _is_number(value: Any, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= most


def buckets(text: Any) -> tuple[str, int]:
    """Unit and number of "24h" or "30d". Raises ValueError in words."""
    found = WINDOW.fullmatch(text) if isinstance(text, str) else None
    if not found or int(found[1]) > (MOST_HOURS if found[2] == "h" else MOST_DAYS):
        raise ValueError(_("A window is from 1h to 48h, or from 1d to 400d."))
    return found[2], int(found[1])


def window_of(node: Mapping[str, Any]) -> Window:
    """The window of a count or sum. Raises ValueError in words."""
    unit, length = buckets(node.get("within"))
    ago = 0
    if "before" in node:
        other, ago = buckets(node["before"])
        if other != unit or length + ago > (MOST_HOURS if unit == "h" else MOST_DAYS):
            raise ValueError(_("A window is from 1h to 48h, or from 1d to 400d."))
    return Window(unit, length + ago - 1, ago)


def nodes(node: Any, place: str = "when") -> Iterator[tuple[str, Any]]:
    """Every object of an expression with its place, parents first."""
    if isinstance(node, dict):
        yield place, node
        for name, given in node.items():
            yield from nodes(given, f"{place}.{name}")
    elif isinstance(node, list):
        for number, one in enumerate(node):
            yield from nodes(one, f"{place}.{number}")


def windows(definition: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Every count and sum of a rule."""
    return (node for _place, node in nodes(definition["when"]) if "count" in node or "sum" in node)


def parameters_in(expression: Any) -> set[str]:
    return {str(node["param"]) for _place, node in nodes(expression) if "param" in node}


def values_of(definition: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters by name: what the rule was set to."""
    return {name: one["value"] for name, one in definition.get("parameters", {}).items()}


def currencies_of(definition: Mapping[str, Any]) -> frozenset[str] | None:
    """The currencies that every amount of the rule is named for; None when it names no amount."""
    used = set(parameters_in(definition["when"]))
    for node in windows(definition):
        used |= parameters_in(EVERY[_feature(node)].where)
    money = [
        set(one["value"]) for name, one in definition.get("parameters", {}).items() if name in used and _is_money(one)
    ]
    return frozenset(set.intersection(*money)) if money else None


def _is_money(parameter: Mapping[str, Any]) -> bool:
    return bool(parameter["type"] == "money")


def _feature(node: Mapping[str, Any]) -> str:
    return str(node.get("count") or node["sum"])


def series_key(node: Mapping[str, Any], values: Mapping[str, Any]) -> str:
    """Names the buckets of a count or sum."""
    feature = EVERY[_feature(node)]
    used = {name: values[name] for name in sorted(parameters_in(feature.where))}
    return hashlib.blake2b(canonical({"where": feature.where, "with": used}), digest_size=6).hexdigest()


def series_of(definition: Mapping[str, Any]) -> list[Series]:
    """What must be kept in buckets so that the rule can be asked, one of each key."""
    values, found = values_of(definition), dict[str, Series]()
    for node in windows(definition):
        window, key, name = window_of(node), series_key(node, values), _feature(node)
        used = {one: values[one] for one in parameters_in(EVERY[name].where)}
        hours, days = (window.first + 1, 0) if window.unit == "h" else (0, window.first + 1)
        known = found.get(key)
        if known is not None:
            hours, days = max(hours, known.hours), max(days, known.days)
        found[key] = Series(key, name, used, hours, days)
    return list(found.values())


def canonical(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def digest(definition: Mapping[str, Any]) -> str:
    """SHA-256 of the canonical definition: the same rule, the same digest."""
    return hashlib.sha256(canonical(definition)).hexdigest()
