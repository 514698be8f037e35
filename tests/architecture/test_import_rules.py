"""The import rules of pyproject.toml hold, and each of them breaks on a planted violation."""

import shutil
import subprocess
from pathlib import Path

import pytest

from compliance.embedded.environment import PYTHON, ROOT

PACKAGES = ("audit", "cases", "compliance", "documents")

# Rule, file that breaks it, what is planted there.
VIOLATIONS = [
    ("Packages import down only", "documents/services.py", "import cases.services"),
    ("Packages import down only", "audit/record.py", "import compliance.keys.services"),
    ("Packages import down only", "compliance/people/services.py", "import documents.services"),
    ("Inside compliance", "compliance/keys/services.py", "import compliance.people.models"),
    ("Inside compliance", "compliance/policy/planted.py", "import compliance.outbox.services"),
    ("The project modules name", "compliance/settings.py", "import compliance.people.models"),
    ("The launcher imports nothing of ours", "compliance/embedded/postgres.py", "import audit.record"),
    ("Nothing of the product imports the launcher", "documents/services.py", "import compliance.embedded.postgres"),
    ("the demo and the portal above the kinds", "cases/types/verification/services.py", "import cases.portal.pages"),
    ("the engine knows no kind", "cases/services.py", "import cases.types.verification.services"),
    ("Nothing imports the demo or the portal", "cases/services.py", "import cases.portal.pages"),
    ("Nothing imports the demo or the portal", "cases/services.py", "import cases.demo.seed"),
    ("Kinds of case are strangers", "cases/types/planted/rules.py", "import cases.types.verification.rules"),
    ("Inside gaming", "cases/types/gaming/limits/services.py", "import cases.types.gaming.services"),
    ("Nothing imports a door", "documents/services.py", "import documents.tasks"),
    ("Nothing imports a door", "cases/services.py", "from cases import views"),
    ("Nothing imports a door", "compliance/outbox/services.py", "import compliance.outbox.management.planted"),
]


def lint(tree):
    command = [PYTHON, "-c", "from importlinter.cli import lint_imports_command; lint_imports_command()", "--no-cache"]
    return subprocess.run(command, cwd=tree, capture_output=True, text=True)


@pytest.fixture(scope="module")
def clean_tree(tmp_path_factory):
    """A copy of the source in which every module that a violation names exists."""
    tree = tmp_path_factory.mktemp("source")
    for name in PACKAGES:
        shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tree)
    named = [Path(file) for _, file, _ in VIOLATIONS]
    named += [
        Path("cases/portal/pages.py"),
        Path("cases/types/gaming/services.py"),
        Path("documents/tasks.py"),
        Path("compliance/outbox/management/planted.py"),
    ]
    for file in named:
        for package in reversed(file.parents[:-1]):
            (tree / package).mkdir(exist_ok=True)
            (tree / package / "__init__.py").touch()
        if not (tree / file).with_suffix("").is_dir():
            (tree / file).touch()
    return tree


def test_the_source_keeps_every_rule(clean_tree):
    done = lint(clean_tree)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(("rule", "file", "planted"), VIOLATIONS)
def test_a_planted_violation_is_found(clean_tree, rule, file, planted):
    target = clean_tree / file
    if not target.exists():
        target = target.with_suffix("") / "__init__.py"
    clean = target.read_text()
    target.write_text(clean + f"\n{planted}\n")
    try:
        done = lint(clean_tree)
    finally:
        target.write_text(clean)
    broken = [line.removesuffix(" BROKEN") for line in done.stdout.splitlines() if line.endswith(" BROKEN")]
    assert done.returncode == 1
    assert any(rule in name for name in broken), done.stdout


def test_every_rule_has_a_planted_violation():
    rules = [
        line.split('"')[1] for line in (ROOT / "pyproject.toml").read_text().splitlines() if line.startswith('name = "')
    ]
    unproved = [name for name in rules if name != "mizan" and not any(rule in name for rule, _, _ in VIOLATIONS)]
    assert unproved == []
