"""Which of two values protects more: said of every rule with a number, a length of time or a level, and held."""

from datetime import date

import pytest

from compliance.policy import policy_for
from compliance.policy.book import book
from compliance.policy.limits import Ceiling, RaiseStep
from compliance.policy.records import Period, Rule, Threshold
from compliance.policy.schema import EvidenceRule
from compliance.policy.strictest import Incomparable, at_least_as_strict, strictest
from compliance.rulebook.changes import NotAllowed, changeable, checked

DAYS = (date(2026, 11, 24), date(2027, 7, 10))
EVERY = [(place, day) for place in book().by_jurisdiction for day in DAYS]
every_policy = pytest.mark.parametrize(("place", "day"), EVERY)
# Neither more nor fewer of these protect more, and each rule says so in words.
NEITHER = {"exclusions.terms"}


def is_measured(path, rule):
    if isinstance(rule, EvidenceRule):
        return bool(rule.max_age_days or rule.good_for_days)
    if not isinstance(rule, Rule):
        return False
    values = rule.value if isinstance(rule.value, tuple) else (rule.value,)
    measures = (Period, Threshold, Ceiling, RaiseStep)
    numbers = any(isinstance(one, measures) or type(one) is int for one in values)
    return numbers or path in ("verification.play_needs", "thresholds.level")


@every_policy
def test_every_rule_with_a_number_a_time_or_a_level_says_which_way_is_stricter(place, day):
    measured = [(path, rule) for path, rule in policy_for(place, on=day).rules() if is_measured(path, rule)]
    assert len(measured) > 5
    silent = [path for path, rule in measured if "stricter_is" not in rule.model_fields_set]
    neither = {path for path, rule in measured if rule.stricter_is == "none"}
    assert (silent, neither - NEITHER) == ([], set())
    assert all(rule.note for path, rule in measured if path in neither)


def weaker(one):
    """A value that surely protects less than this rule's."""
    greater = isinstance(one.rule, Rule) and one.rule.stricter_is == "greater"
    match one.value:
        case Period(amount=1) if greater:
            return Period(amount=1, unit="hour") if one.value.unit != "hour" else None
        case Period() | Threshold():
            less = one.value.amount - 1 if greater else one.value.amount + 1
            return one.value.model_copy(update={"amount": less})
    return one.value - 1 if greater else one.value + 1


@every_policy
def test_a_choice_weaker_than_a_duty_is_refused_and_names_its_field(place, day):
    policy, refused = policy_for(place, on=day), 0
    for key, one in changeable(policy).items():
        if one.rule.modality in ("must", "should"):
            with pytest.raises(NotAllowed) as wrong:
                checked(policy, {key: weaker(one)})
            assert (wrong.value.key, wrong.value.code, wrong.value.rule.id) == (key, "weaker", one.rule.id)
            refused += 1
    assert refused >= 2, "retention, at least"


def rule_of(place, path):
    return dict(policy_for(place, on=DAYS[0]).rules())[path]


@pytest.mark.parametrize(
    ("place", "path", "change", "as_strict"),
    [
        ("DE", "limits.caps", {"amount": "999"}, True),
        ("DE", "limits.caps", {"amount": "1001"}, False),
        ("DE", "limits.caps", {"span": "week"}, False),
        ("ES", "limits.raise_steps", {"wait": Period(amount=8, unit="calendar_day")}, True),
        ("ES", "limits.raise_steps", {"wait": Period(amount=6, unit="calendar_day")}, False),
        ("ES", "limits.raise_steps", {"requires": "history_review"}, False),
        ("GB", "verification.play_needs", "L3", True),
        ("GB", "verification.play_needs", "L1", False),
        ("DE", "exclusions.time_outs", (), False),
        ("DK", "exclusions.confirm_until", {"amount": 31}, False),
        ("DK", "exclusions.confirm_until", {"amount": 29}, True),
    ],
)
def test_ceilings_steps_and_levels_are_compared_by_what_protects(place, path, change, as_strict):
    duty = rule_of(place, path)
    value = change
    if isinstance(change, dict):
        first = duty.value[0] if isinstance(duty.value, tuple) else duty.value
        made = type(first).model_validate(first.model_dump() | change)
        value = (made, *duty.value[1:]) if isinstance(duty.value, tuple) else made
    assert at_least_as_strict(value, duty) is as_strict
    assert at_least_as_strict(duty.value, duty)


