"""A score and its sum in words, for those who may read of a player's health."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from cases.patterns import words
from cases.types.gaming.markers.book import definition_of
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


def total(shown: Iterable[Line]) -> str:
    """ "20 + 15 = 35"; "0" where nothing counts."""
    weights = [line.weight for line in shown if line.met]
    return f"{' + '.join(map(str, weights))} = {sum(weights)}" if weights else "0"
