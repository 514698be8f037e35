"""Every duty by its id, and the most protective of several laws."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.policy import policy_at, policy_for
from compliance.policy.book import book
from compliance.policy.records import Period, Rule
from compliance.policy.schema import EvidenceRule
from compliance.policy.strictest import Incomparable, at_least_as_strict, strictest

# What the law says, once more by hand: a slip of the keyboard in a file must not become the law.
DUTIES = {
    "DE.EXC.ENDS": "by_register",
    "DE.EXC.LEAST_THIRD_PARTY": "1 year",
    "DE.EXC.REFLECTION": "7 calendar days",
    "DE.EXC.REFLECTION_THIRD_PARTY": "1 month",
    "DE.EXC.REGISTERS": "OASIS",
    "DE.EXC.RETURN_CHANNELS": "written",
    "DE.EXC.TIME_OUTS": "24 hours",
    "DE.RG.LIMIT.BASIS": "gross",
    "DE.RG.LIMIT.CAP": "gross deposit 1000.00 EUR a calendar month",
    "DE.RG.LIMIT.MANDATORY": "deposit",
    "DE.RG.LIMIT.RAISE_WAIT": "7 calendar days",
    "DE.RG.LIMIT.WINDOWS_DEPOSIT": "calendar",
    "DK.EXC.CONFIRM_FROM": "7 calendar days",
    "DK.EXC.CONFIRM_UNTIL": "30 calendar days",
    "DK.EXC.EARLY_RETURN": "False",
    "DK.EXC.ENDS": "by_itself",
    "DK.EXC.LEAST": "30 calendar days",
    "DK.EXC.OPEN_ENDED": "True",
    "DK.EXC.OPEN_LEAST": "1 year",
    "DK.EXC.REGISTERS": "ROFUS",
    "DK.EXC.TIME_OUTS": "24 hours",
    "DK.RG.LIMIT.BASIS": "gross",
    "DK.RG.LIMIT.RAISE_WAIT": "24 hours",
    "DK.RG.LIMIT.SPANS": "day, week, month",
    "ES.EXC.REGISTERS": "RGIAJ",
    "ES.RG.LIMIT.BASIS": "gross",
    "ES.RG.LIMIT.DEFAULTS": "gross deposit 600.00 EUR a calendar day, "
    "gross deposit 1500.00 EUR a calendar week, "
    "gross deposit 3000.00 EUR a calendar month",
    "ES.RG.LIMIT.RAISE_STEPS": "test and 7 calendar days, history_review and 3 calendar days, then none for 3 months",
    "EU.CDD.GAMBLING_AMLD": "single or linked >= 2000.00 EUR",
    "EU.CDD.GAMBLING_AMLR": "single or linked >= 2000.00 EUR",
    "EU.EDD.PEP": "senior_management_approval, source_of_wealth, source_of_funds, closer_monitoring",
    "EU.EDD.PEP_AMLD": "senior_management_approval, source_of_wealth, source_of_funds, closer_monitoring",
    "EU.EDD.PEP_EXIT": "12 months",
    "EU.EDD.PEP_EXIT_AMLD": "12 months",
    "EU.EDD.RCA": "True",
    "EU.EDD.RCA_AMLD": "True",
    "EU.RET.IDENTITY": "5 years",
    "EU.RET.TRANSACTIONS": "5 years",
    "EU.REVIEW.EVENT": "at_once",
    "EU.REVIEW.HIGH": "12",
    "EU.REVIEW.OTHER": "60",
    "GB.CDD.CASINO_TX": "single or linked >= 2000.00 EUR",
    "GB.CDD.TRANSFER": {"single or linked >= 1000.00 EUR", "single or linked >= 800.00 GBP"},
    "GB.EDD.2026": "call_for_action_country, unusually_complex, unusually_large",
    "GB.EXC.ENDS": "on_request",
    "GB.EXC.LEAST": "6 months",
    "GB.EXC.MARKETING_AFTER": "opt_in",
    "GB.EXC.MARKETING_STOP": "2 calendar days",
    "GB.EXC.PERSISTS": "7 years",
    "GB.EXC.REGISTERS": "GAMSTOP",
    "GB.FVC": "net deposits > 150.00 GBP in rolling 30 calendar days",
    "GB.KYC.AGE": "18",
    "GB.KYC.IDENTITY_FRONT": "national_id, passport, driving_licence, residence_permit",
    "GB.KYC.ID_BEFORE_GAMBLE": "L2",
    "GB.KYC.NO_WITHDRAWAL_TRAP": "True",
    "GB.KYC.TELL_BEFORE_DEPOSIT": "True",
    "GB.RET.IDENTITY": "5 years",
    "GB.RET.TRANSACTIONS": "5 years",
    "GB.RG.LIMIT.BASIS": "gross",
    "GB.RG.LIMIT.INCREASE_COOLOFF": "24 hours",
    "GB.RG.LIMIT.SPANS": "day, week, month",
    "GB.RG.LIMIT.WINDOWS_DEPOSIT": "fixed",
    "GB.RG.LIMIT.WINDOWS_LOSS": "fixed, rolling",
    "GB.RG.LIMIT.WINDOWS_SESSION": "fixed, rolling",
    "GB.RG.LIMIT.WINDOWS_WAGER": "fixed, rolling",
    "IT.EXC.EARLY_RETURN": "False",
    "IT.EXC.ENDS": "by_itself",
    "IT.EXC.LEAST": "30 calendar days",
    "IT.EXC.OPEN_ENDED": "True",
    "IT.EXC.OPEN_LEAST": "6 months",
    "IT.EXC.REFLECTION_OPEN": "7 calendar days",
    "IT.EXC.REGISTERS": "RUA",
    "IT.EXC.TERMS": "30 calendar days, 60 calendar days, 90 calendar days",
    "IT.EXC.WITHDRAWALS": "True",
    "MT.CDD.2000": "deposits >= 2000.00 EUR, deposits >= 2000.00 EUR in rolling 180 calendar days",
    "MT.CDD.30D": "30 calendar days",
    "MT.EXC.DECISION_WITHIN": "7 calendar days",
    "MT.EXC.OPEN_ENDED": "True",
    "MT.EXC.REFLECTION": "24 hours",
    "MT.EXC.REFLECTION_OPEN": "7 calendar days",
    "MT.EXC.RETURN_CHANNELS": "written",
    "MT.EXC.SCOPES": "group, licensee",
    "MT.EXC.WITHDRAWALS": "True",
    "NL.EXC.EARLY_RETURN": "False",
    "NL.EXC.ENDS": "by_itself",
    "NL.EXC.LEAST": "6 months",
    "NL.EXC.LEAVE_AFTER": "6 months",
    "NL.EXC.REFLECTION": "8 calendar days",
    "NL.EXC.REGISTERS": "CRUKS",
    "NL.RG.LIMIT.CAP": "net deposit 700.00 EUR a calendar month, net deposit 300.00 EUR a calendar month below 24",
    "NL.RG.LIMIT.CONTACT": "gross deposit 350.00 EUR a calendar month, "
    "gross deposit 150.00 EUR a calendar month below 24",
    "NL.RG.LIMIT.MANDATORY": "deposit, session",
    "PCI.RET": "12 months",
    "SE.EXC.EARLY_RETURN": "False",
    "SE.EXC.ENDS": "by_itself",
    "SE.EXC.LEAST": "1 month",
    "SE.EXC.OPEN_ENDED": "True",
    "SE.EXC.OPEN_LEAST": "12 months",
    "SE.EXC.REGISTERS": "SPELPAUS",
    "SE.EXC.TERMS": "1 month, 3 months, 6 months",
    "SE.RG.LIMIT.BASIS": "gross",
    "SE.RG.LIMIT.CONTACT": "gross deposit 10000.00 SEK a calendar month",
    "SE.RG.LIMIT.MANDATORY": "deposit",
    "SE.RG.LIMIT.RAISE_AFTER_SPAN": "True",
    "SE.RG.LIMIT.RAISE_WAIT": "72 hours",
    "SE.RG.LIMIT.SPANS": "day, week, month",
    "TR.CDD.AMOUNT": "single or linked >= 185000.00 TRY",
    "TR.CDD.ONLINE_BET": "population_register, occupation, bank_contract, verification_transfer",
    "TR.CDD.PLAY_NEEDS": "L2",
    "TR.CDD.WIRE": "single or linked >= 15000.00 TRY",
    "TR.EXC.MARKETING_AFTER": "never",
    "TR.KYC.ADDRESS": "utility_bill, bank_statement, government_letter, residence_certificate, at most 90 days old",
    "TR.KYC.IDENTITY_FRONT": "national_id, passport, driving_licence, residence_permit",
    "TR.NO_SDD_FOREIGN_PEP": "foreign_pep, risky_transaction",
    "TR.RET.BOOKS": "8 years",
    "TR.RET.ERASURE_LOG": "3 years",
    "TR.RET.IDENTITY": "8 years",
    "TR.RET.PERIODIC": "6 months",
    "TR.RET.TRANSACTIONS": "8 years",
}
STATES = ("DE", "DK", "ES", "IT", "MT", "NL", "SE")


def said(rule):
    if isinstance(rule, EvidenceRule):
        age = f", at most {rule.max_age_days} days old" if rule.max_age_days else ""
        return ", ".join(rule.any_of) + age
    return ", ".join(str(value) for value in rule.value) if isinstance(rule.value, tuple) else str(rule.value)


def duties():
    found = {}
    for policy in book().versions.values():
        for _path, rule in policy.rules():
            if rule.modality in ("must", "should"):
                found.setdefault(rule.id, set()).add(said(rule))
    return found


def test_every_duty_is_written_here_and_says_the_same():
    expected = {name: value if isinstance(value, set) else {value} for name, value in DUTIES.items()}
    assert duties() == expected


@pytest.mark.parametrize("state", STATES)
def test_the_unions_law_holds_in_every_member_state(state):
    before, after = policy_for(state, on=date(2027, 7, 9)), policy_for(state, on=date(2027, 7, 10))
    assert before.version == f"{state}-2026-11-24+EU-2026-11-24"
    assert after.version == f"{state}-2026-11-24+EU-2027-07-10"
    assert before.thresholds.transaction.id == "EU.CDD.GAMBLING_AMLD"
    assert after.thresholds.transaction.id == "EU.CDD.GAMBLING_AMLR"
    assert before.enhanced.after_office.id == "EU.EDD.PEP_EXIT_AMLD"
    assert after.enhanced.after_office.value == Period(amount=12, unit="month")
    assert after.jurisdiction == state


def test_a_stricter_choice_of_the_operator_stays_beside_the_law():
    """Five years are the law for low risks; the operator's three protect more."""
    months = policy_for("MT", on=date(2027, 7, 10)).review.months
    assert {risk: (rule.value, rule.id) for risk, rule in months.items()} == {
        "low": (36, "OP.REVIEW_LOW"),
        "medium": (24, "OP.REVIEW_MEDIUM"),
        "high": (12, "EU.REVIEW.HIGH"),
    }


