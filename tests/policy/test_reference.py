"""docs/reference/policy.md describes every key there is."""

from pathlib import Path

import pytest

from compliance.policy import schema
from compliance.policy.records import Provenance, Section, Threshold

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "policy.md").read_text(encoding="utf-8")
SECTIONS = [
    name
    for name, field in schema.Policy.model_fields.items()
    if isinstance(field.annotation, type) and issubclass(field.annotation, Section | schema.FourEyes)
]


def test_there_are_sections():
    assert SECTIONS == ["age", "verification", "thresholds", "review", "retention", "four_eyes"]


@pytest.mark.parametrize("section", SECTIONS)
def test_every_section_and_its_keys_are_described(section):
    assert f"## `{section}`\n" in PAGE
    described = PAGE.split(f"## `{section}`\n")[1].split("\n## ")[0]
    for key in schema.Policy.model_fields[section].annotation.model_fields:
        assert f"`{key}`" in described, key


@pytest.mark.parametrize("shape", [Provenance, schema.EvidenceRule, Threshold, schema.Condition])
def test_every_key_of_a_record_is_described(shape):
    for key in shape.model_fields:
        assert f"`{key}`" in PAGE, key


def test_every_purpose_is_described():
    assert ", ".join(schema.PURPOSES) in PAGE
