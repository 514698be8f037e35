"""What is written into the log is declared, and reads as a sentence in both languages."""

import ast
from pathlib import Path

import pytest
from django.utils import translation

from audit.registry import actions

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("audit", "compliance", "documents", "cases")
WRITERS = {"record", "record_refusal", "require"}


def names_written():
    for package in PACKAGES:
        for file in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text())):
                if isinstance(node, ast.Call) and getattr(node.func, "id", "") in WRITERS and node.args:
                    first = node.args[0]
                    if isinstance(first, ast.Constant) and isinstance(first.value, str) and "." in first.value:
                        yield first.value, f"{file.relative_to(ROOT)}:{node.lineno}"


def test_every_action_written_is_declared():
    written = list(names_written())
    assert len(written) > 15
    assert [place for name, place in written if name not in actions()] == []


@pytest.mark.parametrize("name", sorted(actions()))
def test_every_action_reads_as_a_sentence_in_turkish(name):
    sentence = actions()[name].sentence
    with translation.override("en"):
        english = str(sentence)
    with translation.override("tr"):
        turkish = str(sentence)
    assert english and turkish
    assert turkish != english, f"{name}: {english!r} has no Turkish sentence in locale/tr"
