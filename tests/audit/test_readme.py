"""The README's steps work, and it leaves nothing out."""

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

from django.core.management import call_command

from audit import verify as inside
from audit.anchors import checking
from audit.queries import standing
from audit.verifier import verify as outside
from tests.audit.conftest import Process, wait_until

README = (Path(inside.__file__).parent / "README.md").read_text()
CASE = "KYC-26-004813-9"


def test_how_to_check_this_log_without_us(house, tmp_path, monkeypatch, settings):
    """Each command of the chapter is run as it stands there, with this log's key in the place of the example's."""
    settings.LOG_KEY_DIR = house.keys
    chapter = README.partition("## How to check this log without us")[2].partition("\n## ")[0]
    asked, checked, again = (shlex.split(block) for block in re.findall(r"```\n\s*(.*?)\n\s*```", chapter))
    monkeypatch.chdir(tmp_path)
    house.write(5, matter=CASE)
    process = Process(house)
    try:
        wait_until(lambda: standing().alive)
        vkey = (house.keys / "main.vkey").read_text().strip()
        shutil.copy(outside.__file__, "verify.py")

        assert asked[:3] == ["python", "manage.py", "audit"]
        call_command(*asked[2:])
        assert run(checked, vkey) == 0

        subprocess.run([sys.executable, "-m", "zipfile", "-e", "bundle.zip", "unpacked"], check=True)
        shutil.copy("unpacked/checkpoint", "checkpoint")
        house.write(5, matter=CASE)
        call_command(*asked[2:-1], "next.zip")
        assert run(again, vkey) == 0
    finally:
        process.end()


def run(command, vkey):
    command[0] = sys.executable
    command[command.index("--vkey") + 1] = vkey
    return subprocess.run(command).returncode


def test_every_finding_is_explained():
    source = Path(inside.__file__).read_text()
    named = set(re.findall(r'_add\(\s*"(\w+)"', source)) | set(re.findall(r'report\.add\(\s*"(\w+)"', source))
    named |= set(re.findall(r'Said\(\s*"(\w+)"', Path(checking.__file__).read_text()))
    assert len(named) > 15
    assert [name for name in sorted(named) if f"`{name}`" not in README] == []
