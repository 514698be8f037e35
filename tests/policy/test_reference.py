"""docs/reference/policy.md describes every key there is."""

from datetime import date
from pathlib import Path

import pytest

from compliance.policy import policy_for, schema
from compliance.policy.book import book
from compliance.policy.limits import Ceiling, RaiseStep
from compliance.policy.records import Provenance, Section, Threshold

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "policy.md").read_text(encoding="utf-8")
SECTIONS = [
    name
    for name, field in schema.Policy.model_fields.items()
    if isinstance(field.annotation, type) and issubclass(field.annotation, Section | schema.FourEyes)
]


def test_there_are_sections():
    assert SECTIONS == [
        "age",
        "verification",
        "thresholds",
        "enhanced",
        "review",
        "quality",
        "exclusions",
        "limits",
        "retention",
        "four_eyes",
    ]


@pytest.mark.parametrize("section", SECTIONS)
def test_every_section_and_its_keys_are_described(section):
    assert f"## `{section}`\n" in PAGE
    described = PAGE.split(f"## `{section}`\n")[1].split("\n## ")[0]
    for key in schema.Policy.model_fields[section].annotation.model_fields:
        assert f"`{key}`" in described, key


def test_the_periods_by_jurisdiction_are_those_in_force():
    table = PAGE.split("What there is, by jurisdiction")[1].split("\n\n")[1]
    rows = [line.split("|")[1:-1] for line in table.splitlines()]
    names = [cell.strip(" `") for cell in rows[0][1:]]
    told = {
        place: dict(zip(names, (cell.strip() for cell in cells), strict=True))
        for where, *cells in rows[2:]
        for place in where.strip().split(", ")
    }
    assert told == {
        place: {name: str(getattr(now.retention, name).value) if now.retention.known(name) else "-" for name in names}
        for place in book().by_jurisdiction
        for now in [policy_for(place, on=date(2026, 11, 22))]
    }


@pytest.mark.parametrize("shape", [Provenance, schema.EvidenceRule, Threshold, schema.Condition, Ceiling, RaiseStep])
def test_every_key_of_a_record_is_described(shape):
    for key in shape.model_fields:
        assert f"`{key}`" in PAGE, key


def test_every_purpose_is_described():
    assert ", ".join(schema.PURPOSES) in PAGE
