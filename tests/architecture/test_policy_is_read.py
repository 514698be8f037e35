"""A rule in a policy file that no code reads is a lie: every field of every part of a policy is read by the product."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest
from pydantic import BaseModel

from compliance.policy.book import book
from compliance.policy.limits import Ceiling, RaiseStep
from compliance.policy.marker_rules import ActAt, Marker
from compliance.policy.records import Period, Provenance, Rule, Section, Threshold
from compliance.policy.risk_model import Factor, Levels, RiskModel
from compliance.policy.schema import Condition, EvidenceRule, FourEyes, Level, OnePerson, Policy, TwoPersons

ROOT = Path(__file__).parents[2]
LOADING = ("compliance/policy/", "compliance/rulebook/labels.py")  # reads, checks and names rules; obeys none
# What only says where a rule comes from is shown on the page of rules and obeyed by the loading itself.
# `sides`: which side a purpose judges is in the purpose's own name (identity_front, identity_back).
INFORMATION = {*Provenance.model_fields, "title", "why", "text", "sides"}
# Obeyed inside the floor of policy: `need_two` answers by them, the sums of markers and risk are made there.
ANSWERED_BY_THE_FLOOR = {Condition, TwoPersons, OnePerson, FourEyes, Factor, Levels, RiskModel, Period}


def sections():
    """(section, class) for every part whose rules may be absent."""
    parts = {name: field.annotation for name, field in Policy.model_fields.items()}
    return {name: part for name, part in parts.items() if isinstance(part, type) and issubclass(part, Section)}


@cache
def names_in_the_product():
    """By file: the attributes and the words that stand in its code."""
    found = {}
    for top in ("audit", "cases", "compliance", "documents"):
        for path in (ROOT / top).rglob("*.py"):
            place = path.relative_to(ROOT).as_posix()
            if place.startswith(LOADING) or "/migrations/" in place:
                continue
            nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
            attributes = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
            named = {node.id for node in nodes if isinstance(node, ast.Name)}
            words = {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}
            found[place] = (attributes, attributes | words, named)
    return found


def readers(section, part, field):
    """Files that have the section at hand, by its name or its class, and name the field or the question about it."""
    return [
        place
        for place, (attributes, all_words, named) in names_in_the_product().items()
        if (section in attributes or part.__name__ in named) and {field, f"{field}_of"} & all_words
    ]


@pytest.mark.parametrize(
    ("section", "field"), [(section, field) for section, part in sections().items() for field in part.model_fields]
)
def test_every_rule_of_every_section_is_read_outside_of_the_loading(section, field):
    assert readers(section, sections()[section], field), f"{section}.{field}: nothing in the product obeys this rule"


RECORDS = (Policy, Level, EvidenceRule, Threshold, Ceiling, RaiseStep, Marker, ActAt)


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.__name__)
def test_every_field_of_a_record_is_read_outside_of_the_loading(record):
    everywhere = set().union(*(words for _attributes, words, _named in names_in_the_product().values()))
    unread = {field for field in record.model_fields if field not in INFORMATION} - everywhere
    assert unread == set()


def test_no_record_is_forgotten():
    reached, waiting = set(), [Policy]
    while waiting:
        one = waiting.pop()
        if one in reached:
            continue
        reached.add(one)
        waiting += [part for field in one.model_fields.values() for part in _models(field.annotation)]
    rules = {one for one in reached if issubclass(one, Rule)}
    known = {*RECORDS, *ANSWERED_BY_THE_FLOOR, *sections().values()}
    assert {one.__name__ for one in reached - rules - known} <= {"Words"}


def _models(annotation):
    found = [annotation] if isinstance(annotation, type) and issubclass(annotation, BaseModel) else []
    metadata = getattr(annotation, "__pydantic_generic_metadata__", {})
    inner = (*getattr(annotation, "__args__", ()), *metadata.get("args", ()))
    return found + [model for part in inner for model in _models(part)]


def test_every_rule_of_every_version_is_named_by_a_test():
    """A rule whose id no test says is one of which nobody shows that it does anything."""
    said = set()
    for path in (ROOT / "tests").rglob("*.py"):
        said |= set(re.findall(r"\b[A-Z]{2,3}(?:\.[A-Z0-9_]+)+\b", path.read_text(encoding="utf-8")))
    rules = {rule.id for policy in book().versions.values() for _path, rule in policy.rules()}
    assert len(rules) > 150
    assert rules - said == set()
