"""Which version is in force on a day, and which one a case pinned."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from compliance.policy import PolicyMissing, policy_at, policy_for
from compliance.policy.book import Book, book

DAYS = st.dates(date(1990, 1, 1), date(2090, 12, 31))


def a_book(days):
    like = policy_at("TR-2026-02-01")
    return Book.of(like.model_copy(update={"effective_from": day, "version": f"TR-{day}"}) for day in days)


@given(st.sets(DAYS, min_size=1, max_size=8), DAYS)
@example({date(2028, 2, 29)}, date(2028, 2, 29))
@example({date(2028, 2, 29)}, date(2028, 2, 28))
def test_the_version_in_force_is_the_last_that_has_begun(beginnings, day):
    policies = a_book(beginnings)
    begun = [beginning for beginning in beginnings if beginning <= day]
    if begun:
        assert policies.policy_for("TR", on=day).effective_from == max(begun)
    else:
        with pytest.raises(PolicyMissing, match="the first is"):
            policies.policy_for("TR", on=day)


@given(DAYS, st.integers(1, 4000))
def test_a_new_version_changes_no_day_before_it(day, later):
    old = a_book([date(1990, 1, 1)])
    new = a_book([date(1990, 1, 1), day + timedelta(days=later)])
    assert old.policy_for("TR", on=day).version == new.policy_for("TR", on=day).version


def test_a_version_begins_on_its_day():
    assert policy_for("GB", on=date(2026, 6, 29)).version == "GB-2025-02-28"
    assert policy_for("GB", on=date(2026, 6, 30)).version == "GB-2026-06-30"


@pytest.mark.parametrize("version", book().versions)
def test_every_version_stays_within_reach(version):
    policy = policy_at(version)
    assert policy.version == version
    assert book().in_force(policy.jurisdiction, on=policy.effective_from) is policy


def test_an_unknown_jurisdiction_names_itself_and_the_fix():
    with pytest.raises(
        PolicyMissing,
        match=r"'FR'. Known: DE, DK, ES, EU, GB, IT, MT, NL, SE, TR. Add compliance/policy/jurisdictions/fr.toml",
    ):
        policy_for("FR", on=date(2026, 11, 21))


def test_a_day_before_the_first_version_names_it():
    with pytest.raises(PolicyMissing, match="the first is TR-2026-02-01"):
        policy_for("TR", on=date(2026, 1, 31))


def test_an_unknown_version_names_itself():
    with pytest.raises(PolicyMissing, match="TR-2020-01-01"):
        policy_at("TR-2020-01-01")


def test_a_moment_is_no_day():
    with pytest.raises(TypeError, match="licensee's day"):
        policy_for("TR", on=datetime(2026, 11, 21, tzinfo=UTC))
