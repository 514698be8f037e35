"""`python3 dev.py run` as a person meets it: started, asked, killed, started again."""

import os
import re
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request

import pytest

from compliance.embedded.environment import ROOT
from tests.dev.processes import processes_in, wait_until
from tests.stack import a_free_port

pytestmark = pytest.mark.slow


class Run:
    """One `dev.py run` and what it printed."""

    def __init__(self, data_dir, *options, command=None):
        self.data_dir = data_dir
        self.port = a_free_port()
        self.output = data_dir.with_name(f"{data_dir.name} output {self.port}")
        command = command or [sys.executable, ROOT / "dev.py"]
        # What the suite set for itself must not reach the run.
        env = {name: value for name, value in os.environ.items() if not name.startswith(("MIZAN_", "DATABASE_"))}
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                [*command, "run", "--port", str(self.port), "--data", data_dir, *options],
                stdout=output,
                stderr=subprocess.STDOUT,
                env=env,
            )

    def says(self):
        return self.output.read_text()

    def wait_for(self, words, within=90):
        wait_until(lambda: words in self.says() or self.process.poll() is not None, within)
        assert words in self.says(), self.says()
        return self

    def get(self, path):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=10) as response:
                return response.status, response.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def stop(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        return self.process.wait(40)


@pytest.fixture
def start(request):
    """Starts runs and makes sure that none stays."""
    runs = []

    def begin(*arguments, **options):
        runs.append(Run(*arguments, **options))
        return runs[-1]

    yield begin
    for run in runs:
        run.process.kill()
        run.process.wait()
        wait_until(lambda run=run: processes_in(run.data_dir) == [])


@pytest.fixture(scope="module")
def used(tmp_path_factory):
    """A data folder with the demo in it, at rest."""
    data_dir = tmp_path_factory.mktemp("used") / "a folder with spaces"
    run = Run(data_dir)
    run.wait_for("Ctrl+C stops it.")
    assert run.stop() == 130, run.says()
    return data_dir, run.says()


def test_the_first_start_prints_the_address_and_the_demo_sign_ins(used):
    _, said = used
    assert re.search(r"Mizan runs at http://127\.0\.0\.1:\d+/", said)
    assert re.search(r"\S+@\S+ ", said)
    assert "Stopped." in said


def test_a_second_start_keeps_the_data_and_the_passwords(used, start):
    data_dir, said = used
    again = start(data_dir).wait_for("Ctrl+C stops it.")
    sign_ins = re.findall(r"^.*\S+@\S+.*$", said, re.MULTILINE)
    assert sign_ins
    assert [line for line in sign_ins if line not in again.says()] == []
    assert "demo data:" not in again.says()


def test_it_answers_while_it_runs(used, start):
    run = start(used[0]).wait_for("Ctrl+C stops it.")
    assert run.get("/healthz")[0] == 200
    status, body = run.get("/readyz")
    assert status == 200
    assert {"database", "migrations", "cache", "broker", "keys", "policy", "sequencer"} == set(
        re.findall(r'"(\w+)": "ok"', body)
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_stops_everything_it_started(used, start, number):
    run = start(used[0]).wait_for("Ctrl+C stops it.")
    assert len(processes_in(used[0])) > 5
    run.stop(number)
    assert processes_in(used[0]) == []


def test_kill_minus_nine_leaves_nothing_behind_and_the_next_start_works(used, start):
    run = start(used[0]).wait_for("Ctrl+C stops it.")
    run.process.kill()
    run.process.wait()
    wait_until(lambda: processes_in(used[0]) == [])
    start(used[0]).wait_for("Ctrl+C stops it.")


def test_it_stops_when_its_parent_dies(used, start):
    shell = f'"{sys.executable}" "{ROOT}/dev.py" "$@" & wait'
    run = start(used[0], command=["/bin/sh", "-c", shell, "sh"]).wait_for("Ctrl+C stops it.")
    run.process.kill()
    run.process.wait()
    wait_until(lambda: processes_in(used[0]) == [])
    assert "Stopped." in run.says()


@pytest.mark.parametrize("moment", ["environment:", "database schema:"])
def test_a_signal_during_the_start_cleans_up_too(used, start, moment):
    run = start(used[0]).wait_for(moment)
    run.stop()
    assert processes_in(used[0]) == []
    assert "Mizan runs" not in run.says()


def test_a_second_run_on_the_same_folder_is_refused_by_name(used, start):
    first = start(used[0]).wait_for("Ctrl+C stops it.")
    second = start(used[0])
    assert second.process.wait(30) == 1
    assert f"already runs on {used[0]} (process {first.process.pid})" in second.says()
    assert first.get("/healthz")[0] == 200


def test_a_taken_port_is_named(used):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        command = [sys.executable, ROOT / "dev.py", "run", "--port", str(port), "--data", used[0]]
        done = subprocess.run(command, capture_output=True, text=True, timeout=30)
    assert done.returncode == 1
    assert f"Port {port} cannot be used" in done.stderr
    assert processes_in(used[0]) == []


@pytest.mark.parametrize("name", ["gunicorn", "celery", "sequence"])
def test_a_service_that_dies_starts_again(used, start, name):
    run = start(used[0]).wait_for("Ctrl+C stops it.")
    children = subprocess.run(["pgrep", "-P", str(run.process.pid), "-f", name], capture_output=True, text=True)
    os.kill(int(children.stdout.split()[0]), signal.SIGKILL)
    run.wait_for("was ended by SIGKILL; it starts again in 0.5 s")
    wait_until(lambda: run.get("/readyz")[0] == 200)


def test_manage_uses_the_running_database_and_starts_a_resting_one(used, start):
    ask = "from django.db import connection as c; k = c.cursor(); k.execute('SELECT current_user'); print(*k)"
    command = [sys.executable, ROOT / "dev.py", "manage", "--data", used[0], "shell", "--no-imports", "-c", ask]
    resting = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert "('mizan_app',)" in resting.stdout, resting.stderr
    assert processes_in(used[0]) == []
    start(used[0]).wait_for("Ctrl+C stops it.")
    running = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert "('mizan_app',)" in running.stdout, running.stderr
