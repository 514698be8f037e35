"""Several policies that hold at once, as one: of each rule the most protective wins.

The first policy is that of the licence; the others are laws that hold there as well, such as the union's. A rule that
only one of them has is taken from there. Where nothing says which of two values protects more, a duty beats what the
operator chose, and the licence's own law beats the union's.
"""

import re
from collections.abc import Mapping, Sequence
from functools import reduce
from typing import Any

from pydantic import BaseModel

from compliance.policy.limits import Ceiling, RaiseStep
from compliance.policy.records import Period, Provenance, Rule, Table, Threshold
from compliance.policy.schema import EvidenceRule, FourEyes, Policy

WEIGHT = ("operator_default", "may", "should", "must")
LEVEL = re.compile(r"L[0-9]")
# The fewest and the most days a unit takes.
DAYS = {"hour": (1 / 24, 1 / 24), "calendar_day": (1.0, 1.0), "working_day": (1.0, 5.0), "month": (28.0, 31.0)}
DAYS["year"] = (365.0, 366.0)


class Incomparable(ValueError):
    """Two rules hold at once and nobody can say which one protects more. Says which, and what to do."""


def strictest(policies: Sequence[Policy]) -> Policy:
    """One policy; its version names all of them. Incomparable when two duties cannot be compared."""
    both = reduce(_both, policies)
    return both.model_copy(
        update={
            "version": "+".join(policy.version for policy in policies),
            "effective_from": max(policy.effective_from for policy in policies),
            "note": " ".join(policy.note for policy in policies if policy.note),
        }
    )


def at_least_as_strict(new: Any, duty: Rule[Any]) -> bool:
    """Whether `new` protects as much as the value of `duty`. Where `stricter_is` says nothing: when equal."""
    if new == duty.value:
        return True
    return duty.stricter_is != "none" and _protects(new, duty.value, duty.stricter_is == "greater", duty.id)


def _protects(new: Any, old: Any, greater: bool, rule: str) -> bool:
    """Whether `new` is greater (or less) than `old`, or equal."""
    if type(new) is not type(old):
        raise Incomparable(f"{rule}: {new!r} and {old!r} are of different kinds.")
    match new:
        case Threshold():
            if (new.currency, new.over, new.window, new.rolling) != (old.currency, old.over, old.window, old.rolling):
                raise Incomparable(f"{rule}: {new} and {old} cannot be compared: write both in the same terms.")
            return bool(new.amount >= old.amount if greater else new.amount <= old.amount)
        case Period():
            return _longer(new, old, rule) if greater else _longer(old, new, rule)
        case tuple() if any(isinstance(each, Threshold) for each in (*new, *old)):
            return len(new) == len(old) and all(
                _protects(mine, theirs, greater, rule) for mine, theirs in zip(new, old, strict=True)
            )
        case tuple() if any(isinstance(each, Ceiling) for each in (*new, *old)):
            return _each_as_low(new, old) if not greater else _each_as_low(old, new)
        case tuple() if any(isinstance(each, RaiseStep) for each in (*new, *old)):
            return _each_as_slow(new, old, rule) if greater else _each_as_slow(old, new, rule)
        case tuple():
            return set(new) >= set(old) if greater else set(new) <= set(old)
        case bool() | int():
            return bool(new >= old if greater else new <= old)
        case str() if LEVEL.fullmatch(new) and LEVEL.fullmatch(old):
            return bool(new >= old if greater else new <= old)
    raise Incomparable(f'{rule}: {new!r} has no greater or less. Say stricter_is = "none".')


def _each_as_low(ceilings: tuple[Ceiling, ...], others: tuple[Ceiling, ...]) -> bool:
    """Whether each of the others stands here too, in the same terms, at as little or less."""
    lowest: dict[Any, Any] = {}
    for one in ceilings:
        terms = _terms(one)
        lowest[terms] = min(one.amount, lowest.get(terms, one.amount))
    return all(_terms(other) in lowest and lowest[_terms(other)] <= other.amount for other in others)


def _terms(one: Ceiling) -> tuple[Any, ...]:
    return one.measure, one.span, one.window, one.basis, one.currency, one.below_age


def _each_as_slow(steps: tuple[RaiseStep, ...], others: tuple[RaiseStep, ...], rule: str) -> bool:
    """Whether each step asks for the same, waits as long, and lets no raise follow for as long."""
    return len(steps) == len(others) and all(
        mine.requires == theirs.requires
        and _longer(mine.wait, theirs.wait, rule)
        and (
            theirs.then_none_for is None
            or (mine.then_none_for is not None and _longer(mine.then_none_for, theirs.then_none_for, rule))
        )
        for mine, theirs in zip(steps, others, strict=True)
    )


