"""One test for every rule of the policies on exclusions, by its id: here the arithmetic, without a database."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from audit.perform import ConditionsNotMet
from compliance.people.exclusions.terms import reflecting, terms_of
from compliance.people.models import Licensee
from compliance.policy import policy_at, policy_for
from compliance.policy.book import book
from compliance.policy.records import Period
from tests.gaming.kept_out import period
from tests.gaming.test_rules_met import COVERED

START = datetime(2026, 11, 22, 15, 30, tzinfo=ZoneInfo("UTC"))
ZONE = "Europe/Istanbul"
DAY = START.date()
HOUSES = {name: Licensee(name=name, jurisdiction=name, time_zone=ZONE) for name in book().by_jurisdiction}
LAW = ("TR", "GB", "MT", "DE", "SE", "NL", "DK", "ES", "IT")


def rules(jurisdiction):
    return policy_for(jurisdiction, on=DAY).exclusions


def terms(jurisdiction, term, kind="self_exclusion", third_party=False, running=False):
    return terms_of(
        rules(jurisdiction),
        kind=kind,
        period=period(term),
        third_party=third_party,
        running=running,
        licensee=HOUSES[jurisdiction],
        start=START,
    )


def refused(jurisdiction, term, **more):
    with pytest.raises(ConditionsNotMet):
        terms(jurisdiction, term, **more)
    return True


def local(year, month, day):
    return datetime(year, month, day, tzinfo=ZoneInfo(ZONE))


def back(jurisdiction, *, without_end=False, third_party=False, accepted=START):
    return reflecting(
        rules(jurisdiction),
        without_end=without_end,
        third_party=third_party,
        licensee=HOUSES[jurisdiction],
        asked_at=START,
        accepted_at=accepted,
    )


FOR_EVER = None, None
# What each rule does. Rules of the operator's own (OP) are tried where no law says otherwise: Türkiye.
CHECKS = {
    "OP.EXC.TIME_OUTS": lambda: terms("TR", "24 hour", kind="time_out").ends_at == START + timedelta(hours=24),
    "OP.EXC.TIME_OUT_LONGEST": lambda: (
        refused("TR", "43 calendar_day", kind="time_out")
        and terms("TR", "42 calendar_day", kind="time_out").ends_at == local(2027, 1, 4)
    ),
    "OP.EXC.TERMS": lambda: terms("TR", "6 month").term_ends_at == local(2027, 5, 23),
    "OP.EXC.LEAST": lambda: refused("TR", "5 month"),
    "OP.EXC.OPEN_ENDED": lambda: terms("TR", "open").term_ends_at is None,
    "OP.EXC.OPEN_LEAST": lambda: terms("TR", "open").return_from == local(2027, 5, 23),
    "OP.EXC.ENDS": lambda: terms("TR", "6 month").ends_at is None,
    "OP.EXC.EARLY_RETURN": lambda: terms("TR", "6 month").return_from == local(2027, 5, 23),
    "OP.EXC.REFLECTION": lambda: back("TR") == (START + timedelta(hours=24), None),
    "GB.EXC.TIME_OUTS": lambda: terms("GB", "1 month", kind="time_out").ends_at == local(2026, 12, 23),
    "GB.EXC.TIME_OUT_LONGEST": lambda: refused("GB", "43 calendar_day", kind="time_out"),
    "GB.EXC.TERMS": lambda: terms("GB", "12 month").term_ends_at == local(2027, 11, 23),
    "GB.EXC.LEAST": lambda: refused("GB", "5 month"),
    "GB.EXC.LONGEST_FIRST": lambda: refused("GB", "61 month") and bool(terms("GB", "5 year")),
    "GB.EXC.EXTEND_LEAST": lambda: refused("GB", "5 month", running=True),
    "GB.EXC.OPEN_ENDED": lambda: refused("GB", "open"),
    "GB.EXC.ENDS": lambda: terms("GB", "6 month").ends_at > terms("GB", "6 month").term_ends_at,
    "GB.EXC.PERSISTS": lambda: terms("GB", "6 month").ends_at == local(2034, 5, 23),
    "GB.EXC.REFLECTION": lambda: back("GB")[0] == local(2026, 11, 24),
    "MT.EXC.TERMS": lambda: bool(terms("MT", "7 calendar_day")),
    "MT.EXC.OPEN_ENDED": lambda: terms("MT", "open").term_ends_at is None,
    "MT.EXC.EARLY_RETURN": lambda: terms("MT", "6 month").return_from == START,
    "MT.EXC.REFLECTION": lambda: back("MT")[0] == START + timedelta(hours=24),
    "MT.EXC.REFLECTION_OPEN": lambda: back("MT", without_end=True)[0] == local(2026, 11, 30),
    "DE.EXC.TIME_OUTS": lambda: terms("DE", "24 hour", kind="time_out").return_from is None,
    "DE.EXC.TERMS": lambda: terms("DE", "3 month").term_ends_at == local(2027, 2, 23),
    "DE.EXC.LEAST": lambda: refused("DE", "2 month"),
    "DE.EXC.LEAST_THIRD_PARTY": lambda: (
        refused("DE", "11 month", third_party=True) and bool(terms("DE", "1 year", third_party=True))
    ),
    "DE.EXC.OPEN_LEAST": lambda: terms("DE", "open").return_from == local(2027, 11, 23),
    "DE.EXC.ENDS": lambda: terms("DE", "3 month").ends_at is None,
    "DE.EXC.REFLECTION": lambda: back("DE")[0] == local(2026, 11, 30),
    "DE.EXC.REFLECTION_THIRD_PARTY": lambda: back("DE", third_party=True)[0] == local(2026, 12, 23),
    "SE.EXC.TIME_OUTS": lambda: terms("SE", "24 hour", kind="time_out").ends_at == START + timedelta(hours=24),
    "SE.EXC.TERMS": lambda: terms("SE", "3 month").ends_at == local(2027, 2, 23),
    "SE.EXC.LEAST": lambda: refused("SE", "29 calendar_day"),
    "SE.EXC.OPEN_ENDED": lambda: terms("SE", "open").ends_at is None,
    "SE.EXC.OPEN_LEAST": lambda: terms("SE", "open").return_from == local(2027, 11, 23),
    "SE.EXC.ENDS": lambda: terms("SE", "1 month").ends_at == terms("SE", "1 month").term_ends_at,
    "SE.EXC.EARLY_RETURN": lambda: terms("SE", "6 month").return_from is None,
    "NL.EXC.TERMS": lambda: terms("NL", "6 month").ends_at == local(2027, 5, 23),
    "NL.EXC.LEAST": lambda: refused("NL", "5 month"),
    "NL.EXC.ENDS": lambda: terms("NL", "1 year").ends_at == local(2027, 11, 23),
    "NL.EXC.LEAVE_AFTER": lambda: terms("NL", "1 year").return_from == local(2027, 5, 23),
    "NL.EXC.REFLECTION": lambda: back("NL")[0] == local(2026, 12, 1),
    "NL.EXC.EARLY_RETURN": lambda: terms("NL", "6 month").return_from is None,
    "DK.EXC.TIME_OUTS": lambda: terms("DK", "24 hour", kind="time_out").ends_at == START + timedelta(hours=24),
    "DK.EXC.TERMS": lambda: terms("DK", "3 month").ends_at == local(2027, 2, 23),
    "DK.EXC.LEAST": lambda: refused("DK", "29 calendar_day") and bool(terms("DK", "30 calendar_day")),
    "DK.EXC.OPEN_ENDED": lambda: terms("DK", "open").ends_at is None,
    "DK.EXC.OPEN_LEAST": lambda: terms("DK", "open").return_from == local(2027, 11, 23),
    "DK.EXC.ENDS": lambda: terms("DK", "6 month").ends_at == local(2027, 5, 23),
    "DK.EXC.EARLY_RETURN": lambda: terms("DK", "6 month").return_from is None,
    "DK.EXC.CONFIRM_FROM": lambda: back("DK")[0] == local(2026, 11, 30),
    "DK.EXC.CONFIRM_UNTIL": lambda: back("DK")[1] == local(2026, 12, 23),
    "ES.EXC.LEAST": lambda: refused("ES", "5 month"),
    "IT.EXC.TERMS": lambda: terms("IT", "60 calendar_day").ends_at == local(2027, 1, 22),
    "IT.EXC.LEAST": lambda: refused("IT", "29 calendar_day"),
    "IT.EXC.OPEN_ENDED": lambda: terms("IT", "open").ends_at is None,
    "IT.EXC.OPEN_LEAST": lambda: terms("IT", "open").return_from == local(2027, 5, 23),
    "IT.EXC.ENDS": lambda: terms("IT", "30 calendar_day").ends_at == local(2026, 12, 23),
    "IT.EXC.EARLY_RETURN": lambda: terms("IT", "90 calendar_day").return_from is None,
    "IT.EXC.REFLECTION_OPEN": lambda: back("IT", without_end=True)[0] == local(2026, 11, 30),
}


def test_every_rule_has_its_test():
    known = {
        rule.id
        for policy in book().versions.values()
        for path, rule in policy.rules()
        if path.startswith("exclusions.")
    }
    assert known == CHECKS.keys() | COVERED.keys(), "each is tried by what it does"


@pytest.mark.parametrize("rule", CHECKS)
def test_a_rule_does_what_it_says(rule):
    assert CHECKS[rule]()


def test_a_decision_that_comes_late_takes_nobodys_window_away():
    earliest, until = back("DK", accepted=START + timedelta(days=60))
    assert until == earliest + timedelta(days=1)


def test_a_version_that_says_nothing_of_exclusions_answers_nothing():
    assert not policy_at("TR-2026-02-01").exclusions.known("terms")


# The shortest that may last: six months where the law or the operator says so, three in Germany, a month in Sweden.
SHORTEST = dict.fromkeys(("TR", "GB", "NL", "ES"), timedelta(days=181)) | {
    "DE": timedelta(days=89),
    "SE": timedelta(days=30),
    "DK": timedelta(days=30),
    "IT": timedelta(days=30),
}
LENGTHS = {"hour": timedelta(hours=1), "calendar_day": timedelta(days=1), "month": timedelta(days=28)}


def at_least(length):
    """What nobody can count it shorter than: a month has 28 days, a year 365. An hour less where clocks go forward."""
    if length.unit == "year":
        return length.amount * timedelta(days=365) - timedelta(hours=1)
    return length.amount * LENGTHS[length.unit] - timedelta(hours=length.unit != "hour")


units = st.sampled_from(["hour", "calendar_day", "month", "year"])


@given(
    jurisdiction=st.sampled_from(LAW),
    kind=st.sampled_from(["time_out", "self_exclusion"]),
    length=st.none() | st.builds(Period, amount=st.integers(1, 130), unit=units),
    third_party=st.booleans(),
    hours=st.integers(-20_000, 120_000),
    zone=st.sampled_from(["Europe/Istanbul", "Pacific/Apia", "America/Havana", "Asia/Kathmandu", "Etc/GMT+12"]),
)
@hypothesis_settings(max_examples=200)
def test_no_terms_are_shorter_than_what_was_chosen_or_the_law_asks(
    jurisdiction, kind, length, third_party, hours, zone
):
    start = START + timedelta(hours=hours)
    law, house = rules(jurisdiction), Licensee(name=zone, jurisdiction=jurisdiction, time_zone=zone)
    try:
        found = terms_of(
            law, kind=kind, period=length, third_party=third_party, running=False, licensee=house, start=start
        )
    except ConditionsNotMet:
        return
    if length is not None:
        assert found.term_ends_at - start >= at_least(length)
        if length.unit != "hour":
            assert found.term_ends_at.astimezone(ZoneInfo(zone)).time() <= time(1), "the whole of its last day"
    assert found.ends_at is None or found.ends_at >= found.term_ends_at
    if kind == "self_exclusion" and found.ends_at:
        assert found.ends_at - start >= SHORTEST.get(jurisdiction, timedelta())
    early = law.early_return.value
    assert found.return_from is None or early or found.return_from >= start + timedelta(days=28)
