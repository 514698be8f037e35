"""The data itself: where every rule comes from, and what every jurisdiction must say."""

import pytest

from compliance.policy import PolicyMissing, PolicyNotVerified, policy_at
from compliance.policy.book import book
from compliance.policy.records import Section
from compliance.policy.schema import DOCUMENTS, PURPOSES, Policy

VERSIONS = list(book().versions.values())
every_version = pytest.mark.parametrize("policy", VERSIONS, ids=lambda policy: policy.version)


@every_version
def test_every_rule_says_where_it_comes_from(policy):
    rules = dict(policy.rules())
    assert len(rules) > 20
    for path, rule in rules.items():
        assert policy.sources[rule.source], path
        assert rule.confidence in ("P", "S", "GK", "INF"), path
        assert rule.last_verified <= rule.last_verified.today(), path


@every_version
def test_what_the_law_demands_was_read_somewhere(policy):
    duties = [rule for _path, rule in policy.rules() if rule.modality in ("must", "should")]
    assert duties
    assert {rule.confidence for rule in duties} <= {"P", "S"}
    assert "operator" not in {rule.source for rule in duties}


@every_version
def test_every_source_is_used(policy):
    used = {
        rule.source
        for version in VERSIONS
        if version.jurisdiction == policy.jurisdiction
        for _, rule in version.rules()
    }
    # What a later version read besides is no source of an older one.
    assert set(policy.sources) <= used


@every_version
def test_the_levels_rise(policy):
    levels = list(policy.verification.levels.items())
    assert [name for name, _level in levels] == ["L0", "L1", "L2", "L3"]
    purposes = [{item.purpose for item in level.required} for _name, level in levels]
    assert purposes[0] == set()
    assert all(lower < higher for lower, higher in zip(purposes, purposes[1:], strict=False))


@every_version
def test_a_passport_has_no_back(policy):
    back = next(item for item in policy.verification.levels["L1"].required if item.purpose == "identity_back")
    assert "passport" in back.waived_by
    assert "passport" not in back.any_of


@every_version
def test_a_proof_of_address_has_an_age(policy):
    address = next(item for item in policy.verification.levels["L2"].required if item.purpose == "address")
    assert address.max_age_days == 90


@every_version
def test_every_jurisdiction_covers_the_sections(policy):
    assert {"approve", "reject", "reopen"} <= {act.removeprefix("verification.") for act in policy.four_eyes.acts}
    assert policy.verification.review_hours.value > 0
    assert policy.verification.answer_days.value > 0
    assert policy.verification.when_unanswered.value == "lapse"
    assert policy.verification.play_needs.value in policy.verification.levels
    assert policy.age.minimum.value >= 18


def test_the_numbers_are_those_of_the_sources():
    tr, gb = policy_at("TR-2026-02-01"), policy_at("GB-2026-06-30")
    assert str(tr.thresholds.transaction.value) == "single or linked >= 185000.00 TRY"
    assert str(tr.thresholds.transfer.value) == "single or linked >= 15000.00 TRY"
    assert str(gb.thresholds.transfer.value) == "single or linked >= 800.00 GBP"
    assert str(gb.thresholds.financial_vulnerability.value) == "net deposits > 150.00 GBP in rolling 30 calendar days"
    assert str(tr.retention.identity_documents.value) == "8 years"


@pytest.mark.parametrize(
    ("version", "section", "name"),
    [
        ("GB-2026-06-30", "thresholds", "transaction"),
        ("GB-2026-06-30", "retention", "identity_documents"),
        ("GB-2026-06-30", "verification", "before_service"),
        ("TR-2026-02-01", "thresholds", "financial_vulnerability"),
    ],
)
def test_nobody_computes_with_what_nobody_verified(version, section, name):
    part = getattr(policy_at(version), section)
    assert not part.known(name)
    with pytest.raises(PolicyNotVerified, match=name):
        getattr(part, name)


def test_a_rule_that_a_new_version_dropped_is_still_in_the_old_one():
    assert policy_at("GB-2025-02-28").thresholds.transaction.value.currency == "EUR"


def test_an_unknown_level_names_the_known_ones():
    with pytest.raises(PolicyMissing, match="L0, L1, L2, L3"):
        policy_at("TR-2026-02-01").verification.level("L9")


@every_version
def test_a_policy_is_frozen(policy):
    with pytest.raises(ValueError, match="frozen"):
        policy.name = "Elsewhere"
    with pytest.raises(ValueError, match="frozen"):
        policy.age.minimum.value = 16
    with pytest.raises(TypeError, match="frozen"):
        policy.verification.levels["L9"] = policy.verification.levels["L0"]
    with pytest.raises(TypeError, match="frozen"):
        del policy.four_eyes.acts["verification.approve"]


@every_version
def test_the_digest_tells_one_content_from_another(policy):
    assert policy.digest == Policy.model_validate(policy.model_dump()).digest
    assert policy.digest != policy.model_copy(update={"note": "another"}).digest
    assert len({version.digest for version in VERSIONS}) == len(VERSIONS)


def test_every_section_of_optional_rules_refuses_to_answer_with_nothing():
    sections = [field.annotation for field in Policy.model_fields.values() if isinstance(field.annotation, type)]
    guarded = [section for section in sections if issubclass(section, Section)]
    assert {section.__name__ for section in guarded} == {
        "Age",
        "Verification",
        "Thresholds",
        "Enhanced",
        "Review",
        "Quality",
        "Exclusions",
        "Limits",
        "Retention",
    }


def test_evidence_and_documents_have_names_for_players():
    """Names are in texts/names.toml; the policy may ask for nothing that has none."""
    asked = {
        item.purpose for policy in VERSIONS for level in policy.verification.levels.values() for item in level.required
    }
    offered = {
        document
        for policy in VERSIONS
        for level in policy.verification.levels.values()
        for item in level.required
        for document in (*item.any_of, *item.waived_by)
    }
    assert asked <= set(PURPOSES)
    assert offered <= set(DOCUMENTS)
