"""Child processes that never outlive the one that started them."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

NOBODY = 65534
_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_GONE_WITHIN = 5.0  # seconds; a killed process is gone at once unless the kernel holds it
# Loaded before any fork: dlopen between fork and exec may deadlock.
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform.startswith("linux") else None


@dataclass(frozen=True)
class Account:
    """The system account a child runs as."""

    uid: int
    gid: int


def adopt_orphans() -> None:
    """Let grandchildren whose parent died become ours, so that ending a process group also reaps it (Linux)."""
    if _libc is not None:
        _libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def tell_when_parent_dies(number: signal.Signals) -> None:
    """Have the kernel send us `number` when our parent ends (Linux)."""
    if _libc is not None:
        _libc.prctl(_PR_SET_PDEATHSIG, int(number), 0, 0, 0)


def reap_adopted(own: Collection[int]) -> None:
    """Clear away adopted processes that ended. Call it after polling `own`, the children somebody waits for."""
    with contextlib.suppress(ChildProcessError):
        while ended := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT):
            if ended.si_pid in own:
                return
            os.waitpid(ended.si_pid, 0)


def start(
    command: Sequence[str | Path],
    *,
    env: Mapping[str, str],
    cwd: Path,
    output: IO[bytes],
    dies_with: signal.Signals,
    account: Account | None = None,
) -> subprocess.Popen[bytes]:
    """Start a child in its own process group; it gets the signal `dies_with` when this process ends, however it ends.

    Call it from the main thread: Linux sends the signal when the *thread* that started the child ends.
    """
    return subprocess.Popen(
        [str(part) for part in command],
        env=dict(env),
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        preexec_fn=leash(os.getpid(), dies_with, account),
        start_new_session=True,
    )


def run_as(command: Sequence[str | Path], *, env: Mapping[str, str], cwd: Path, account: Account | None) -> str:
    """Run a command to its end as `account` and return its output; RuntimeError with the output when it fails."""
    done = subprocess.run(
        [str(part) for part in command],
        env=dict(env),
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        preexec_fn=leash(os.getpid(), signal.SIGTERM, account),
    )
    if done.returncode != 0:
        raise RuntimeError(f"{Path(str(command[0])).name} failed with status {done.returncode}:\n{done.stdout.strip()}")
    return done.stdout


def leash(parent: int, dies_with: signal.Signals, account: Account | None = None) -> Callable[[], None]:
    def prepare() -> None:
        if account is not None:
            os.setgroups([])
            os.setgid(account.gid)
            os.setuid(account.uid)
        if _libc is not None:
            # After setuid: the kernel clears the wish when the ids change.
            _libc.prctl(_PR_SET_PDEATHSIG, int(dies_with), 0, 0, 0)
            if os.getppid() != parent:
                os._exit(1)

    return prepare


def end(process: subprocess.Popen[bytes], *, by: signal.Signals, within: float) -> None:
    """Ask a child to end, wait `within` seconds, then kill what is left of its process group."""
    if process.poll() is None:
        process.send_signal(by)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(within)
    kill_group(process)


def kill_group(process: subprocess.Popen[bytes]) -> None:
    """Kill -9 a child and whatever is left in its process group; none of it is there when this returns."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    deadline = time.monotonic() + _GONE_WITHIN
    with contextlib.suppress(ChildProcessError):
        while time.monotonic() < deadline:
            if os.waitpid(-process.pid, os.WNOHANG) == (0, 0):
                time.sleep(0.01)
