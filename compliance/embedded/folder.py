"""The data folder of a cluster: who holds it, whose it is, what a crash left in it."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import signal
import socket
import stat
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from compliance.embedded.binaries import Binaries, PostgresError
from compliance.embedded.processes import Account

LOCKED_WITHIN = 5.0  # a server that is just stopping still holds its folder
ENDED_WITHIN = 30.0


def locked(path: Path, data_dir: Path) -> IO[str]:
    """Hold `path` while we run; wait a little for a server that is just stopping."""
    lock = path.open("w")
    deadline = time.monotonic() + LOCKED_WITHIN
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return lock
        except BlockingIOError:
            if time.monotonic() > deadline:
                lock.close()
                raise PostgresError(
                    f"Another process runs the database in {data_dir}. Stop it, or use another folder."
                ) from None
            time.sleep(0.1)


def refuse_other_major(folder: Path, binaries: Binaries) -> None:
    version = folder / "PG_VERSION"
    if version.exists() and (major := version.read_text().strip()) != str(binaries.major):
        raise PostgresError(
            f"The database in {folder} was made by PostgreSQL {major}; here is PostgreSQL {binaries.major}. "
            f"Dump it with PostgreSQL {major} and load it into a new folder, or use another data folder."
        )


def give(folder: Path, account: Account | None) -> None:
    """PostgreSQL insists on owning its folder; a copied or restored one belongs to whoever copied it."""
    if not folder.exists():
        return
    server = account.uid if account is not None else os.geteuid()
    if folder.stat().st_uid == server:
        return
    if account is None:
        raise PostgresError(
            f"{folder} belongs to another account (uid {folder.stat().st_uid}). Run as that account, or chown it."
        )
    for path in (folder, *folder.rglob("*")):
        os.lchown(path, account.uid, account.gid)


def clear_stale(folder: Path) -> None:
    """After kill -9: end what still runs in this folder, then remove the server's stale pid file.

    PostgreSQL alone cannot tell its own old process id from a stranger's that got the number after a restart. The file
    goes only when nothing works in the folder, as two servers on one folder would destroy it.
    """
    pid_file = folder / "postmaster.pid"
    if not pid_file.exists() or not Path("/proc/self/cwd").exists():
        return
    deadline = time.monotonic() + ENDED_WITHIN
    while running := list(_processes_in(folder)):
        if time.monotonic() > deadline:
            raise PostgresError(f"PostgreSQL processes {running} still work in {folder}. End them and start again.")
        for pid in running:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGINT)
        time.sleep(0.1)
    pid_file.unlink(missing_ok=True)


def _processes_in(folder: Path) -> Iterator[int]:
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                if (entry / "cwd").samefile(folder) and "postgres" in (entry / "comm").read_text():
                    yield int(entry.name)


def says_ready(folder: Path) -> bool:
    """Whether the server wrote that it takes connections: cheaper to ask than the server itself."""
    try:
        return (folder / "postmaster.pid").read_text().splitlines()[7].strip() == "ready"
    except (OSError, IndexError):
        return False


def here(folder: Path, binaries: Binaries, account: Account | None) -> Path:
    """The folder by a name that works for an account that may not enter the folders above it (a clone in /root)."""
    if account is None or all(_may_enter(parent, account) for parent in folder.resolve().parents):
        return folder
    own = Path("/proc/self/cwd")
    if binaries.major < 16 or not own.exists():  # an older server leaves its folder for a moment and finds no way back
        raise PostgresError(
            f"PostgreSQL {binaries.major} runs as uid {account.uid}, which may not enter the folders above {folder}. "
            "Use a data folder that it may reach (--data), or run as a plain user."
        )
    return own


def _may_enter(folder: Path, account: Account) -> bool:
    state = folder.stat()
    by_group = state.st_gid == account.gid and state.st_mode & stat.S_IXGRP
    return bool(by_group or state.st_mode & stat.S_IXOTH)


def short_temporary_folder() -> Path:
    usual = Path(tempfile.gettempdir())
    return usual if len(os.fsencode(usual)) <= 60 else Path("/tmp")


def remove_dead_socket(folder: Path, name: str) -> None:
    """Remove a socket folder unless somebody listens there: a copied data folder still names its original's."""
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(folder / name))
        except OSError:
            shutil.rmtree(folder, ignore_errors=True)


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner reads; whole or not at all."""
    fresh = path.with_name(path.name + ".new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    fresh.rename(path)


def tail(log: Path, lines: int = 20) -> str:
    """The last lines of a log file."""
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])
