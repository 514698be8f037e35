"""A fresh machine: a clean checkout in a path with spaces, a plain user, no HOME, no uv, an umask that hides all."""

import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from compliance.embedded import environment
from compliance.embedded.environment import ROOT, EnvironmentBroken
from tests.dev.processes import processes_in
from tests.dev.runs import Run

# How this machine reaches its package index; nothing else of ours goes along.
PASSED_ON = ("PIP_", "UV_", "SSL_", "HTTP_", "HTTPS_", "NO_", "http_", "https_", "no_")
SYSTEM_PYTHON = Path("/usr/bin/python3")


@pytest.fixture
def checkout():
    """The files git knows of, as they are now, owned by a plain user."""
    place = Path(tempfile.mkdtemp(prefix="a clean checkout "))
    place.chmod(0o700)
    files = subprocess.run(
        ["git", "ls-files", "-z", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, check=True
    )
    for name in filter(None, files.stdout.decode().split("\0")):
        if (ROOT / name).is_file():
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, place / name)
    yield place
    shutil.rmtree(place)


@pytest.mark.slow
@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to become a plain user")
@pytest.mark.skipif(not SYSTEM_PYTHON.exists(), reason="needs a Python that every user may run")
def test_a_plain_user_runs_a_clean_checkout(checkout):
    user = pwd.getpwnam("daemon")
    for path in (checkout, *checkout.rglob("*")):
        os.lchown(path, user.pw_uid, user.pw_gid)
    passed_on = {name: value for name, value in os.environ.items() if name.startswith(PASSED_ON) and value}
    run = Run(
        checkout / ".data",
        "--no-demo",
        command=[SYSTEM_PYTHON, checkout / "dev.py"],
        env=passed_on | {"PATH": "/usr/bin:/bin"},
        user=user.pw_uid,
        group=user.pw_gid,
        extra_groups=[],
        umask=0o077,
        cwd="/",
    )
    try:
        run.wait_for("Ctrl+C stops it.")
        assert run.get("/readyz")[0] == 200
        assert {Path(f"/proc/{pid}").stat().st_uid for pid in processes_in(checkout / ".data")} == {user.pw_uid}
    finally:
        status = run.stop()
    assert status == 0
    assert processes_in(checkout / ".data") == []


def test_a_changed_lock_is_noticed(tmp_path, monkeypatch):
    monkeypatch.setattr(environment, "TOOLS", tmp_path / "tools")
    commands = []
    monkeypatch.setattr(environment, "_uv", lambda: "uv")
    monkeypatch.setattr(environment, "_run", lambda *command, **_: commands.append(command))
    monkeypatch.setattr(environment, "VENV", tmp_path)
    lock = tmp_path / "lock.txt"
    lock.write_text("one==1\n")
    assert environment.ensure(lock)
    assert not environment.ensure(lock)
    lock.write_text("one==2\n")
    assert environment.ensure(lock)
    assert [command[1:3] for command in commands] == [("pip", "sync"), ("pip", "sync")]


def test_an_older_python_is_refused(monkeypatch):
    monkeypatch.setattr(environment, "OLDEST_PYTHON", (99, 0))
    with pytest.raises(EnvironmentBroken, match="newer python3"):
        environment.ensure(environment.APPLICATION_LOCK)


@pytest.mark.parametrize("home", [None, "/proc"])
def test_without_a_usable_home_caches_stay_in_the_checkout(monkeypatch, home):
    monkeypatch.delenv("UV_CACHE_DIR", raising=False)
    monkeypatch.delenv("HOME", raising=False)
    if home:
        monkeypatch.setenv("HOME", home)
        monkeypatch.setattr(os, "access", lambda path, mode: False)
    assert Path(environment._installer_environment()["UV_CACHE_DIR"]).is_relative_to(ROOT)


def test_stale_texts_are_compiled_and_fresh_ones_left_alone(tmp_path, monkeypatch):
    catalog = tmp_path / "locale" / "tr" / "LC_MESSAGES" / "django.po"
    catalog.parent.mkdir(parents=True)
    catalog.write_text(
        'msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\n\nmsgid "Case"\nmsgstr "Dosya"\n'
    )
    monkeypatch.setattr(environment, "ROOT", tmp_path)
    environment.compile_texts()
    compiled = catalog.with_suffix(".mo")
    assert b"Dosya" in compiled.read_bytes()
    compiled.write_bytes(b"fresh")
    environment.compile_texts()
    assert compiled.read_bytes() == b"fresh"
    os.utime(catalog, (compiled.stat().st_mtime + 5,) * 2)
    environment.compile_texts()
    assert b"Dosya" in compiled.read_bytes()


def test_a_broken_text_is_named(tmp_path, monkeypatch):
    catalog = tmp_path / "locale" / "tr" / "LC_MESSAGES" / "django.po"
    catalog.parent.mkdir(parents=True)
    catalog.write_bytes(b'msgid "\xff')
    monkeypatch.setattr(environment, "ROOT", tmp_path)
    with pytest.raises(EnvironmentBroken, match=r"django\.po cannot be compiled"):
        environment.compile_texts()
