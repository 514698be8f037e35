"""What a change would have done to what is there: "312 cases would change".

Who knows the data registers an answer for a key. Where nobody did the page says so: a change whose effect nobody
counted is not one without effect.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from compliance import policy
from compliance.people.models import Licensee
from compliance.policy.records import Rule
from compliance.policy.strictest import Incomparable, at_least_as_strict
from compliance.rulebook import labels
from compliance.rulebook.changes import Changeable, changeable, with_values
from compliance.rulebook.models import RuleSet
from compliance.rulebook.queries import before

LOOKS_BACK = timedelta(days=90)
# (licensee, key, the value in force, the new one) -> a sentence with its count
Answer = Callable[[Licensee, str, Any, Any], str]

_answers: dict[str, Answer] = {}


@dataclass(frozen=True, slots=True)
class Difference:
    """One value that a set changes. `stricter`: whether it protects more; `effect`: empty where nobody counts it."""

    key: str
    title: str
    old: str
    new: str
    stricter: bool | None
    effect: str


def register(key: str, answer: Answer) -> None:
    if key in _answers:
        raise ValueError(f"A preview of {key} is registered twice")
    _answers[key] = answer


def differences(rule_set: RuleSet) -> list[Difference]:
    """What the set changes against what holds without it on its first day, in the order of the files."""
    law = policy.policy_for(rule_set.licensee.jurisdiction, on=rule_set.effective_from)
    earlier = before(rule_set)
    olds = changeable(with_values(law, earlier.values, code=earlier.code) if earlier else law)
    news = changeable(with_values(law, rule_set.values, code=rule_set.code))
    return [
        Difference(
            key,
            labels.title(key),
            labels.words_of(old.value),
            labels.words_of(news[key].value),
            _stricter(old, news[key].value),
            _effect(rule_set.licensee, key, old.value, news[key].value),
        )
        for key, old in olds.items()
        if news[key].value != old.value
    ]


def _stricter(old: Changeable, new: Any) -> bool | None:
    """Whether the new value protects more; None where the rule does not say which way that is."""
    if not isinstance(old.rule, Rule):
        return bool(new < old.value)
    if old.rule.stricter_is == "none":
        return None
    try:
        return at_least_as_strict(new, old.rule.model_copy(update={"value": old.value}))
    except Incomparable:
        return None


def _effect(licensee: Licensee, key: str, old: Any, new: Any) -> str:
    answer = _answers.get(key)
    return answer(licensee, key, old, new) if answer else ""
