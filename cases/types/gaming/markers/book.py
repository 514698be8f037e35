"""The markers that hold for a licensee, compiled once for each version of them."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from django.core import checks

from cases.patterns import expressions
from cases.patterns.closures import Compiled
from cases.patterns.expressions import Series
from cases.patterns.features import SIGNS
from compliance.people.models import Licensee
from compliance.policy import PolicyMissing, marker_rules
from compliance.policy.errors import PolicyBroken
from compliance.policy.marker_rules import Marker, MarkerSet, MarkersVersion


@dataclass(frozen=True)
class Book:
    """`moved` are the series of transactions, which monitoring counts; `signs` those that care counts itself."""

    policy: MarkerSet
    markers: dict[str, Compiled]
    moved: tuple[Series, ...]
    signs: tuple[Series, ...]


def book_of(licensee: Licensee) -> Book | None:
    """Of today; None before the first version of the markers."""
    try:
        return book_at(marker_rules.markers_for(licensee.jurisdiction, on=licensee.today()).version)
    except PolicyMissing:
        return None


@lru_cache(maxsize=32)
def book_at(version: str) -> Book:
    policy = marker_rules.markers_at(version)
    markers = {code: Compiled(definition_of(marker)) for code, marker in policy.markers.items()}
    series = [one for marker in markers.values() for one in marker.series]
    return Book(
        policy,
        markers,
        tuple(one for one in series if one.feature not in SIGNS),
        tuple(one for one in series if one.feature in SIGNS),
    )


def definition_of(marker: Marker) -> dict[str, object]:
    """As rules are written; a marker is asked of a player and not at a kind of transaction."""
    return {"on": [], "when": marker.when, "parameters": marker.parameters}


def needed(licensee: Licensee) -> Iterable[Series]:
    book = book_of(licensee)
    return book.moved if book else ()


def check_markers(app_configs: object = None, **kwargs: object) -> list[checks.CheckMessage]:
    """gaming.E001 for each marker or act that cannot be read: nothing starts on one that it does not understand."""
    try:
        sets = [found for versions in marker_rules.versions().values() for found in versions]
    except PolicyBroken:
        return []  # policy.E001 says so
    found = [
        f"{version.id}.{code}: {words}"
        for version in sets
        for code, marker in version.markers.items()
        for words in expressions.faults(definition_of(marker), care=True)
    ]
    found += [words for version in sets for words in _spans_unread(version)]
    return [checks.Error(words, id="gaming.E001") for words in found]


def _spans_unread(version: MarkersVersion) -> Iterable[str]:
    """Months and years have no length of their own: what follows from a score is told in hours or calendar days."""
    for act, at in version.acts.items():
        for name, period in (("again_after", at.again_after), ("within", at.within)):
            if period is not None and period.unit not in ("hour", "calendar_day"):
                yield f"{version.id}.{act}.{name}: {period} cannot be counted. Write hours or calendar days."
