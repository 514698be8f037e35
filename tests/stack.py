"""The product's real processes, for tests that need commits, a worker, a browser, or a kill."""

import os
import signal
import socket
from pathlib import Path

from django.conf import settings
from django.db import connections

from compliance.embedded.installation import Installation
from compliance.embedded.postgres import APPLICATION, Cluster
from compliance.embedded.supervisor import Supervisor
from tests.waiting import PATIENCE, wait_until


class Stack:
    """Gunicorn on a free port, a Celery worker and beat on a filesystem broker, and the sequencer.

    It shares the data folder (keys, vault, broker) with the test process, so that both read what the other wrote.
    `variables` are settings of its processes, such as CELERY_BROKER_URL.
    """

    def __init__(self, cluster: Cluster, database: str, data_dir: Path | None = None, **variables: str):
        self.cluster = cluster
        self.database = database
        self.data_dir = data_dir or Path(settings.DATA_DIR)
        # What is shredded in this database is no concern of the suite's others.
        extra = variables | {"TOMBSTONES_FILE": str(self.data_dir / f"shredded-{database}.jsonl")}
        self.installation = Installation(
            self.data_dir, cluster, port=a_free_port(), kind="test", database=database, extra=extra
        )
        self._supervisor = Supervisor(self.installation)

    def __enter__(self):
        try:
            self._supervisor.start_all()
            self.wait_until_ready()
        except BaseException:
            self._supervisor.kill_all()
            raise
        return self

    def __exit__(self, *error):
        self._supervisor.kill_all()

    @property
    def url(self):
        """Without a slash at the end."""
        return self.installation.url

    def database_url(self, role=APPLICATION):
        return self.cluster.url(role, self.database)

    def manage(self, *arguments, role=APPLICATION):
        """What a manage.py command printed; SetUpFailed when it fails."""
        return self.installation.manage(*arguments, role=role)

    def kill(self, name):
        """Kill -9 `web`, `worker`, `clock` or `sequencer` with all its processes; or `database`, everybody's server."""
        if name == "database":
            os.kill(int((self.cluster.data_dir / "postgres" / "postmaster.pid").read_text().split()[0]), signal.SIGKILL)
        else:
            self._supervisor.kill(name)

    def end(self, name):
        """Stop one service in order."""
        self._supervisor.end(name)

    def start(self, name):
        """Start what was killed. The database comes back by itself: `dev.py test` sees to it."""
        if name == "database":
            connections.close_all()
            wait_until(self.cluster.answers)
        else:
            self._supervisor.start(name)

    def mend(self):
        """Start again what ended by itself, as systemd's Restart=always and `dev.py run` do."""
        self._supervisor.mend()

    def pid(self, name):
        """The main process of a service; its children share its process group."""
        return self._supervisor.pid(name)

    def pause(self, name):
        """Freeze a service's main process; `resume` thaws it."""
        self._supervisor.signal(name, signal.SIGSTOP)

    def resume(self, name):
        self._supervisor.signal(name, signal.SIGCONT)

    def log(self, name):
        """What a service has printed so far."""
        return self._supervisor.log(name).read_text(errors="replace")

    def wait_until_ready(self, within=PATIENCE):
        self._supervisor.wait_until_ready(within=within)


def a_free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
