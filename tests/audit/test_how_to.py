"""docs/how-to/answer-an-auditor.md: its commands are run as they stand there."""

import re
import shlex
import shutil
import subprocess
import sys
from datetime import UTC, datetime

from django.core.management import call_command

from audit.queries import standing
from audit.verifier import open_sealed, verify
from compliance.embedded.environment import ROOT
from tests.audit.bundling import CASE, CUSTOMER
from tests.audit.conftest import Process
from tests.waiting import wait_until

PAGE = (ROOT / "docs" / "how-to" / "answer-an-auditor.md").read_text()


def test_every_command_works_as_written(house, tmp_path, monkeypatch, settings):
    settings.LOG_KEY_DIR = house.keys
    blocks = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
    commands = [shlex.split(line) for block in blocks for line in block.splitlines()]
    assert len(commands) == 8
    monkeypatch.chdir(tmp_path)
    for program in (verify, open_sealed):
        shutil.copy(program.__file__, tmp_path)
    house.write(5, matter=CASE, subject=CUSTOMER, note="what nobody reads")
    process = Process(house)
    try:
        wait_until(lambda: (now := standing()).alive and not now.waiting and now.signed_size == now.size)
        public = said = ""
        for command in commands:
            if command[:2] == ["python", "manage.py"]:
                call_command(*[public if word == "PUBLIC_KEY" else this_year(word) for word in command[2:]])
            else:
                said = run_outside(command, (house.keys / "main.vkey").read_text().strip())
                public = said if "new-key" in command else public
    finally:
        process.end()
    assert said.count("what nobody reads") == 5


def this_year(word):
    """The page's days, in the year of this run."""
    return re.sub(r"^\d{4}(?=-\d\d-\d\d$)", str(datetime.now(UTC).year), word)


def run_outside(command, vkey):
    """What it says; it must succeed."""
    if "--vkey" in command:
        command[command.index("--vkey") + 1] = vkey
    done = subprocess.run([sys.executable, *command[1:]], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()
