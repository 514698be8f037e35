"""What is written into the log is declared, and reads as a sentence in both languages."""

import ast
from pathlib import Path

import pytest
from django.utils import translation

from audit.registry import actions
from tests.architecture import callers
from tests.architecture.machines import machines, moves_of

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


def owners():
    """The package of each machine, by the word that starts its actions."""
    return {model.audit_prefix: model.__module__.rpartition(".")[0] for model in machines()}


def is_written(name):
    """Named by code that can run; or a move that such code of the machine's own package performs."""
    if name in callers.actions_named():
        return True
    prefix, _dot, move = name.rpartition(".")
    moves = {each.name for model in machines() if model.audit_prefix == prefix for each in moves_of(model)}
    return move in moves and move in callers.moves_made(owners()[prefix])


@pytest.mark.parametrize("name", sorted(actions()))
def test_every_action_declared_is_written_by_code_that_can_run(name):
    """From a door, a start-up or a command. An action without a caller says that a promise has no way in."""
    assert is_written(name), f"{name} is declared, and nothing that runs writes it: give it its way in, or remove it"


def test_what_nothing_reaches_is_seen_as_not_written():
    """Else the test above could not fail."""
    assert not is_written("cases.invented")
    assert not is_written("verification.invented")
    assert len(callers.actions_named()) > 60
