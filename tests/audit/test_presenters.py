"""Every action reads as a sentence, with every fact it names, in every language."""

import string

import pytest
from django.utils import translation

from audit.presenters import sentence_of
from audit.registry import Kept, actions
from audit.words import FIELDS, field_word

GIVEN = {"actor", "object", "matter", "reason"}


def facts_of(action):
    """An entry with every public fact of the action; values that no sentence holds by itself."""
    public = {name for name, kept in action.fields.items() if kept is Kept.PUBLIC}
    return {
        "action": action.name,
        "actor": {"t": "staff", "id": "1"},
        "object": {"t": "thing", "id": "2"},
        "matter": "KYC-26-004813-9",
        "reason": {"code": "zz_reason"},
        "data": {name: f"zz_{name}" for name in public},
    }


@pytest.mark.parametrize("language", ["en", "tr"])
@pytest.mark.parametrize("name", sorted(actions()))
def test_nothing_of_a_sentence_stays_empty(name, language):
    action = actions()[name]
    with translation.override(language):
        said = sentence_of(facts_of(action), actor="Alice", about="something", known={})
        used = {part for _, part, _, _ in string.Formatter().parse(str(action.sentence)) if part}
    assert "…" not in said
    assert "{" not in said
    for part in used:
        assert {"actor": "Alice", "object": "something", "matter": "KYC-26-004813-9"}.get(part, f"zz_{part}") in said


def test_a_sentence_names_only_what_everybody_may_read():
    for action in actions().values():
        public = {name for name, kept in action.fields.items() if kept is Kept.PUBLIC}
        for language in ("en", "tr"):
            with translation.override(language):
                parts = {part for _, part, _, _ in string.Formatter().parse(str(action.sentence)) if part}
            assert parts <= public | GIVEN, action.name


def test_fields_read_in_words():
    with translation.override("tr"):
        assert field_word("assignee_id") == "sorumlu"
        assert field_word("of_no_package") == "of no package"
        assert not [name for name in FIELDS if "_" in field_word(name)]
