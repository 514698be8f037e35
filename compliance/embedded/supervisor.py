"""Keeps the services of an installation running, and ends all of them together."""

from __future__ import annotations

import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

from compliance.embedded import processes
from compliance.embedded.environment import ROOT
from compliance.embedded.folder import tail
from compliance.embedded.installation import Installation, Service

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0  # seconds before a service that died starts again
STEADY_AFTER = 60.0  # a service that ran this long starts its pauses anew
# Then it is killed. An idle Celery worker alone takes 6 s of its own waits to end; tasks survive a kill by design.
STOPPED_WITHIN = 4.0
_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # the caller's proxy does not know our port


class NotReady(Exception):
    """The services did not become ready; the text holds the failing checks and the ends of the logs."""


class Supervisor:
    """Starts the services of one installation as children that die with this process."""

    def __init__(self, installation: Installation, *, say: Callable[[str], None] = print) -> None:
        self.installation = installation
        self.services = installation.services()
        self._say = say
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._started: dict[str, float] = {}
        self._pause: dict[str, float] = {}
        self._due: dict[str, float] = {}
        processes.adopt_orphans()

    def start(self, name: str) -> None:
        """Start one service; its output goes to DATA/log/NAME.log."""
        service: Service = self.services[name]
        with self.log(name).open("ab") as output:
            self._running[name] = processes.start(
                service.command,
                env=self.installation.environment(service.role),
                cwd=ROOT,
                output=output,
                dies_with=signal.SIGKILL,  # orderly endings are worth little when nobody is left to watch them
            )
        self._started[name] = time.monotonic()

    def add(self, service: Service) -> None:
        """Start one more beside the installation's own, and keep it running as them."""
        self.services[service.name] = service
        self.start(service.name)

    def start_all(self) -> None:
        for name in self.services:
            self.start(name)

    def end(self, name: str) -> None:
        """Let one service finish what it does, then make sure nothing of it is left."""
        processes.end(self._running.pop(name), by=signal.SIGTERM, within=STOPPED_WITHIN)

    def end_all(self) -> None:
        """End every service: all are asked first, so that they finish side by side."""
        for process in self._running.values():
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + STOPPED_WITHIN
        while any(process.poll() is None for process in self._running.values()) and time.monotonic() < deadline:
            time.sleep(0.02)
        for process in self._running.values():
            processes.kill_group(process)
        self._running.clear()

    def kill_all(self) -> None:
        """Kill -9 every service at once."""
        for name in list(self._running):
            self.kill(name)

    def kill(self, name: str) -> None:
        """Kill -9 one service with all its processes, as a crash would."""
        processes.kill_group(self._running.pop(name))

    def signal(self, name: str, number: signal.Signals) -> None:
        """Send a signal to a service's main process."""
        self._running[name].send_signal(number)

    def pid(self, name: str) -> int:
        return self._running[name].pid

    def pids(self) -> list[int]:
        return [process.pid for process in self._running.values()]

    def log(self, name: str) -> Path:
        folder = self.installation.data_dir / "log"
        folder.mkdir(mode=0o700, exist_ok=True)
        return folder / f"{name}.log"

    def mend(self) -> None:
        """Start again what died by itself, after a pause that doubles while it keeps dying."""
        now = time.monotonic()
        for name, process in list(self._running.items()):
            if process.poll() is not None and name not in self._due:
                processes.kill_group(process)  # its own children may still be there
                steady = now - self._started[name] > STEADY_AFTER
                pause = FIRST_PAUSE if steady else min(self._pause.get(name, FIRST_PAUSE / 2) * 2, LONGEST_PAUSE)
                self._pause[name], self._due[name] = pause, now + pause
                ending = _ending(process.returncode)
                self._say(f"The {name} {ending}; it starts again in {pause:g} s. Its log: {self.log(name)}")
        for name, due in list(self._due.items()):
            if now >= due:
                del self._due[name]
                self.start(name)

    def wait_until_ready(self, *, within: float = 60.0) -> None:
        """Wait until /readyz answers 200; NotReady with the reasons when it does not, or when a service dies."""
        deadline = time.monotonic() + within
        answer = "no answer yet"
        while True:
            for name, process in self._running.items():
                if process.poll() is not None:
                    ending = _ending(process.returncode)
                    raise NotReady(
                        f"The {name} {ending} while starting. The end of {self.log(name)}:\n{tail(self.log(name))}"
                    )
            try:
                with _direct.open(f"{self.installation.url}/readyz", timeout=5) as response:
                    if response.status == 200:
                        return
            except urllib.error.HTTPError as error:
                answer = f"{error.code} {error.read(2000).decode(errors='replace')}"
            except OSError as error:
                answer = str(error)
            if time.monotonic() > deadline:
                raise NotReady(
                    f"Not ready after {within:.0f} s: {answer}\nThe end of {self.log('web')}:\n{tail(self.log('web'))}"
                )
            time.sleep(0.05)


def _ending(status: int) -> str:
    return f"was ended by {signal.Signals(-status).name}" if status < 0 else f"ended with status {status}"
