"""The README's steps work, and it leaves nothing out."""

import re
import shlex
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

from django.core.management import call_command

from audit import verify as inside
from audit.anchors import checking
from audit.queries import standing
from audit.verifier import verify as outside
from tests.audit.conftest import Process
from tests.waiting import wait_until

README = (Path(inside.__file__).parent / "README.md").read_text()
CASE = "KYC-26-004813-9"


def test_how_to_check_this_log_without_us(house, tmp_path, monkeypatch, settings):
    """Each command of the chapter is run as it stands there, in order, with this log's key, entry, size and day."""
    settings.LOG_KEY_DIR = house.keys
    chapter = README.partition("## How to check this log without us")[2].partition("\n## ")[0]
    monkeypatch.chdir(tmp_path)
    first = house.write(5, matter=CASE)[0]
    process = Process(house)
    try:
        wait_until(lambda: standing().alive)
        shutil.copy(outside.__file__, "verify.py")
        here = {"ENTRY_ID": str(first), "2026-01-01": today(), "2026-03-31": today()}
        # Between the second and the third block: take the checkpoint out of the bundle, and wait for next year.
        asked, checked, again, *rest = re.findall(r"```\n\s*(.*?)\n\s*```", chapter)
        run(asked, here)
        run(checked, here)
        subprocess.run([sys.executable, "-m", "zipfile", "-e", "bundle.zip", "unpacked"], check=True)
        shutil.copy("unpacked/checkpoint", "checkpoint")
        here["SIZE"] = Path("checkpoint").read_text().split("\n")[1]
        house.write(5, matter=CASE)
        run(asked.replace("bundle.zip", "next.zip"), here)
        for command in (again, *rest):
            run(command, here)
        for made in ("everything", "quarter.zip", f"{first}.tlog-proof", f"{here['SIZE']}.continues"):
            assert Path(made).exists(), "a command of the chapter was not run"
    finally:
        process.end()


def today():
    return datetime.now(UTC).date().isoformat()


def run(command, here):
    for name, value in here.items():
        command = command.replace(name, value)
    words = shlex.split(command)
    if words[:3] == ["python", "manage.py", "audit"]:
        call_command(*words[2:])
        return
    assert words[:2] == ["python3", "verify.py"]
    words[words.index("--vkey") + 1] = standing().vkey
    assert subprocess.run([sys.executable, *words[1:]]).returncode == 0, command


def test_every_finding_is_explained():
    source = Path(inside.__file__).read_text()
    named = set(re.findall(r'_add\(\s*"(\w+)"', source)) | set(re.findall(r'report\.add\(\s*"(\w+)"', source))
    named |= set(re.findall(r'Said\(\s*"(\w+)"', Path(checking.__file__).read_text()))
    assert len(named) > 15
    assert [name for name in sorted(named) if f"`{name}`" not in README] == []
