"""The reading of rules for people: what a rule looks for, and why it fired, in the active language."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from cases.patterns import expressions
from cases.patterns.closures import Compared
from cases.patterns.events import EVERY_ATTRIBUTE, FACTS, NEVER
from cases.patterns.features import EVERY
from cases.patterns.kinds import Instrument, Kind
from compliance import formats

LIMITS: Final[Mapping[str, str | Promise]] = {
    "ge": gettext_lazy("at least %(limit)s"),
    "gt": gettext_lazy("more than %(limit)s"),
    "le": gettext_lazy("at most %(limit)s"),
    "lt": gettext_lazy("less than %(limit)s"),
    "eq": gettext_lazy("exactly %(limit)s"),
    "multiple": gettext_lazy("a multiple of %(limit)s"),
}
WORDS: Final[Mapping[str, str | Promise]] = {**dict(Kind.choices), **dict(Instrument.choices), "": gettext_lazy("none")}


def rule_in_words(definition: Mapping[str, Any]) -> str:
    """ "At a deposit: number of deposits just below the threshold within 24 hours at least 3." """
    kinds = formats.listed([str(Kind(kind).label).lower() for kind in definition["on"]])
    when = _Words(expressions.values_of(definition), None).truth(definition["when"])
    said = _("At each %(kinds)s: %(when)s.") % {"kinds": kinds, "when": when}
    return f"{said} {_('A new flag holds withdrawals.')}" if definition.get("holds_withdrawals") else said


def sentence(definition: Mapping[str, Any], compared: Iterable[Mapping[str, Any]], currency: str) -> str:
    """Why a rule fired: each comparison that was met, with its numbers. `compared` is Flag.values["compared"]."""
    words, known = _Words(expressions.values_of(definition), currency), dict(expressions.nodes(definition["when"]))
    parts = [words.met(known[one["place"]], one["left"], one["right"]) for one in compared if one["met"]]
    return _("It fired because %(reasons)s.") % {"reasons": formats.listed(parts)}


def comparisons(
    definition: Mapping[str, Any], compared: Iterable[Mapping[str, Any]], currency: str
) -> list[tuple[str, str, bool]]:
    """Each comparison of a rule that fired: what was asked for, the value it had then, and whether it was met."""
    words, known = _Words(expressions.values_of(definition), currency), dict(expressions.nodes(definition["when"]))
    return [(words.truth(known[one["place"]]), words.was(known[one["place"]], one), one["met"]) for one in compared]


def parameters(definition: Mapping[str, Any], currency: str) -> list[tuple[str, str]]:
    """What each parameter is for, in its writer's words, and what it was set to."""
    words = _Words({}, currency)
    given = definition.get("parameters", {})
    return [(one.get("words") or name, words.set_to(one)) for name, one in given.items()]


def as_values(compared: Iterable[Compared]) -> list[dict[str, Any]]:
    """What a flag keeps of the comparisons."""
    return [{"place": one.place, "left": one.left, "right": one.right, "met": one.met} for one in compared]


