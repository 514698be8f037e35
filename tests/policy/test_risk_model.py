"""The arithmetic of risk and the lists of countries: dated, sourced, and the past stays."""

import hashlib
from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from compliance.policy import PolicyMissing, countries
from compliance.policy import risk_model as module
from compliance.policy.errors import PolicyBroken
from compliance.policy.risk_model import OTHER, models, rate, risk_model
from compliance.policy.schema import RISKS, TRIGGERS

DAY = date(2026, 11, 22)
MODEL = risk_model(DAY)
CODES = st.lists(st.sampled_from([*MODEL.factors, "something_new"]), max_size=8)
# A published version never changes: to change a list, add a version with its first day and put its digest here.
PINNED = {
    "EU-HIGH-RISK-2026-01-29": "ff04d153b909c850",
    "FATF-CALL-2022-10-21": "a7a319093b050cec",
    "FATF-CALL-2026-06-01": "a7a319093b050cec",
    "FATF-GREY-2025-10-24": "63ceb0e5350d4969",
    "FATF-GREY-2026-02-13": "2aff0184492e246a",
    "FATF-GREY-2026-06-01": "8ce499eda35ddeb0",
    "FATF-GREY-2026-06-30": "c8e4e1edab7aec19",
    "RISK-2026-01-01": "7e754b99014dbbf4",
    "RISK-2026-11-23": "e6f7b468921593f6",
}


def digest(value):
    return hashlib.sha256(value.encode()).hexdigest()[:16]


def test_no_published_list_or_model_changes():
    said = {v.id: digest(",".join(sorted(v.countries))) for one in countries.lists().values() for v in one.version}
    said |= {m.id: digest(m.model_dump_json()) for m in models()}
    assert said == PINNED


@pytest.mark.parametrize(
    ("country", "day", "lists"),
    [
        ("IR", DAY, ["eu_high_risk", "fatf_call_for_action"]),
        ("BG", DAY, ["fatf_increased_monitoring"]),
        ("RU", DAY, ["eu_high_risk"]),
        ("TR", DAY, []),
        ("IQ", date(2026, 5, 31), []),
        ("IQ", date(2026, 6, 1), ["fatf_increased_monitoring"]),
        ("DZ", date(2026, 6, 29), ["eu_high_risk", "fatf_increased_monitoring"]),
        ("DZ", date(2026, 6, 30), ["eu_high_risk"]),
    ],
)
def test_a_country_stands_on_the_lists_of_the_day(country, day, lists):
    assert [one.code for one in countries.names_of(country, on=day)] == lists


def test_every_listing_names_its_source_and_no_list_is_guessed_for_a_day_before_it():
    assert all(one.source and one.version for one in countries.names_of("IR", on=DAY))
    with pytest.raises(PolicyMissing, match="eu_high_risk"):
        countries.names_of("IR", on=date(2025, 12, 1))
    with pytest.raises(PolicyMissing, match="2026-01-01"):
        risk_model(date(2025, 12, 31))


def test_a_version_is_based_on_an_earlier_one():
    first = {"id": "RISK-2026-01-01", "effective_from": DAY}
    later = {"id": "RISK-2026-01-02", "effective_from": DAY, "based_on": "RISK-2026-01-01"}
    with pytest.raises(PolicyBroken, match="no earlier version"):
        list(module._laid_out([first, later]))


# Each rule of the model by its id, with what it does alone.
ALONE = {
    "OP.RISK.FATF_CALL": ("fatf_call_for_action", "high"),
    "OP.RISK.EU_HIGH_RISK": ("eu_high_risk", "high"),
    "OP.RISK.FATF_GREY": ("fatf_increased_monitoring", "medium"),
    "OP.RISK.HIGH_RISK_COUNTRY": ("high_risk_country", "medium"),
    "OP.RISK.PEP": ("pep", "high"),
    "OP.RISK.RCA": ("close_to_pep", "high"),
    "OP.RISK.ADVERSE_MEDIA": ("adverse_media", "medium"),
    "OP.RISK.LAW_ENFORCEMENT": ("law_enforcement_request", "medium"),
    "OP.RISK.VIP": ("vip", "medium"),
    "OP.RISK.PRODUCT": ("high_stakes_product", "low"),
    "OP.RISK.PEER_TO_PEER": ("peer_to_peer_product", "medium"),
    "OP.RISK.ANONYMOUS_PAYMENT": ("anonymous_payment", "medium"),
    "OP.RISK.THIRD_PARTY": ("third_party_payment", "medium"),
    "OP.RISK.MANY_INSTRUMENTS": ("many_instruments", "low"),
    "OP.RISK.AMOUNT": ("amount_above_tier", "medium"),
    "OP.RISK.FUNDS_DIFFER": ("funds_do_not_match", "medium"),
    "OP.RISK.DORMANT": ("dormant_reactivated", "low"),
    "OP.RISK.DOCUMENT_ALTERED": ("document_altered", "high"),
    "OP.RISK.PERSON_DIFFERS": ("person_differs", "high"),
    "OP.RISK.IMPERSONATED": ("impersonated", "high"),
    "OP.RISK.SECOND_ACCOUNT": ("second_account", "medium"),
    "OP.RISK.SAME_FILE": ("same_file", "medium"),
    "OP.RISK.OTHER": ("other", "medium"),
}


def test_every_rule_of_the_model_does_what_is_said_of_it():
    assert {factor.rule for factor in MODEL.factors.values()} == set(ALONE)
    assert {rule: (code, rate(MODEL, [code]).level) for rule, (code, _level) in ALONE.items()} == ALONE


def test_what_nobody_named_counts_as_other_and_nothing_as_nothing():
    assert rate(MODEL, ["something_new"]).parts[0].rule == MODEL.factors[OTHER].rule
    assert (rate(MODEL, []).level, rate(MODEL, []).score) == ("low", 0)


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(CODES, CODES)
def test_the_sum_is_shown_and_more_facts_never_lower_the_level(first, more):
    before, after = rate(MODEL, first), rate(MODEL, first + more)
    assert before == rate(MODEL, reversed(first * 2))
    assert before.score == sum(part.points for part in before.parts)
    assert RISKS.index(before.level) <= RISKS.index(after.level)
    assert all(RISKS.index(part.at_least or "low") <= RISKS.index(before.level) for part in before.parts)


def test_what_policy_calls_a_trigger_is_known_to_the_model_where_a_person_can_enter_it():
    not_facts = {"possible_sanctions_match", "call_for_action_country", "unusually_complex", "unusually_large"}
    assert set(TRIGGERS) - not_facts <= set(MODEL.enterable())
