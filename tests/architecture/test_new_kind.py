"""What cases/README.md says of a new kind holds: copy the folder, add a line, run the tests: they name what is missing.

A throw-away kind is made that way beside the real ones, in a tree of links, and asked by processes of their own.
"""

import os
import re
import shutil
import subprocess
import sys

import pytest
from django.conf import settings

from tests.waiting import PATIENCE

BASE = settings.BASE_DIR
NAMES = {"verification": "pondering", "Verification": "Pondering", "VERIFICATION": "PONDERING", "KYC": "PON"}
ASK = """
import django; django.setup()
from django.urls import reverse
from audit.registry import actions
from cases import kinds
from compliance.proposals import acts
kind = kinds.lookup("pondering")
print(kind.prefix, kind.model.__name__, reverse(kind.new_url))
print(sorted(name for name in acts.acts() if name.startswith("pondering.")))
print(sorted(name for name in actions() if name.startswith("pondering.")))
"""


def renamed(text):
    for old, new in NAMES.items():
        text = text.replace(old, new)
    return text


@pytest.fixture
def tree(tmp_path):
    """The project by links, with one kind more: a copy of the folder under another word, and one line of settings."""
    folder = tmp_path / "project"
    links(BASE, folder, but={"cases", "compliance"})
    links(BASE / "compliance", folder / "compliance", but={"settings.py"})
    links(BASE / "cases", folder / "cases", but={"types"})
    links(BASE / "cases" / "types", folder / "cases" / "types", but=set())
    source = BASE / "cases" / "types" / "verification"
    for path in source.rglob("*.py"):
        if path.name == "previews.py":  # shows what a change of the policy's evidence rules does: there is one such
            continue
        place = folder / "cases" / "types" / "pondering" / renamed(str(path.relative_to(source)))
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(renamed(path.read_text()).replace('import_module(f"{self.name}.previews")', "pass"))
    before = (BASE / "compliance" / "settings.py").read_text()
    line = '    "cases.types.verification",\n'
    assert before.count(line) == 1
    (folder / "compliance" / "settings.py").write_text(before.replace(line, line + renamed(line)))
    return folder


def links(source, folder, but):
    folder.mkdir(parents=True)
    for path in source.iterdir():
        if path.name not in but | {"__pycache__", ".git"}:
            (folder / path.name).symlink_to(path)


def run(tree, *arguments):
    env = os.environ | {"PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        [sys.executable, *arguments], cwd=tree, env=env, capture_output=True, text=True, timeout=PATIENCE, check=False
    )


def test_a_copied_folder_and_one_line_make_a_kind(tree):
    done = run(tree, "-c", ASK)
    assert done.returncode == 0, done.stderr[-3000:]
    first, proposed, recorded = done.stdout.splitlines()[-3:]
    assert first == "PON Pondering /cases/new/pondering/"
    assert "pondering.approve" in proposed
    assert "pondering.approve" in recorded


@pytest.mark.slow  # pytest starts once more
def test_the_tests_name_what_the_new_kind_still_lacks(tree):
    done = run(tree, "-m", "pytest", "tests/architecture/test_retention.py", "-vv", "-p", "no:cacheprovider")
    assert done.returncode == 1, done.stdout[-2000:] + done.stderr[-2000:]
    assert re.search(r"pondering\.PonderingFacts", done.stdout)
    assert "documents/retention.py" in done.stdout


def test_without_the_line_there_is_no_such_kind(tree):
    shutil.copy(BASE / "compliance" / "settings.py", tree / "compliance" / "settings.py")
    done = run(tree, "-c", ASK)
    assert done.returncode != 0
    assert "pondering" in done.stderr
