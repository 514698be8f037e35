"""Which rules an operator may change, how far, and the policy that comes of it. Knows no database.

A key names a rule by its place: "review.months.high", "evidence.address.max_age_days". What the law demands may only be
made stricter; of what the operator chose, any value that makes sense. Who decides (four eyes), levels and documents are
not changed here: they are in the files.
"""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from compliance.policy import policy_at
from compliance.policy.records import Period, Provenance, Rule, Threshold
from compliance.policy.schema import EvidenceRule, Policy
from compliance.policy.strictest import Incomparable, at_least_as_strict

AGES = ("max_age_days", "good_for_days")
MARK = "~"


@dataclass(frozen=True, slots=True)
class Changeable:
    """One value that may be changed, and the rule it belongs to."""

    key: str
    rule: Provenance
    value: Any


class NotAllowed(ValueError):
    """A value that the rule does not take, or that protects less than the law. `key` names it."""

    def __init__(self, key: str, code: str, rule: Provenance | None = None) -> None:
        super().__init__(f"{key}: {code}")
        self.key, self.code, self.rule = key, code, rule


def changeable(policy: Policy) -> dict[str, Changeable]:
    """Every value of this policy that an operator may change, by key."""
    return {found.key: found for found in _changeable(policy)}


def _changeable(policy: Policy) -> Iterator[Changeable]:
    for path, rule in policy.rules():
        if isinstance(rule, EvidenceRule):
            for age in AGES:
                if (days := getattr(rule, age)) is not None:
                    yield Changeable(f"evidence.{rule.purpose}.{age}", rule, days)
        elif isinstance(rule, Rule) and not isinstance(rule.value, bool) and isinstance(rule.value, _SIMPLE):
            yield Changeable(path, rule, rule.value)


_SIMPLE = (int, Period, Threshold)


def checked(policy: Policy, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values as the rules take them, without those that change nothing. NotAllowed for the first one refused."""
    known = changeable(policy)
    found = {}
    for key, raw in values.items():
        if key not in known:
            raise NotAllowed(key, "unknown")
        value = _typed(known[key], raw)
        if duty := _duty_above(policy, key, value):
            raise NotAllowed(key, "weaker", duty)
        if value != known[key].value:
            found[key] = value
    return found


def with_values(policy: Policy, values: Mapping[str, Any], *, code: str) -> Policy:
    """The policy with an operator's set on top. What the law by now forbids, or knows no more, is as the law says."""
    standing: dict[str, Any] = {}
    for key, raw in values.items():
        with suppress(NotAllowed):
            standing |= checked(policy, {key: raw})

    def laid(path: str, rule: Provenance) -> Provenance:
        if isinstance(rule, EvidenceRule):
            ages = {age: standing[key] for age in AGES if (key := f"evidence.{rule.purpose}.{age}") in standing}
            return rule.model_copy(update=ages) if ages else rule
        return rule.model_copy(update={"value": standing[path]}) if path in standing else rule

    return policy.replaced(laid).model_copy(update={"version": f"{policy.version}{MARK}{code}"})


def as_json(value: Any) -> Any:
    return value.model_dump(mode="json") if isinstance(value, Period | Threshold) else value


def _typed(known: Changeable, raw: Any) -> Any:
    value = raw.model_dump() if isinstance(raw, Period | Threshold) else raw
    field = known.key.rpartition(".")[2] if isinstance(known.rule, EvidenceRule) else "value"
    try:
        return getattr(type(known.rule).model_validate(known.rule.model_dump() | {field: value}), field)
    except ValidationError:
        raise NotAllowed(known.key, "senseless", known.rule) from None


def _duty_above(policy: Policy, key: str, value: Any) -> Provenance | None:
    """The rule of the law that asks for more than `value`, if there is one. A union's law counts beside the state's."""
    for version in policy.version.partition(MARK)[0].split("+"):
        part = changeable(policy_at(version)).get(key)
        if part is not None and part.rule.modality in ("must", "should") and not _enough(value, part):
            return part.rule
    return None


def _enough(value: Any, duty: Changeable) -> bool:
    if not isinstance(duty.rule, Rule):
        return bool(value <= duty.value)  # the age of a document, or how long it is good for: fewer days protect more
    try:
        return at_least_as_strict(value, duty.rule)
    except Incomparable:
        return False
