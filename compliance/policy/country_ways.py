"""By which ways a country counts for a customer's risk, as dated data: policy/risk/ways.toml."""

import tomllib
from collections.abc import Iterator
from datetime import date
from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from compliance.policy import countries
from compliance.policy.errors import PolicyBroken
from compliance.policy.records import Confidence, Frozen

FILE = Path(__file__).parent / "risk" / "ways.toml"
HIGH_RISK = "high_risk_country"
WAYS = ("nationality", "residence", "document", "ip", "payment")
Way = Literal[WAYS]  # type: ignore[valid-type]


class Ways(Frozen):
    """From one day on: each way counts by the lists that name the country, or as the one fact `high_risk_country`."""

    id: str = Field(pattern=r"^WAYS-\d{4}-\d{2}-\d{2}$")
    effective_from: date
    source: str
    confidence: Confidence
    last_verified: date
    high: tuple[str, ...] = Field(min_length=1)
    ways: dict[Way, Literal["lists", "high_risk_country"]]


def codes_of(way: str, country: str, *, on: date) -> list[str]:
    """The codes as which a country counts by one of the WAYS on a day; [] where nothing names it."""
    held = version_on(on)
    counts = held.ways.get(way) if held else "lists" if way == "nationality" else None
    if counts is None or not country:
        return []
    named = [one.code for one in countries.names_of(country, on=on)]
    if counts == "lists":
        return named
    return [HIGH_RISK] if held and set(named) & set(held.high) else []


def version_on(day: date) -> Ways | None:
    """What holds on a day; None before the first version."""
    return max(
        (one for one in versions() if one.effective_from <= day), key=lambda one: one.effective_from, default=None
    )


def of_the_zone(code: str) -> str:
    """The country of the lists that a document's zone writes so, such as IRN; "" for every other one."""
    return _said().zone.get(code, "")


def versions() -> tuple[Ways, ...]:
    return _said().version


class Said(Frozen):
    """The whole file."""

    sources: dict[str, str]
    version: tuple[Ways, ...]
    zone: dict[str, countries.Country]


@cache
def _said() -> Said:
    try:
        found = Said(**tomllib.loads(FILE.read_text(encoding="utf-8")))
    except (tomllib.TOMLDecodeError, ValidationError) as error:
        raise PolicyBroken([f"{FILE.name}: {error}"]) from error
    if wrong := list(_wrong(found)):
        raise PolicyBroken([f"{FILE.name}: {line}" for line in wrong])
    return found


def _wrong(found: Said) -> Iterator[str]:
    for one in found.version:
        if not one.id.endswith(str(one.effective_from)) or one.source not in found.sources:
            yield f"{one.id}: id and first day, or source, do not agree. Correct them."
        if unknown := set(one.high) - set(countries.lists()):
            yield f"{one.id}, high: unknown list {', '.join(sorted(unknown))}. Known: {', '.join(countries.lists())}."
    listed = {country for one in countries.lists().values() for version in one.version for country in version.countries}
    if missing := listed - set(found.zone.values()):
        yield f"zone: {', '.join(sorted(missing))} of the lists has no code of three letters. Add it."
