"""Who needs a second person, answered from the data."""

from datetime import date

import pytest
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from compliance.policy import policy_at, policy_for
from compliance.policy.book import book

every_version = pytest.mark.parametrize("policy", book().versions.values(), ids=lambda policy: policy.version)


@every_version
@pytest.mark.parametrize(
    ("level", "risk", "two"),
    [
        ("L1", "low", False),
        ("L1", "medium", True),
        ("L1", "high", True),
        ("L2", "low", True),
        ("L3", "low", True),
        ("L3", "high", True),
    ],
)
def test_approving_needs_two_from_level_2_or_medium_risk(policy, level, risk, two):
    need = policy.need_two("verification.approve", level=level, risk=risk)
    assert need.two is two
    assert bool(need.why) is two
    assert need.rule == "OP.FOUR_EYES.VERIFICATION_APPROVE"
    assert need.version == policy.version


@every_version
@pytest.mark.parametrize("act", ["verification.reject", "verification.reopen", "documents.destroy", "keys.shred"])
def test_what_cannot_be_undone_always_needs_two(policy, act):
    assert policy.need_two(act, level="L0", risk="low").two


@every_version
@pytest.mark.parametrize("act", policy_at("TR-2026-02-01").four_eyes.alone)
@given(level=st.sampled_from(["L0", "L3", None]), risk=st.sampled_from(["low", "high", None]))
def test_a_protective_act_never_waits(policy, act, level, risk):
    assert not policy.need_two(act, level=level, risk=risk).two


@every_version
@pytest.mark.parametrize(("entries", "two"), [(0, False), (10_000, False), (10_001, True)])
def test_a_large_export_needs_two(policy, entries, two):
    assert policy.need_two("audit.export", entries=entries).two is two


@every_version
def test_a_fact_that_nobody_stated_asks_for_two(policy):
    need = policy.need_two("verification.approve", level="L1")
    assert need.two
    assert "risk" in need.why


@every_version
def test_an_act_that_the_policy_does_not_name_asks_for_two(policy):
    need = policy.need_two("something.new", level="L0", risk="low")
    assert need.two
    assert need.why


def test_the_words_are_those_of_the_reader():
    policy = policy_at("TR-2026-02-01")
    with translation.override("tr"):
        assert policy.need_two("verification.approve", level="L2", risk="low").why.endswith("iki kişi gerekiyor.")
    with translation.override("de"):
        assert policy.need_two("verification.approve", level="L2", risk="low").why.startswith("Two persons")


def test_correcting_what_was_declared_is_named_with_its_source():
    assert policy_for("TR", on=date(2026, 11, 22)).need_two("people.correct").rule == "TR.FOUR_EYES.UNNAMED"
    for code in ("DE", "DK", "ES", "GB", "IT", "MT", "NL", "SE", "TR"):
        need = policy_for(code, on=date(2026, 11, 23)).need_two("people.correct")
        assert (need.two, need.rule) == (True, "OP.FOUR_EYES.PEOPLE_CORRECT")
