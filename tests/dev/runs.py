"""`dev.py run`, started by a test and watched from outside."""

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request

from compliance.embedded.environment import ROOT
from tests.stack import a_free_port
from tests.waiting import PATIENCE


class Run:
    """One `dev.py run` and what it printed."""

    def __init__(self, data_dir, *options, command=None, **popen):
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
                **{"env": env} | popen,
            )

    def says(self):
        return self.output.read_text()

    def wait_for(self, words, within=PATIENCE):
        deadline = time.monotonic() + within
        while words not in self.says():
            assert self.process.poll() is None, self.says()
            assert time.monotonic() < deadline, self.says()
            time.sleep(0.05)
        return self

    def get(self, path):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=PATIENCE) as response:
                return response.status, response.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError:
            return 0, "nobody answers"

    def children(self):
        """Ids of what the run itself started: five services, the database's children are not among them."""
        listed = subprocess.run(["pgrep", "-P", str(self.process.pid)], capture_output=True, text=True)
        return listed.stdout.split()

    def stop(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        return self.process.wait(PATIENCE)
