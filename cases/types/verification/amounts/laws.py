"""Which amounts hold for a player, when, and to which level they ask: read from the policy."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from cases.types.verification import playing
from cases.types.verification.amounts.adding import Line, lines_of
from compliance.people.models import Customer, Licensee
from compliance.policy import Policy, PolicyMissing
from compliance.policy.records import Period
from compliance.rulebook.queries import days_of_change, policy_of

# Operator default: no law read so far says within what time transactions are linked; guidance speaks of a day.
LINKED_WITHIN: Final = Period(amount=24, unit="hour")
NAMES: Final = ("transaction", "transfer", "deposits")  # the check of vulnerability is not due diligence


@dataclass(frozen=True, slots=True)
class Stretch:
    """One version of the policy, from when until when it holds. `until` None: it holds now."""

    policy: Policy
    since: datetime
    until: datetime | None

    def holds(self, at: datetime) -> bool:
        return self.since <= at and (self.until is None or at < self.until)


def stretches(licensee: Licensee, since: datetime) -> Iterator[Stretch]:
    """The versions in force since a moment, the oldest first. Days of which no policy is known are left out."""
    first, today = licensee.day_of(since), licensee.today()
    days = [first, *(day for day in days_of_change(licensee) if first < day <= today)]
    for place, day in enumerate(days):
        try:
            policy = policy_of(licensee, on=day)
        except PolicyMissing:
            continue
        following = days[place + 1] if place + 1 < len(days) else None
        yield Stretch(policy, licensee.day_starts(day), licensee.day_starts(following) if following else None)


def lines(policy: Policy) -> list[Line]:
    """Every leg of every amount that asks for due diligence."""
    thresholds, found = policy.thresholds, list[Line]()
    linked: Any = thresholds.linked_within.value if thresholds.known("linked_within") else LINKED_WITHIN  # type: ignore[union-attr]
    for name in NAMES:
        if thresholds.known(name):
            rule = getattr(thresholds, name)
            amounts = rule.value if isinstance(rule.value, tuple) else (rule.value,)
            found += [line for one in amounts for line in lines_of(rule.id, name, one, linked=linked)]
    return found


def level_asked(policy: Policy, risk: str) -> str:
    """To which level an amount asks: the policy's, else the one that play needs; at high risk the highest."""
    levels = list(policy.verification.levels)
    if risk == "high":
        return levels[-1]
    if policy.thresholds.known("level"):
        rule: Any = policy.thresholds.level
        return str(rule.value)
    return playing.level_to_play(policy) or levels[-1]


def has(policy: Policy, customer: Customer, level: str) -> bool:
    """Whether the player has the level. One that the policy does not know carries nothing."""
    levels = list(policy.verification.levels)
    return customer.level in levels and levels.index(customer.level) >= levels.index(level)
