"""Organisations that help players, by country and language, as dated data with sources: policy/help/*.toml.

What nobody verified is absent: a country without a file has none, and whoever shows them says so.
"""

import tomllib
from collections.abc import Mapping
from datetime import date
from functools import cache
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, ValidationError, model_validator

from compliance.policy.errors import PolicyBroken
from compliance.policy.records import Frozen

FOLDER = Path(__file__).parent / "help"


class Organisation(Frozen):
    """One that a player can turn to. `languages` are those in which it answers."""

    id: str = Field(pattern=r"^[A-Z]{2}\.HELP\.[A-Z0-9_]+$")
    name: str = Field(min_length=2)
    languages: tuple[str, ...] = Field(min_length=1)
    phone: str = ""
    url: str = Field(default="", pattern=r"^(https://\S+)?$")
    source: str
    confidence: Literal["P", "S"]
    last_verified: date

    @model_validator(mode="after")
    def _can_be_reached(self) -> Self:
        if not self.phone and not self.url:
            raise ValueError(f"{self.id}: say a phone or a url")
        return self


class HelpVersion(Frozen):
    id: str
    effective_from: date
    organisations: tuple[Organisation, ...] = Field(min_length=1)


def help_for(country: str, language: str, *, on: date) -> tuple[Organisation, ...]:
    """Who helps in a country on a day: those first that answer in the language. Empty where none was verified."""
    begun = [one for one in countries().get(country, ()) if one.effective_from <= on]
    if not begun:
        return ()
    spoken = language.partition("-")[0]
    return tuple(sorted(begun[-1].organisations, key=lambda one: spoken not in one.languages))


@cache
def countries() -> Mapping[str, tuple[HelpVersion, ...]]:
    return read(FOLDER)


def read(folder: Path) -> Mapping[str, tuple[HelpVersion, ...]]:
    """Versions by country, the oldest first; PolicyBroken with every problem found."""
    found: dict[str, tuple[HelpVersion, ...]] = {}
    problems: list[str] = []
    for file in sorted(folder.glob("*.toml")):
        name = file.stem.upper()
        try:
            said = tomllib.loads(file.read_text(encoding="utf-8"))
            versions = sorted((HelpVersion(**one) for one in said["version"]), key=lambda one: one.effective_from)
        except (tomllib.TOMLDecodeError, ValidationError, KeyError) as error:
            problems.append(f"help/{file.name}: {error}. Correct the file.")
            continue
        known = said.get("sources", {})
        wrong = [one.id for one in versions if one.id != f"{name}-HELP-{one.effective_from}"]
        wrong += [each.id for one in versions for each in one.organisations if each.source not in known]
        if wrong or said.get("country") != name:
            problems.append(f"help/{file.name}: {', '.join(wrong) or 'country'}: id, source or country does not fit.")
        found[name] = tuple(versions)
    if problems:
        raise PolicyBroken(problems)
    return found