def _longer(one: Period, other: Period, rule: str) -> bool:
    """Whether `one` is surely as long as `other`: months have 28 to 31 days, a working day may take five."""
    if (months := _months(one)) and (others := _months(other)):
        return months >= others
    if one.unit == other.unit:
        return one.amount >= other.amount
    (least, most), (others_least, others_most) = _days(one), _days(other)
    if least >= others_most:
        return True
    if most < others_least:
        return False
    raise Incomparable(f"{rule}: {one} and {other} cannot be compared: write both in the same unit.")


def _months(period: Period) -> int:
    return period.amount * {"month": 1, "year": 12}.get(period.unit, 0)


def _days(period: Period) -> tuple[float, float]:
    least, most = DAYS[period.unit]
    return period.amount * least, period.amount * most


def _both(one: Policy, other: Policy) -> Policy:
    sections: dict[str, Any] = {"sources": Table({**other.sources, **one.sources})}
    for name in type(one).model_fields:
        if isinstance(one.__dict__[name], BaseModel):
            sections[name] = _merged(one.__dict__[name], other.__dict__[name])
    return one.model_copy(update=sections)


def _merged(one: Any, other: Any) -> Any:
    if one is None or other is None:
        return one if other is None else other
    if isinstance(one, Provenance):
        return _stricter(one, other)
    if isinstance(one, FourEyes):
        return _decided_by_more(one, other)
    if isinstance(one, BaseModel):
        parts = {name: _merged(one.__dict__[name], other.__dict__[name]) for name in type(one).model_fields}
        return one.model_copy(update=parts)
    if isinstance(one, Mapping):
        names = [*one, *(name for name in other if name not in one)]
        return Table({name: _merged(one.get(name), other.get(name)) for name in names})
    if isinstance(one, tuple) and all(isinstance(item, EvidenceRule) for item in (*one, *other)):
        by_purpose = [Table({item.purpose: item for item in items}) for items in (one, other)]
        return tuple(_merged(*by_purpose).values())
    return one


def _decided_by_more(one: FourEyes, other: FourEyes) -> FourEyes:
    """Who decides is the licence's matter; an act that only the other law names is added."""
    acts = {act: rule for act, rule in other.acts.items() if act not in one.acts and act not in one.alone}
    alone = {act: rule for act, rule in other.alone.items() if act not in one.acts and act not in one.alone}
    return one.model_copy(update={"acts": Table({**one.acts, **acts}), "alone": Table({**one.alone, **alone})})


def _stricter(one: Provenance, other: Provenance) -> Provenance:
    if one == other:
        return one
    duty, weaker = (other, one) if WEIGHT.index(other.modality) > WEIGHT.index(one.modality) else (one, other)
    if isinstance(duty, EvidenceRule) and isinstance(weaker, EvidenceRule):
        return _narrower(duty, weaker)
    if not isinstance(duty, Rule) or not isinstance(weaker, Rule) or duty.stricter_is == "none":
        return duty
    if weaker.stricter_is not in (duty.stricter_is, "none"):
        raise Incomparable(f"{one.id} and {other.id} disagree on which value protects more. Correct stricter_is.")
    greater = duty.stricter_is == "greater"
    if isinstance(duty.value, tuple) and greater and not _are(RaiseStep, duty, weaker):
        added = tuple(value for value in weaker.value if value not in duty.value)
        return duty.model_copy(update={"value": (*duty.value, *added)})
    if _protects(duty.value, weaker.value, greater, duty.id):
        return duty
    if _protects(weaker.value, duty.value, greater, duty.id):
        return weaker
    if _are(Ceiling, duty, weaker):  # neither covers the other: both hold
        return duty.model_copy(update={"value": _lowest((*duty.value, *weaker.value))})
    raise Incomparable(f"{duty.id} and {weaker.id}: each protects where the other does not. Write one from both.")


def _are(kind: type, *rules: Rule[Any]) -> bool:
    """Whether the rules hold lists of this kind."""
    return any(isinstance(each, kind) for rule in rules if isinstance(rule.value, tuple) for each in rule.value)


def _lowest(ceilings: tuple[Ceiling, ...]) -> tuple[Ceiling, ...]:
    """One of each terms, the lowest, in the order given."""
    found: dict[Any, Ceiling] = {}
    for one in ceilings:
        standing = found.setdefault(_terms(one), one)
        found[_terms(one)] = one if one.amount < standing.amount else standing
    return tuple(found.values())


def _narrower(duty: EvidenceRule, weaker: EvidenceRule) -> EvidenceRule:
    """The duty's documents with the shorter of the two ages."""
    ages = [age for age in (duty.max_age_days, weaker.max_age_days) if age is not None]
    spans = [span for span in (duty.good_for_days, weaker.good_for_days) if span is not None]
    shortest = {"max_age_days": min(ages, default=None), "good_for_days": min(spans, default=None)}
    return duty.model_copy(update=shortest)
