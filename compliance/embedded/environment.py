"""The Python environment in .venv, made from a hashed lock; and the compiled texts."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
TOOLS = ROOT / ".tools"
APPLICATION_LOCK = ROOT / "requirements" / "app.txt"
DEVELOPMENT_LOCK = ROOT / "requirements" / "dev.txt"
INSTALLER_LOCK = ROOT / "requirements" / "uv.txt"
OLDEST_PYTHON = (3, 11)


class EnvironmentBroken(Exception):
    """The environment cannot be made; the text names the cause and the fix."""


def ensure(lock: Path) -> bool:
    """Make .venv hold exactly what `lock` names; True when something had to be done.

    The development lock contains all that the application needs, so it serves for both.
    """
    if sys.version_info < OLDEST_PYTHON:
        raise EnvironmentBroken(
            f"Mizan needs Python 3.11 or newer; this is {sys.version.split()[0]}. Run it with a newer python3."
        )
    with _one_at_a_time():
        wanted = {_digest(lock), _digest(DEVELOPMENT_LOCK)}
        stamp = VENV / "mizan-lock"
        if _python_runs() and stamp.exists() and stamp.read_text() in wanted:
            return False
        uv = _uv()
        if not _python_runs():
            _run(uv, "venv", "--quiet", "--clear", "--no-project", "--python", sys.executable, VENV)
        stamp.unlink(missing_ok=True)
        _run(uv, "pip", "sync", "--quiet", "--require-hashes", "--python", PYTHON, lock)
        stamp.write_text(_digest(lock))
        return True


def compile_texts() -> None:
    """Compile locale/*/LC_MESSAGES/*.po where the .mo is missing or older."""
    for catalog in (ROOT / "locale").glob("*/LC_MESSAGES/*.po"):
        compiled = catalog.with_suffix(".mo")
        if not compiled.exists() or compiled.stat().st_mtime < catalog.stat().st_mtime:
            fresh = compiled.with_name(f"django.{os.getpid()}.new")  # another run reads the finished one or none
            command: list[str | Path] = ["compile", "-i", catalog, "-o", fresh, "-l", catalog.parents[1].name]
            done = subprocess.run(
                [PYTHON, "-m", "babel.messages.frontend", *command],
                text=True,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
            )
            if done.returncode != 0:
                raise EnvironmentBroken(f"{catalog} cannot be compiled: {done.stdout.strip()}")
            fresh.replace(compiled)


def _uv() -> str:
    """uv from the PATH, else our own pinned one, installed by pip from a hashed lock."""
    if found := shutil.which("uv"):
        return found
    own = TOOLS / "uv" / "bin" / "uv"
    stamp = TOOLS / "uv" / "mizan-lock"
    if not (own.exists() and stamp.exists() and stamp.read_text() == _digest(INSTALLER_LOCK)):
        shutil.rmtree(TOOLS / "uv", ignore_errors=True)
        command: list[str | Path] = [
            "install",
            "--quiet",
            "--no-deps",
            "--require-hashes",
            "--target",
            TOOLS / "uv",
            "-r",
            INSTALLER_LOCK,
        ]
        _run(sys.executable, "-m", "pip", *command, fix="Install uv or python3-pip with your system's package manager.")
        stamp.write_text(_digest(INSTALLER_LOCK))
    return str(own)


def _run(*command: str | Path, fix: str = "Check the network and the package index, then start again.") -> None:
    done = subprocess.run([str(part) for part in command], env=_installer_environment(), cwd=ROOT)
    if done.returncode != 0:
        raise EnvironmentBroken(f"{' '.join(str(part) for part in command[:4])} failed. {fix}")


def _installer_environment() -> dict[str, str]:
    # VIRTUAL_ENV and PYTHON* of the caller would bend the installer towards another environment.
    kept = {
        name: value for name, value in os.environ.items() if name not in ("VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME")
    }
    kept |= {
        "UV_PYTHON_DOWNLOADS": "never",
        "UV_NO_PROGRESS": "1",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_USER": "0",
    }
    if _system_has_certificates():  # an operator's own authority is known there, and not to uv's bundle
        kept.setdefault("UV_SYSTEM_CERTS", "1")
        kept.setdefault("UV_NATIVE_TLS", "1")  # its name in older uv
    home = kept.get("HOME")
    if not home or not os.access(home, os.W_OK):
        kept.setdefault("UV_CACHE_DIR", str(TOOLS / "cache"))
        kept.setdefault("PIP_NO_CACHE_DIR", "1")
    return kept


def _system_has_certificates() -> bool:
    paths = ssl.get_default_verify_paths()
    return bool(paths.cafile or (paths.capath and any(Path(paths.capath).iterdir())))


def _python_runs() -> bool:
    """Whether .venv has a Python that starts: a copied or half-made environment has none."""
    try:
        return subprocess.run([PYTHON, "-c", "import sys"], stderr=subprocess.DEVNULL).returncode == 0
    except OSError:
        return False


def _digest(lock: Path) -> str:
    return hashlib.sha256(lock.read_bytes()).hexdigest()


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    TOOLS.mkdir(exist_ok=True)
    with (TOOLS / "environment.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
