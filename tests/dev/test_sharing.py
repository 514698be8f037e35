"""Two runs that share the suite out run every test once."""

import os
import re
import subprocess
import sys

from compliance.embedded.environment import ROOT
from tests.waiting import PATIENCE

MODULES, TESTS = 12, 5


def a_run(suite, claims):
    environment = dict(os.environ) | {"MIZAN_TEST_SHARE": str(claims), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "pytest", "-p", "tests.sharing", "-p", "no:django", "-c", "/dev/null", "-v", suite]
    return subprocess.Popen(command, cwd=suite, env=environment, stdout=subprocess.PIPE, text=True)


def test_every_test_runs_in_exactly_one_of_two_runs(tmp_path):
    suite, claims = tmp_path / "suite", tmp_path / "claims"
    claims.mkdir()
    for module in range(MODULES):
        folder = suite / f"part_{module // 2}"  # a run that skips a whole folder leaves nothing of the one before
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "__init__.py").touch()
        tests = [f"def test_{number}():\n    import time; time.sleep(0.01)\n" for number in range(TESTS)]
        (folder / f"test_{module}.py").write_text("".join(tests))
    runs = [a_run(suite, claims) for _ in range(2)]
    ran = [re.findall(r"^(\S+::test_\d+) PASSED", run.communicate(timeout=PATIENCE)[0], re.MULTILINE) for run in runs]
    assert [run.returncode for run in runs] == [0, 0]
    assert len(set(ran[0] + ran[1])) == len(ran[0] + ran[1]) == MODULES * TESTS
