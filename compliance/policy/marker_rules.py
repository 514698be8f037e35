"""Markers of harm and what follows from their score, as dated data: policy/markers/op.toml holds the operator's own,
another file what differs in its jurisdiction. A published version never changes; the next one has its first day.

What a marker looks for is an expression over the features that monitoring counts. This module keeps it as it is
written: cases/types/gaming/markers reads it, and refuses to start on one that it does not understand.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, StrictInt, ValidationError, model_validator

from compliance.policy.errors import PolicyBroken, PolicyMissing
from compliance.policy.records import Frozen, Period, Provenance, Words

FOLDER = Path(__file__).parent / "markers"
HOUSE, TOGETHER = "OP", "+"
# The seven that the Gambling Commission's code names (SR 3.4.3, requirement 5).
CATEGORIES = (
    "customer_spend",
    "patterns_of_spend",
    "time_spent",
    "behaviour",
    "customer_led_contact",
    "tool_use",
    "account",
)
# From the mildest to the strongest.
ACTS = ("message", "tool_prompt", "call", "marketing_off", "bonus_off", "limit", "block")
STRONG = ("marketing_off", "bonus_off", "limit", "block")  # a person looks at each of them afterwards
Category = Literal[CATEGORIES]  # type: ignore[valid-type]
Act = Literal[ACTS]  # type: ignore[valid-type]


class Marker(Provenance):
    """One sign of harm. It counts its `weight` once while `when` holds; `at_once` are acts that need no score."""

    category: Category
    title: Words
    weight: StrictInt = Field(gt=0, le=100)
    when: dict[str, Any]
    parameters: dict[str, Any] = {}
    at_once: tuple[Act, ...] = ()


class DepositLimit(Frozen):
    """The deposit limit that a rule imposes: so many percent of what was paid in on average in one of the `past` spans
    that ended now. Amounts are rounded down. A week is seven days and a day 24 hours of elapsed time. Where it would be
    below `least` (minor units) none is imposed: it would be a stop of deposits under another name.
    """

    span: Literal["day", "week"]
    past: StrictInt = Field(gt=0, le=60)
    percent: StrictInt = Field(gt=0, le=100)
    least: StrictInt = Field(gt=0)

    def amount(self, paid_in: int) -> int:
        """In the unit of `paid_in`: what may be paid in within one span."""
        return paid_in * self.percent // (100 * self.past)


class ActAt(Provenance):
    """From which score on something is done, and after how long it may be done again. `within`: until when a person
    has called (call), or has looked at what was done by itself (strong acts). Hours are elapsed time.
    """

    score: StrictInt = Field(gt=0)
    again_after: Period
    within: Period | None = None
    limit: DepositLimit | None = None


class MarkersVersion(Frozen):
    """`based_on` is an earlier version of the same file, over which this one lies."""

    id: str = Field(pattern=r"^[A-Z]{2}-MARKERS-\d{4}-\d{2}-\d{2}$")
    effective_from: date
    based_on: str | None = None
    note: str = ""
    markers: dict[str, Marker] = {}
    acts: dict[Act, ActAt] = {}

    @model_validator(mode="after")
    def _says_which_limit(self) -> Self:
        for act, at in self.acts.items():
            if (act == "limit") != (at.limit is not None):
                raise ValueError(f"acts.{act}: the act `limit`, and no other, says in `limit` how low.")
        return self


@dataclass(frozen=True)
class MarkerSet:
    """What holds in one jurisdiction from a day on. `version` names every file that it was laid together from."""

    version: str
    markers: Mapping[str, Marker]
    acts: Mapping[str, ActAt]


def markers_for(jurisdiction: str, *, on: date) -> MarkerSet:
    """PolicyMissing before the operator's first version."""
    versions = [found for name in (HOUSE, jurisdiction) if (found := _in_force(name, on))]
    if not versions or not versions[0].id.startswith(HOUSE):
        raise PolicyMissing(f"No markers of harm hold on {on}: compliance/policy/markers/op.toml begins later.")
    return _together(tuple(one.id for one in versions))


def markers_at(version: str) -> MarkerSet:
    """The set that a score was counted by."""
    return _together(tuple(version.split(TOGETHER)))


def source_of(rule: Provenance) -> str:
    """Where a marker or an act was read, in words."""
    return _read()[1].get(rule.source, rule.source)


def check() -> None:
    """PolicyBroken where a file cannot be used."""
    _read()


@cache
def _together(ids: tuple[str, ...]) -> MarkerSet:
    known = {one.id: one for versions in _read()[0].values() for one in versions}
    if unknown := [one for one in ids if one not in known]:
        raise PolicyMissing(f"No markers of the version {unknown[0]!r}.")
    markers: dict[str, Marker] = {}
    acts: dict[str, ActAt] = {}
    for one in ids:
        for layer in _layers(known, one):
            markers |= layer.markers
            acts |= layer.acts
    return MarkerSet(TOGETHER.join(ids), markers, acts)


def _layers(known: Mapping[str, MarkersVersion], one: str) -> list[MarkersVersion]:
    """A version with everything below it, the lowest first."""
    version = known[one]
    return [*(_layers(known, version.based_on) if version.based_on else ()), version]


def _in_force(name: str, on: date) -> MarkersVersion | None:
    begun = [one for one in _read()[0].get(name, ()) if one.effective_from <= on]
    return begun[-1] if begun else None


@cache
def _read() -> tuple[Mapping[str, tuple[MarkersVersion, ...]], Mapping[str, str]]:
    """Versions by jurisdiction from the oldest on, and every source that a file names."""
    found: dict[str, tuple[MarkersVersion, ...]] = {}
    sources: dict[str, str] = {}
    problems: list[str] = []
    for file in sorted(FOLDER.glob("*.toml")):
        try:
            said = tomllib.loads(file.read_text(encoding="utf-8"))
            versions = tuple(MarkersVersion(**one) for one in said["version"])
        except (tomllib.TOMLDecodeError, ValidationError, KeyError) as error:
            problems.append(f"markers/{file.name}: {error}. Correct the file.")
            continue
        problems += [f"markers/{file.name}: {words}" for words in _wrong(file.stem.upper(), versions, said)]
        found[file.stem.upper()] = tuple(sorted(versions, key=lambda one: one.effective_from))
        sources |= said.get("sources", {})
    if problems:
        raise PolicyBroken(problems)
    return found, sources


def _wrong(name: str, versions: tuple[MarkersVersion, ...], said: Mapping[str, Any]) -> list[str]:
    wrong = []
    for one in versions:
        if one.id != f"{name}-MARKERS-{one.effective_from}":
            wrong.append(f"{one.id}: must be {name}-MARKERS-{one.effective_from}, from effective_from.")
        earlier = {other.id for other in versions if other.effective_from < one.effective_from}
        if one.based_on and one.based_on not in earlier:
            wrong.append(f"{one.id}: based_on {one.based_on} is no earlier version of this file.")
        rules: list[Provenance] = [*one.markers.values(), *one.acts.values()]
        known = said.get("sources", {})
        wrong += [f"{rule.id}: {rule.source} is not in [sources]." for rule in rules if rule.source not in known]
        if len({rule.id for rule in rules}) < len(rules):
            wrong.append(f"{one.id}: an id stands there twice.")
    return wrong


def versions() -> Mapping[str, tuple[MarkersVersion, ...]]:
    """Every version by jurisdiction, the operator's own under OP."""
    return _read()[0]
