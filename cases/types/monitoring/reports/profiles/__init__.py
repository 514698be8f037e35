"""What each authority asks for, as dated data: forms, kinds of report, required fields, periods. One file each.

A change of what an authority asks for is a new [[version]] with its day and its source; old ones stay as they are.
"""

import tomllib
from collections.abc import Mapping
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictInt, model_validator

FOLDER = Path(__file__).parent
NARRATIVE = ("who", "what", "when", "where", "why", "how")
# What a report can hold, as `required` names it.
FIELDS = frozenset(
    {
        "entity.rentity_id",
        "indicators",
        *(f"narrative.{part}" for part in NARRATIVE),
        *(
            f"subject.{name}"
            for name in (
                "full_name",
                "first_name",
                "last_name",
                "birth_date",
                "nationality",
                "residence",
                "national_id",
                "address",
                "occupation",
                "account",
                "phone",
            )
        ),
    }
)


class NoProfile(LookupError):
    """No authority is known for this licensee's jurisdiction, or nothing of that day."""


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Sourced(Part):
    source: str
    confidence: Literal["P", "S", "GK", "INF"]


class Said(Sourced):
    text: str


class Counted(Sourced):
    """A period that a law counts from a day. `counts_first_day`: whether that day is the first of it."""

    amount: StrictInt = Field(gt=0)
    unit: Literal["working_day", "calendar_day"]
    calendar: str
    counts_first_day: StrictBool


class Version(Part):
    """`optional` are fields that can be filled and need not be (the operator's schema may insist).

    `due` runs from the suspicion; `consent`, `moratorium` and `hold` from what the authority's clocks begin with:
    filing a report of one of `consent_kinds`, and the day on which consent was refused.
    """

    id: str
    effective_from: date
    kinds: tuple[str, ...] = Field(min_length=1)
    due: Counted | None = None
    urgent: Said | None = None
    follow_up: Said | None = None
    hold: Counted | None = None
    consent: Counted | None = None
    moratorium: Counted | None = None
    consent_kinds: tuple[str, ...] = ()
    required: tuple[str, ...]
    optional: tuple[str, ...] = ()
    indicators: Mapping[str, Mapping[str, str]] = {}

    @model_validator(mode="after")
    def _known_fields(self) -> "Version":
        if unknown := {*self.required, *self.optional} - FIELDS:
            raise ValueError(f"required or optional names unknown fields: {', '.join(sorted(unknown))}")
        return self


class Profile(Part):
    id: str
    jurisdiction: str
    authority: str
    title: Mapping[str, str]
    format: Literal["form", "goaml"]
    sources: Mapping[str, str]
    version: tuple[Version, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _sources_named(self) -> "Profile":
        for version in self.version:
            parts = [getattr(version, name) for name in ("due", "urgent", "follow_up", "hold", "consent", "moratorium")]
            if missing := {part.source for part in parts if part} - set(self.sources):
                raise ValueError(f"{version.id}: sources not named: {', '.join(sorted(missing))}")
        return self

    def on(self, day: date) -> Version:
        """What holds on this day. NoProfile before the first version."""
        known = [version for version in self.version if version.effective_from <= day]
        if not known:
            raise NoProfile(f"{self.id}: nothing is known before {self.version[0].effective_from}.")
        return max(known, key=lambda version: version.effective_from)

    def at(self, version_id: str) -> Version:
        """The version that a report pinned."""
        found = next((version for version in self.version if version.id == version_id), None)
        if found is None:
            raise NoProfile(f"{self.id}: there is no version {version_id}.")
        return found


@cache
def profiles() -> Mapping[str, Profile]:
    """By id. A file that is not in order stops the start: its error names file and field."""
    found: dict[str, Profile] = {}
    for file in sorted(FOLDER.glob("*.toml")):
        data: dict[str, Any] = tomllib.loads(file.read_text())
        profile = Profile.model_validate(data)
        if profile.id != file.stem:
            raise ValueError(f"{file.name}: its id is {profile.id}")
        found[profile.id] = profile
    return found


def profile_for(jurisdiction: str) -> Profile:
    """The authority to which a licensee of this jurisdiction reports."""
    found = next((one for one in profiles().values() if one.jurisdiction == jurisdiction), None)
    if found is None:
        raise NoProfile(
            f"No authority is known for {jurisdiction}. Add a file to cases/types/monitoring/reports/profiles."
        )
    return found
