"""Data folders of test and bench runs, and the migrated cluster that test runs are copied from."""

from __future__ import annotations

import contextlib
import fcntl
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from compliance.embedded.environment import ROOT
from compliance.embedded.installation import Installation, SetUpFailed, migrations_digest
from compliance.embedded.postgres import Cluster

SCRATCH = ROOT / ".test"
ABANDONED_AFTER = 3600.0  # seconds


@contextlib.contextmanager
def scratch_folder() -> Iterator[Path]:
    """A data folder for this run only."""
    SCRATCH.mkdir(exist_ok=True)
    for old in (*SCRATCH.glob("run-*"), *SCRATCH.glob("new-*")):  # left behind by kill -9
        if time.time() - old.stat().st_mtime > ABANDONED_AFTER and not held(old):
            shutil.rmtree(old, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix="run-", dir=SCRATCH))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def held(folder: Path) -> bool:
    """Whether a cluster works in this data folder."""
    try:
        with (folder / "postgres.lock").open() as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def start_from_migrated(folder: Path) -> None:
    """Lay a cluster whose database is migrated into `folder`; made once for a set of migrations, then copied.

    A migration that fails leaves `folder` empty: the tests that need the database then say what is wrong with it.
    """
    shelf = SCRATCH / f"migrated-{migrations_digest()[:16]}"
    try:
        with _alone():
            if not shelf.exists():
                _migrate_onto(shelf)
    except SetUpFailed as error:
        print(f"dev.py: {error}", flush=True)
        return
    try:
        for name in ("postgres", "postgres.json"):
            copy = shutil.copytree if (shelf / name).is_dir() else shutil.copy2
            copy(shelf / name, folder / name)
    except (FileNotFoundError, shutil.Error):  # another run, with other migrations, cleared the shelf
        shutil.rmtree(folder / "postgres", ignore_errors=True)
        (folder / "postgres.json").unlink(missing_ok=True)


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """Of runs that start at once, one migrates and the others wait: each for itself would take all of them longer."""
    with (SCRATCH / "migrating.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _migrate_onto(shelf: Path) -> None:
    for old in SCRATCH.glob("migrated-*"):
        shutil.rmtree(old, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix="new-", dir=SCRATCH) as place:
        fresh = Path(place) / "data"
        with Cluster(fresh, durable=False) as cluster:
            Installation(fresh, cluster, kind="test").update_schema()
        fresh.rename(shelf)
