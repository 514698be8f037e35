"""What the documentation points at exists: files, commands, states."""

import re
from argparse import _SubParsersAction

import pytest
from django.core.management import get_commands, load_command_class

from cases.types.verification.models import Verification
from compliance.embedded.environment import ROOT

PACKAGES = ("audit", "cases", "compliance", "documents", "tests", "texts")
PAGES = sorted(
    [
        *ROOT.glob("*.md"),
        *ROOT.glob("docs/**/*.md"),
        *(page for package in PACKAGES for page in ROOT.glob(f"{package}/**/README.md")),
    ]
)
LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)#\s]+)")
COMMAND = re.compile(r"manage(?:\.py)? (?:--data \S+ )?([a-z]+)(?: ([a-z]+(?:-[a-z]+)*))?")
every_page = pytest.mark.parametrize("document", PAGES, ids=lambda document: str(document.relative_to(ROOT)))


def spoken(page):
    """The commands of a page: in code only, because `manage` is also a word; comments in it are prose."""
    text = re.sub(r" # .*", "", page.read_text())
    code = [
        *re.findall(r"```.*?```", text, re.DOTALL),
        *re.findall(r"`[^`\n]+`", re.sub(r"```.*?```", "", text, flags=re.DOTALL)),
    ]
    return {found.groups() for piece in code for found in COMMAND.finditer(piece)}


def verbs_of(noun):
    """The verbs of one of our commands; empty for a command without verbs."""
    parser = load_command_class(get_commands()[noun], noun).create_parser("manage.py", noun)
    subparsers = [action for action in parser._actions if isinstance(action, _SubParsersAction)]
    return {verb for action in subparsers for verb in action.choices}


def test_there_are_pages_with_links_and_commands():
    assert [page for page in PAGES if LINK.search(page.read_text())]
    assert ("cases", "open-queue") in spoken(ROOT / "docs" / "how-to" / "run.md")


@every_page
def test_every_link_leads_to_a_file(document):
    assert [link for link in LINK.findall(document.read_text()) if not (document.parent / link).exists()] == []


@every_page
def test_every_command_exists(document):
    unknown = [
        f"{noun} {verb or ''}"
        for noun, verb in spoken(document)
        if noun not in get_commands() or (verb and (verbs := verbs_of(noun)) and verb not in verbs)
    ]
    assert unknown == []


def test_the_machine_of_a_verification_is_drawn_with_its_states_and_moves():
    """The drawing names every state and no other; the table has a row for every move and no other."""
    page = (ROOT / "cases" / "types" / "verification" / "README.md").read_text()
    drawing = re.search(r"```\n(.*?)```", page, re.DOTALL).group(1)
    without_moves = re.sub(r"──.*?──>", " ", re.sub(r"\(.*?\)", "", drawing))
    assert set(re.findall(r"[a-z_]+", without_moves)) == set(Verification.State.values)
    moves = {move.name for move in Verification._meta.get_field("state").get_all_transitions(Verification)}
    assert set(re.findall(r"^\| ([a-z_]+) \|", page, re.MULTILINE)) - {"move"} == moves
