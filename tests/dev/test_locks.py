"""Locks and build files: every package pinned by hash, no address of any registry."""

import re

import pytest

from compliance.embedded.environment import ROOT

LOCKS = sorted((ROOT / "requirements").glob("*.txt"))
BUILD_FILES = [
    *LOCKS,
    ROOT / "pyproject.toml",
    ROOT / "dev.py",
    ROOT / ".ci" / "run",
    *(ROOT / "compliance" / "embedded").glob("*.py"),
]
by_name = pytest.mark.parametrize("file", BUILD_FILES, ids=lambda file: file.name)


def test_there_are_the_four_locks():
    assert [lock.name for lock in LOCKS] == ["app.txt", "dev.txt", "server.txt", "uv.txt"]


@by_name
@pytest.mark.parametrize("word", ["index-url", "registry=", "find-links", "--trusted-host"])
def test_no_registry_is_named(file, word):
    assert word not in file.read_text()


@pytest.mark.parametrize("file", [*LOCKS, ROOT / "pyproject.toml", ROOT / ".ci" / "run"], ids=lambda file: file.name)
def test_no_address_is_written(file):
    assert "://" not in file.read_text()


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_every_package_has_a_version_and_hashes(lock):
    logical_lines = lock.read_text().replace("\\\n", " ").splitlines()
    assert logical_lines
    unpinned = [line for line in logical_lines if not re.match(r"\S+==\S+( ;.*?)? +--hash=sha256:[0-9a-f]{64}", line)]
    assert unpinned == []


def test_no_lock_that_names_registries_is_committed():
    assert not (ROOT / "uv.lock").exists()


def test_each_larger_lock_contains_the_smaller_one():
    def pinned(name):
        return set(re.findall(r"^(\S+==\S+)", (ROOT / "requirements" / name).read_text(), re.MULTILINE))

    assert pinned("app.txt") < pinned("server.txt") < pinned("dev.txt")
    assert {name.partition("==")[0] for name in pinned("server.txt") - pinned("app.txt")} >= {"boto3", "hvac"}