def test_a_ceiling_more_protects_more_and_one_less_protects_less():
    duty = rule_of("NL", "limits.caps")
    assert not at_least_as_strict(duty.value[:1], duty)
    lower = duty.value[0].model_copy(update={"span": "day"})
    assert at_least_as_strict((*duty.value, lower), duty)


def test_a_rule_of_the_house_is_not_turned_back_by_an_older_version_that_inherited_it():
    """OP.PLAY_NEEDS, OP.EXC.TIME_OUTS: a state's version is based on the newest of both files."""
    for path in ("verification.play_needs", "exclusions.time_outs"):
        was, now = (dict(book().versions[name].rules())[path] for name in ("IT-2026-11-23", "IT-2026-11-24"))
        assert (was.id, was.value) == (now.id, now.value) and was.id.startswith("OP.")
        assert (was.stricter_is, now.stricter_is) == ("none", "greater")


@pytest.mark.parametrize(
    ("place", "left_out"),
    [
        ("MT", {"exclusions.least", "exclusions.open_least"}),
        ("NL", {"limits.raise_wait"}),
        ("EU", {"exclusions.least", "exclusions.stops", "limits.raise_wait"}),
    ],
)
def test_what_a_place_left_out_of_the_house_stays_out(place, left_out):
    newest = book().by_jurisdiction[place][-1]
    assert not left_out & dict(newest.rules()).keys()
    assert left_out <= dict(book().versions["TR-2026-11-24"].rules()).keys()


@pytest.mark.parametrize("day", DAYS)
@pytest.mark.parametrize(
    "place", [place for place in book().by_jurisdiction if book().in_force(place, on=DAYS[0]).also]
)
def test_the_union_brings_back_nothing_that_a_state_left_out(place, day):
    """A union's version holds its own law: neither exclusions nor limits of the house."""
    own, together = book().in_force(place, on=day), policy_for(place, on=day)
    assert (together.exclusions, together.limits) == (own.exclusions, own.limits)
    least = together.exclusions.known("least")
    assert not least if place == "MT" else True


def with_rule(policy, section, name, rule):
    changed = getattr(policy, section).model_copy(update={name: rule})
    return policy.model_copy(update={section: changed})


def test_lists_of_which_neither_covers_the_other_both_hold():
    """A cap of the law stays beside a ceiling of the operator in other terms; steps nobody can compare are refused."""
    law = policy_for("DE", on=DAYS[0])
    duty = rule_of("DE", "limits.caps")
    monthly = duty.value[0]
    weekly = monthly.model_copy(update={"span": "week", "amount": monthly.amount / 10})
    lower = monthly.model_copy(update={"amount": monthly.amount - 1})
    house = {"modality": "operator_default", "id": "OP.CAPS"}

    def both(*value):
        other = with_rule(law, "limits", "caps", duty.model_copy(update={"value": value, **house}))
        return strictest([law, other]).limits.caps.value

    assert both(weekly) == (*duty.value, weekly)
    assert both(weekly, lower) == (weekly, lower), "covers what the law says"
    assert both() == duty.value
    steps = rule_of("ES", "limits.raise_steps")
    spain = policy_for("ES", on=DAYS[0])
    for value in ((), steps.value[:1]):
        other = with_rule(spain, "limits", "raise_steps", steps.model_copy(update={"value": value, **house}))
        with pytest.raises(Incomparable):
            strictest([spain, other])
