"""Lists of countries that bodies publish (FATF, EU), as dated data with their sources: policy/countries/*.toml.

`names_of("IR", on=day)` are the lists that name a country on a day. A list holds from its first day on; before that day
nobody looked it up, and asking raises PolicyMissing.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Annotated

from pydantic import Field, StringConstraints, ValidationError

from compliance.policy.errors import PolicyBroken, PolicyMissing
from compliance.policy.records import Confidence, Frozen, Words

FOLDER = Path(__file__).parent / "countries"
Country = Annotated[str, StringConstraints(pattern="^[A-Z]{2}$")]


class ListVersion(Frozen):
    """Who stands on a list from one day on."""

    id: str = Field(pattern=r"^[A-Z-]+-\d{4}-\d{2}-\d{2}$")
    effective_from: date
    source: str
    confidence: Confidence
    last_verified: date
    countries: frozenset[Country] = Field(min_length=1)


class CountryList(Frozen):
    list: str
    title: Words
    sources: dict[str, str]
    version: tuple[ListVersion, ...] = Field(min_length=1)

    def on(self, day: date) -> ListVersion:
        begun = [one for one in self.version if one.effective_from <= day]
        if not begun:
            first = min(one.effective_from for one in self.version)
            raise PolicyMissing(f"The list {self.list} was not looked up before {first}.")
        return max(begun, key=lambda one: one.effective_from)


@dataclass(frozen=True, slots=True)
class Listed:
    """A list that names a country: its code, its version, and where that was read."""

    code: str
    version: str
    source: str


def names_of(country: str, *, on: date) -> tuple[Listed, ...]:
    """The lists that name this country on a day, by code. Nothing for an empty code: nobody knows the country."""
    found = []
    for code, one in sorted(lists().items()):
        version = one.on(on)
        if country.upper() in version.countries:
            found.append(Listed(code, version.id, one.sources[version.source]))
    return tuple(found)


def versions_on(day: date) -> tuple[str, ...]:
    """The versions that hold on a day: what an assessment of that day rests on."""
    return tuple(one.on(day).id for _code, one in sorted(lists().items()))


@cache
def lists() -> Mapping[str, CountryList]:
    found = [_read(file) for file in sorted(FOLDER.glob("*.toml"))]
    return {one.list: one for one in found}


def _read(file: Path) -> CountryList:
    try:
        found = CountryList(**tomllib.loads(file.read_text(encoding="utf-8")))
    except (tomllib.TOMLDecodeError, ValidationError) as error:
        raise PolicyBroken([f"{file.name}: {error}"]) from error
    wrong = [
        one.id
        for one in found.version
        if one.source not in found.sources or not one.id.endswith(str(one.effective_from))
    ]
    if wrong or found.list != file.stem:
        raise PolicyBroken([f"{file.name}: {', '.join(wrong) or found.list}: source, id or name is not consistent."])
    return found
