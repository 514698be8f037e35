"""Rules for staff as data (staff.toml): passwords, second factor, sessions, separation of duty, reviews."""

import tomllib
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, StrictInt, ValidationError

from compliance.policy.errors import PolicyBroken, PolicyMissing

FILE = Path(__file__).parent / "staff.toml"


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Password(Part):
    least_characters: StrictInt = Field(ge=8)
    source: str


class SecondFactor(Part):
    roles: tuple[str, ...]
    source: str


class Span(Part):
    """How long a session lasts without being used, and as a whole."""

    idle_minutes: StrictInt = Field(gt=0)
    whole_minutes: StrictInt = Field(gt=0)
    source: str = ""

    @property
    def idle(self) -> timedelta:
        return timedelta(minutes=self.idle_minutes)

    @property
    def whole(self) -> timedelta:
        return timedelta(minutes=self.whole_minutes)


class Sessions(Part):
    source: str
    default: Span
    roles: Mapping[str, Span]
    emergency: Span

    def of(self, roles: Iterable[str]) -> Span:
        """The shortest of each limit among the roles; the default for a role that is not named and for no role."""
        spans = [self.roles.get(role, self.default) for role in roles] or [self.default]
        return Span(
            idle_minutes=min(span.idle_minutes for span in spans),
            whole_minutes=min(span.whole_minutes for span in spans),
        )


class Attempts(Part):
    """Wrong passwords and codes of one sign-in, one after the other, before it is locked."""

    most_in_a_row: StrictInt = Field(gt=0, le=100)
    source: str


class Confirmation(Part):
    minutes: StrictInt = Field(gt=0)
    source: str


class Apart(Part):
    """No person holds one of `roles` together with one of `from`."""

    roles: tuple[str, ...]
    others: tuple[str, ...] = Field(alias="from")
    why: Mapping[str, str]


class Separation(Part):
    source: str
    apart: tuple[Apart, ...]

    def against(self, role: str, held: Iterable[str]) -> Apart | None:
        """The rule that keeps `role` apart from what is `held` already, if there is one."""
        for rule in self.apart:
            others = rule.others if role in rule.roles else rule.roles if role in rule.others else ()
            if any(other in others for other in held):
                return rule
        return None


class Rights(Part):
    review_days: StrictInt = Field(gt=0)
    unused_days: StrictInt = Field(gt=0)
    longest_aml_days: StrictInt = Field(gt=0)
    source: str


class Glass(Part):
    """Opening one restricted case by exception: for how long, how often, and when somebody has looked at it."""

    minutes: StrictInt = Field(gt=0, le=60)
    most_a_day: StrictInt = Field(gt=0)
    review_hours: StrictInt = Field(gt=0)
    source: str


class Looking(Part):
    """Looking at players: how long a reason holds, and from where on a supervisor is told that somebody looks more
    than the others."""

    reason_hours: StrictInt = Field(gt=0)
    window_hours: StrictInt = Field(gt=0, le=168)
    least_players: StrictInt = Field(gt=0)
    least_without_case: StrictInt = Field(gt=0)
    times_peers: StrictInt = Field(gt=1)
    source: str


class Clocks(Part):
    """Clocks that somebody paused by hand: how long one may stand before its lead is told."""

    longest_pause_hours: StrictInt = Field(gt=0)
    source: str


class Wide(Part):
    """Scopes of an API key that one administrator does not give alone, and why."""

    scopes: tuple[str, ...]
    why: Mapping[str, str]


class Signed(Part):
    """Licensees (by their slug; "*" is every one) whose keys sign each request. No scopes: keys with a wide one."""

    licensees: tuple[str, ...]
    scopes: tuple[str, ...] = ()


class Keys(Part):
    """API keys: which scopes are wide, how long the secret of a confirmed key waits to be shown, which keys sign."""

    take_within_days: StrictInt = Field(gt=0, le=30)
    source: str
    wide: tuple[Wide, ...]
    signed: tuple[Signed, ...] = ()

    @property
    def take_within(self) -> timedelta:
        return timedelta(days=self.take_within_days)

    @property
    def wide_scopes(self) -> list[str]:
        return sorted({scope for rule in self.wide for scope in rule.scopes})

    def asking_for_two(self, scopes: Iterable[str]) -> Wide | None:
        """The first rule that names one of these scopes, if there is one."""
        given = set(scopes)
        return next((rule for rule in self.wide if given.intersection(rule.scopes)), None)

    def asks_to_sign(self, licensee: str, scopes: Iterable[str]) -> bool:
        """Whether a key of this licensee (its slug) with these scopes is only issued when it signs its requests."""
        given, wide = set(scopes), set(self.wide_scopes)
        return any(
            not {"*", licensee}.isdisjoint(rule.licensees) and not given.isdisjoint(rule.scopes or wide)
            for rule in self.signed
        )


class StaffRules(Part):
    """One version of staff.toml."""

    id: str
    effective_from: date
    password: Password
    second_factor: SecondFactor
    sessions: Sessions
    attempts: Attempts
    confirmation: Confirmation
    separation: Separation
    rights: Rights
    glass: Glass
    looking: Looking
    clocks: Clocks
    keys: Keys

    def named_roles(self) -> set[str]:
        """Every role that a rule names, so that a test can ask whether there is such a role."""
        apart = {role for rule in self.separation.apart for role in (*rule.roles, *rule.others)}
        return {*self.second_factor.roles, *self.sessions.roles, *apart}


def staff_rules(*, on: date) -> StaffRules:
    """The rules in force on a day; PolicyMissing before the first."""
    in_force = [version for version in versions() if version.effective_from <= on]
    if not in_force:
        raise PolicyMissing(f"No rules for staff on {on}: the first are of {versions()[0].effective_from}.")
    return in_force[-1]


@cache
def versions() -> tuple[StaffRules, ...]:
    """All versions, the oldest first. PolicyBroken with what is wrong."""
    return read(FILE.read_text(encoding="utf-8"))


def read(text: str) -> tuple[StaffRules, ...]:
    try:
        content = tomllib.loads(text)
        found = sorted((StaffRules(**said) for said in content["version"]), key=lambda one: one.effective_from)
    except (tomllib.TOMLDecodeError, KeyError) as error:
        raise PolicyBroken([f"staff.toml: {error}. Correct the file."]) from error
    except ValidationError as error:
        raise PolicyBroken([f"staff.toml, {_words(dict(fault))}" for fault in error.errors()]) from error
    unknown = sorted(set(_sources(content["version"])) - set(content.get("sources", {})))
    if unknown:
        raise PolicyBroken([f"staff.toml, sources: {', '.join(unknown)} is named and not listed. Add it."])
    return tuple(found)


def _sources(part: Any) -> Iterable[str]:
    if isinstance(part, dict):
        yield from (str(part["source"]),) if "source" in part else ()
        for inner in part.values():
            yield from _sources(inner)
    elif isinstance(part, list):
        for inner in part:
            yield from _sources(inner)


def _words(fault: Mapping[str, Any]) -> str:
    return f"{'.'.join(str(step) for step in fault['loc'])}: {fault['msg']}. Correct the value."