class _Words:
    """`currency` is that of the transaction; without one an amount is written in every currency that it names."""

    def __init__(self, values: Mapping[str, Any], currency: str | None) -> None:
        self.values, self.currency = values, currency

    def truth(self, node: Mapping[str, Any]) -> str:
        ((name, given),) = node.items()
        match name:
            case "all":
                return _(" and ").join(self._bracketed(one) for one in given)
            case "any":
                return _(" or ").join(self._bracketed(one) for one in given)
            case "not":
                return _("not (%(condition)s)") % {"condition": self.truth(given)}
            case "in" | "fact":
                return self._member(name, given)
        left, right = given
        limit = str(LIMITS[name]) % {"limit": self.number(right, money=_is_money(left))}
        return f"{self.number(left)} {limit}"

    def _bracketed(self, node: Mapping[str, Any]) -> str:
        inner = self.truth(node)
        return f"({inner})" if next(iter(node)) in ("all", "any") and len(node[next(iter(node))]) > 1 else inner

    def _member(self, name: str, given: Any) -> str:
        if name == "fact":
            return str(FACTS[given][1])
        words = self.values[given[1]["param"]] if isinstance(given[1], dict) else given[1]
        shown = ", ".join(str(WORDS.get(word, word)) for word in words) or _("none")
        return _("%(thing)s is one of %(words)s") % {
            "thing": EVERY_ATTRIBUTE[given[0]["attribute"]].words,
            "words": shown,
        }

    def met(self, node: Mapping[str, Any], left: int, right: int) -> str:
        ((name, given),) = node.items()
        if name in ("in", "fact"):
            return self._member(name, given)
        money = _is_money(given[0])
        limit = str(LIMITS[name]) % {"limit": self._value(right, money)}
        return _("%(thing)s is %(value)s (%(limit)s)") % {
            "thing": self.number(given[0]),
            "value": self._value(left, money),
            "limit": limit,
        }

    def was(self, node: Mapping[str, Any], compared: Mapping[str, Any]) -> str:
        """The value that was compared; of a list or a fact there is none beside yes and no."""
        ((name, given),) = node.items()
        return "" if name in ("in", "fact") else self._value(compared["left"], _is_money(given[0]))

    def set_to(self, parameter: Mapping[str, Any]) -> str:
        value = parameter["value"]
        if isinstance(value, list):
            return formats.listed([str(WORDS.get(word, word)) for word in value])
        return self._parameter(value) + (" %" if parameter["type"] == "percent" else "")

    def _value(self, value: int, money: bool) -> str:
        if money and self.currency:
            return formats.money(value, self.currency)
        return _("never") if value >= NEVER else formats.number(value)

    def number(self, node: Any, *, money: bool = False) -> str:
        if isinstance(node, int):
            return self._value(node, money)
        name = next(one for one in node if one not in ("within", "before", "per"))
        given = node[name]
        match name:
            case "param":
                return self._parameter(self.values[given])
            case "attribute":
                return str(EVERY_ATTRIBUTE[given].words)
            case "count" | "sum":
                return self._window(node, name)
            case "percent":
                share, of = self.number(given[1]), self.number(given[0])
                return _("%(share)s %% of %(of)s") % {"share": share, "of": of}
            case "times":
                return _("%(count)s times %(of)s") % {"count": self.number(given[1]), "of": self.number(given[0])}
            case "plus":
                return _(" plus ").join(self.number(one) for one in given)
        return _("%(more)s less %(less)s") % {"more": self.number(given[0]), "less": self.number(given[1])}

    def _parameter(self, value: Any) -> str:
        if not isinstance(value, dict):
            return formats.number(value)
        shown = {self.currency: value[self.currency]} if self.currency and self.currency in value else value
        return _(" or ").join(formats.money(amount, currency) for currency, amount in shown.items())

    def _window(self, node: Mapping[str, Any], name: str) -> str:
        facts = {"what": EVERY[str(node[name])].words, "span": _span(node["within"])}
        if "per" in node:
            words = _("average of %(what)s in %(per)s over %(span)s") % {**facts, "per": _span(node["per"])}
        elif name == "count":
            words = _("number of %(what)s within %(span)s") % facts
        else:
            words = _("sum of %(what)s within %(span)s") % facts
        return (
            _("%(words)s, %(span)s earlier") % {"words": words, "span": _span(node["before"])}
            if "before" in node
            else words
        )


def _span(text: str) -> str:
    unit, count = expressions.buckets(text)
    if unit == "h":
        return ngettext("%(count)s hour", "%(count)s hours", count) % {"count": formats.number(count)}
    return ngettext("%(count)s day", "%(count)s days", count) % {"count": formats.number(count)}


def _is_money(node: Any) -> bool:
    """Whether a number is an amount of money: a sum, the amount, the income, or a share of one."""
    if isinstance(node, int):
        return False
    if "sum" in node or node.get("attribute") in ("amount", "income"):
        return True
    inner = node.get("percent") or node.get("times") or node.get("plus") or node.get("minus")
    return bool(inner) and _is_money(inner[0])