def test_both_at_once_is_pinned_and_read_again():
    policy = policy_for("MT", on=date(2026, 11, 22))
    assert policy_at(policy.version) is policy
    assert policy.sources.keys() >= {"M1", "E1", "operator"}
    assert len(policy.version) <= 40  # what a case has room for


def test_a_union_needs_no_union():
    assert policy_for("EU", on=date(2026, 11, 22)).version == "EU-2026-01-01"
    assert policy_for("GB", on=date(2026, 11, 22)).version == "GB-2026-11-22"


@pytest.mark.parametrize("state", STATES)
def test_no_value_of_a_union_of_laws_is_weaker_than_a_duty_of_either(state):
    both = policy_for(state, on=date(2027, 7, 10))
    parts = [policy_at(version) for version in both.version.split("+")]
    standing = dict(both.rules())
    compared = 0
    for part in parts:
        for path, duty in part.rules():
            if isinstance(duty, Rule) and duty.modality == "must" and duty.stricter_is != "none":
                assert at_least_as_strict(standing[path].value, duty), path
                compared += 1
    assert compared >= 8


@given(st.integers(1, 400), st.integers(1, 400), st.sampled_from(["greater", "less"]))
def test_the_stricter_of_two_numbers_wins_whoever_comes_first(one, other, stricter_is):
    like = policy_at("EU-2027-07-10")
    rules = [
        like.review.months["high"].model_copy(update={"value": n, "stricter_is": stricter_is}) for n in (one, other)
    ]
    policies = [
        like.model_copy(
            update={"review": like.review.model_copy(update={"months": {**like.review.months, "high": rule}})}
        )
        for rule in rules
    ]
    chosen = {strictest(order).review.months["high"].value for order in (policies, policies[::-1])}
    assert chosen == {max(one, other) if stricter_is == "greater" else min(one, other)}


@pytest.mark.parametrize(
    ("new", "old", "as_long"),
    [
        ((12, "month"), (1, "year"), True),
        ((366, "calendar_day"), (1, "year"), True),
        ((27, "calendar_day"), (1, "month"), False),
        ((48, "hour"), (2, "calendar_day"), True),
        ((30, "calendar_day"), (1, "month"), None),
        ((3, "year"), (37, "month"), False),
    ],
)
def test_periods_are_compared_only_where_every_calendar_agrees(new, old, as_long):
    like = policy_at("EU-2026-01-01").retention.identity_documents
    duty = like.model_copy(update={"value": Period(amount=old[0], unit=old[1])})
    period = Period(amount=new[0], unit=new[1])
    if as_long is None:
        with pytest.raises(Incomparable, match="write both in the same unit"):
            at_least_as_strict(period, duty)
    else:
        assert at_least_as_strict(period, duty) is as_long
