"""The systemd units: what the pages name is delivered, and what the units start exists."""

import re
import shlex

import pytest
from django.core.management import get_commands, load_command_class

from compliance.embedded.environment import ROOT

UNITS = ROOT / "deploy" / "systemd"


def test_every_unit_that_a_page_names_is_delivered():
    named = {
        name
        for page in (ROOT / "docs").rglob("*.md")
        for name in re.findall(r"\bmizan-?[a-z]*\.(?:service|timer|target)\b", page.read_text())
    }
    assert {"mizan-rotate.timer", "mizan-retention.timer"} <= named
    assert named - {path.name for path in UNITS.iterdir()} == set()


def test_every_timer_starts_a_service():
    timers = list(UNITS.glob("*.timer"))
    assert timers and all(path.with_suffix(".service").exists() for path in timers)


def starts():
    for path in sorted(UNITS.glob("*.service")):
        for line in re.findall(r"^ExecStart=\S+ manage\.py (.+)$", path.read_text(), re.MULTILINE):
            yield pytest.param(shlex.split(line), id=f"{path.stem}: {line}")


@pytest.mark.parametrize("words", list(starts()))
def test_every_command_that_a_unit_starts_exists(words):
    name, *arguments = words
    command = load_command_class(get_commands()[name], name)
    command.create_parser("manage.py", name).parse_args(arguments)
