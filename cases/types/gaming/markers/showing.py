"""A score and its sum in words, for those who may read of a player's health."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from cases.patterns import words
from cases.types.gaming.limits.showing import amount_words, span_words
from cases.types.gaming.markers.book import definition_of
from cases.types.gaming.markers.limiting import Lowered
from compliance import formats
from compliance.policy.marker_rules import markers_at, source_of

CATEGORIES: Final[Mapping[str, str | Promise]] = {
    "customer_spend": _("What the player spends"),
    "patterns_of_spend": _("How the player spends"),
    "time_spent": _("Time of play"),
    "behaviour": _("Behaviour in play"),
    "customer_led_contact": _("What the player says"),
    "tool_use": _("Use of limits and breaks"),
    "account": _("Account"),
}
ACTS: Final[Mapping[str, str | Promise]] = {
    "message": _("Friendly message"),
    "tool_prompt": _("Message about limits and breaks"),
    "call": _("A person contacts the player"),
    "marketing_off": _("Marketing stopped"),
    "bonus_off": _("Bonuses and marketing stopped"),
    "limit": _("Deposit limit set by us"),
    "block": _("Play, deposits and marketing stopped"),
}
CONFIDENCE: Final[Mapping[str, str | Promise]] = {
    "P": _("read in the text itself"),
    "S": _("read on a secondary page"),
    "GK": _("common knowledge, not verified"),
    "INF": _("inferred"),
}


@dataclass(frozen=True, slots=True)
class Line:
    """One marker: what was asked for and what there was, comparison by comparison, and where the rule was read."""

    category: str | Promise
    title: str
    weight: int
    met: bool
    compared: list[tuple[str, str, bool]]
    rule: str
    source: str
    confidence: str | Promise


def lines(kept: Iterable[Mapping[str, Any]], version: str) -> list[Line]:
    """The sum as it was kept, by the version that it was counted by; what counts comes first."""
    markers = markers_at(version).markers
    found = []
    for one in kept:
        marker = markers[one["marker"]]
        compared = words.comparisons(definition_of(marker), one["compared"], one["currency"])
        found.append(
            Line(
                CATEGORIES[marker.category],
                str(marker.title),
                one["weight"],
                one["met"],
                compared,
                marker.id,
                source_of(marker),
                CONFIDENCE[marker.confidence],
            )
        )
    return sorted(found, key=lambda line: not line.met)


def reckoned(one: Lowered) -> dict[str, str]:
    """ "€400.00 ÷ 4 × 50 % = €50.00 each week", with what the first amount is."""
    paid, amount = amount_words(one.paid_in, one.currency), amount_words(one.amount, one.currency)
    sums = f"{paid} ÷ {one.past} × {formats.percent(one.percent / 100)} = {amount}"
    spans = formats.duration(one.past, one.span)
    return {
        "account": one.account,
        "of": str(_("Paid in within %(spans)s: %(paid)s") % {"spans": spans, "paid": paid}),
        "sum": f"{sums} {span_words(one.span)}",
        "receipt": one.receipt,
    }


def total(shown: Iterable[Line]) -> str:
    """ "20 + 15 = 35"; "0" where nothing counts."""
    weights = [line.weight for line in shown if line.met]
    return f"{' + '.join(map(str, weights))} = {sum(weights)}" if weights else "0"
