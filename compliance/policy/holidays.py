"""Public holidays as dated data, from compliance/policy/calendars/<country>.toml. A year that nobody wrote is an error.

Time that is counted over a year without a calendar would be wrong in silence: `holiday_on` raises CalendarMissing, and
whoever keeps the product adds the year from its source.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, time, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from compliance.policy.errors import PolicyBroken, PolicyMissing

FOLDER = Path(__file__).parent / "calendars"
MIDNIGHT = time()


class CalendarMissing(PolicyMissing):
    """Nobody wrote the holidays of this country, or of this year."""


@dataclass(frozen=True, slots=True)
class Holiday:
    """`begins`: the local time from which the day is one, midnight for all of it. `provisional`: not announced yet."""

    name: str
    begins: time
    provisional: bool


@dataclass(frozen=True, slots=True)
class Calendar:
    country: str
    zone: str
    years: frozenset[int]
    days: Mapping[date, Holiday]


def holiday_on(country: str, day: date) -> Holiday | None:
    """The holiday of this day, if it is one. CalendarMissing when the country or the year is not written."""
    calendar = calendar_of(country)
    if day.year not in calendar.years:
        file = f"compliance/policy/calendars/{country.lower()}.toml"
        raise CalendarMissing(f"{file} does not say which days of {day.year} are holidays. Add the year.")
    return calendar.days.get(day)


@cache
def calendar_of(country: str) -> Calendar:
    file = FOLDER / f"{country.lower()}.toml"
    if not country.isalpha() or not file.is_file():
        raise CalendarMissing(f"There is no calendar for {country}. Known: {', '.join(countries())}.")
    return read(file)


def countries() -> list[str]:
    return sorted(file.stem.upper() for file in FOLDER.glob("*.toml"))


def read(file: Path) -> Calendar:
    """The calendar of one file; PolicyBroken names the file and what is wrong."""
    data = tomllib.loads(file.read_text())
    days: dict[date, Holiday] = {}
    for year in data["year"]:
        if not year.get("source") or set(year["source"]) - set(data["sources"]):
            raise PolicyBroken([f"{file.name}: {year['year']} names no source, or one that is not in [sources]."])
        for entry in year["days"]:
            for day, holiday in _days(entry):
                if day.year != year["year"]:
                    raise PolicyBroken([f"{file.name}: {day} does not lie in {year['year']}."])
                # Two on one day: the one that begins earlier covers the other.
                if day not in days or holiday.begins < days[day].begins:
                    days[day] = holiday
    return Calendar(data["country"], data["zone"], frozenset(year["year"] for year in data["year"]), days)


def _days(entry: Mapping[str, Any]) -> list[tuple[date, Holiday]]:
    holiday = Holiday(entry["name"], entry.get("from", MIDNIGHT), bool(entry.get("provisional", False)))
    return [(entry["on"] + timedelta(days=after), holiday) for after in range(entry.get("days", 1))]
