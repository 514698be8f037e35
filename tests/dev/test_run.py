"""`python3 dev.py run` as a person meets it: started, asked, killed, started again."""

import os
import re
import shutil
import signal
import subprocess
import sys

import pytest

from compliance.embedded.environment import ROOT
from tests.dev.processes import processes_in
from tests.dev.runs import Run
from tests.waiting import PATIENCE, wait_until

pytestmark = pytest.mark.slow


def sign_ins(said):
    return re.findall(r"^\S+ +\S+@\S+ +\S+$", said, re.MULTILINE)


@pytest.fixture
def start():
    """Starts runs and makes sure that none stays."""
    runs = []

    def begin(*arguments, **options):
        runs.append(Run(*arguments, **options))
        return runs[-1]

    yield begin
    for run in runs:
        if run.process.poll() is None:
            run.process.kill()
            run.process.wait()
            wait_until(lambda run=run: processes_in(run.data_dir) == [])


@pytest.fixture(scope="module")
def used(tmp_path_factory):
    """A data folder with the demo in it, at rest."""
    data_dir = tmp_path_factory.mktemp("used") / "a folder with spaces"
    run = Run(data_dir)
    run.wait_for("Ctrl+C stops it.")
    assert run.stop() == 0, run.says()
    assert processes_in(data_dir) == []
    return data_dir, run.says()


@pytest.fixture(scope="module")
def running(used):
    """The second run on that folder; it serves all tests that leave it running."""
    run = Run(used[0]).wait_for("Ctrl+C stops it.")
    yield run
    assert run.stop(signal.SIGINT) == 0
    assert processes_in(used[0]) == []


def test_the_first_start_prints_the_address_and_the_demo_sign_ins(used):
    _, said = used
    assert re.search(r"Mizan runs at http://127\.0\.0\.1:\d+/", said)
    assert len(sign_ins(said)) >= 3
    assert "Stopped." in said


def test_a_second_start_keeps_the_data_and_the_passwords(used, running):
    assert sign_ins(used[1]) == sign_ins(running.says())


def test_it_answers_while_it_runs(running):
    assert running.get("/healthz")[0] == 200
    status, body = running.get("/readyz")
    assert status == 200
    checks = {"database", "migrations", "cache", "broker", "keys", "shreds", "policy", "malware", "sequencer"}
    assert set(re.findall(r'"(\w+)": "ok"', body)) == checks


def test_a_second_run_on_the_same_folder_is_refused_by_name(running, start):
    second = start(running.data_dir)
    assert second.process.wait(PATIENCE) == 1
    assert f"already runs on {running.data_dir} (process {running.process.pid})" in second.says()
    assert running.get("/healthz")[0] == 200


def test_a_taken_port_is_named(running, tmp_path):
    command = [sys.executable, ROOT / "dev.py", "run", "--port", str(running.port), "--data", tmp_path]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 1
    assert f"Port {running.port} cannot be used" in done.stderr
    assert processes_in(tmp_path) == []


@pytest.mark.parametrize("name", ["gunicorn", "celery.*worker", "celery.*beat", "sequence", "postgres"])
def test_what_dies_starts_again(running, name):
    children = subprocess.run(["pgrep", "-P", str(running.process.pid), "-f", name], capture_output=True, text=True)
    victim = int(children.stdout.split()[0])
    os.kill(victim, signal.SIGKILL)
    wait_until(lambda: victim not in processes_in(running.data_dir))
    wait_until(lambda: len(running.children()) == 5)
    wait_until(lambda: running.get("/readyz")[0] == 200)


def test_manage_uses_the_running_database(running):
    assert asked_through_manage(running.data_dir) == "mizan_app\n"


def test_manage_starts_a_resting_database_and_stops_it(tmp_path):
    assert asked_through_manage(tmp_path) == "mizan_app\n"
    assert processes_in(tmp_path) == []


def asked_through_manage(data_dir):
    ask = (
        "from django.db import connection as c; k = c.cursor(); k.execute('SELECT current_user'); print(*k.fetchone())"
    )
    command = [sys.executable, ROOT / "dev.py", "manage", "--data", data_dir, "shell", "--no-imports", "-c", ask]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def at_rest(used, tmp_path):
    """A copy of the used folder, for tests that end a run the hard way."""
    return shutil.copytree(used[0], tmp_path / "copied data")


def test_kill_minus_nine_leaves_nothing_behind_and_the_next_start_stops_when_its_parent_dies(at_rest, start):
    run = start(at_rest).wait_for("Ctrl+C stops it.")
    assert len(processes_in(at_rest)) > 5
    run.process.kill()
    run.process.wait()
    wait_until(lambda: processes_in(at_rest) == [])
    shell = f'"{sys.executable}" "{ROOT}/dev.py" "$@" & wait'
    run = start(at_rest, command=["/bin/sh", "-c", shell, "sh"]).wait_for("Ctrl+C stops it.")
    run.process.kill()
    run.process.wait()
    wait_until(lambda: processes_in(at_rest) == [])
    assert "Stopped." in run.says()


@pytest.mark.parametrize("moment", ["environment:", "database schema:"])
def test_a_signal_during_the_start_cleans_up_too(at_rest, start, moment):
    run = start(at_rest).wait_for(moment)
    assert run.stop() == 130
    assert processes_in(at_rest) == []
    assert "Mizan runs" not in run.says()
