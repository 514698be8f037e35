"""A file beside the keys that only grows: what a restored database must be told, one JSON object a line.

Each line carries a MAC over itself and the line before it, under a key of the provider: nobody adds a line, changes
one, or removes one before the last. A last line without its end is a write that a crash cut: it never counted.
"""

import fcntl
import hashlib
import hmac
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from compliance.keys.providers import KeyUnavailable, provider

_START = "0" * 64
Line = Mapping[str, Any]


class Damaged(KeyUnavailable):
    """The file was changed or cut. Restore it from its backup."""


def read(path: Path, purpose: str) -> Iterator[tuple[dict[str, Any], str]]:
    """Every line with its MAC, each checked; Damaged when one does not hold. Nothing where there is no file."""
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        return
    before, key = _START, provider().derive(purpose)
    for number, line in enumerate(raw.split(b"\n")[:-1], start=1):
        try:
            data = json.loads(line)
            mac = str(data.pop("mac"))
        except (ValueError, KeyError, TypeError, AttributeError):
            raise Damaged(f"{path}, line {number}: {Damaged.__doc__}") from None
        if not hmac.compare_digest(mac, _mac(key, before, data)):
            raise Damaged(f"{path}, line {number}: {Damaged.__doc__}")
        before = mac
        yield data, mac


def add_missing(path: Path, purpose: str, new: Callable[[list[dict[str, Any]]], Sequence[Line]]) -> int:
    """Append what `new(lines)` says is not there yet; return how many. Safe to call twice, or at once."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _locked(path):
        lines = list(read(path, purpose))
        added = new([line for line, _mac in lines])
        if added:
            _append(path, purpose, added, after=lines[-1][1] if lines else _START)
    return len(added)


def _append(path: Path, purpose: str, lines: Sequence[Line], *, after: str) -> None:
    key, out = provider().derive(purpose), b""
    for line in lines:
        after = _mac(key, after, line)
        out += json.dumps({**line, "mac": after}).encode() + b"\n"
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        # A line that a crash cut is written over.
        whole = os.pread(fd, os.fstat(fd).st_size, 0).rfind(b"\n") + 1
        os.ftruncate(fd, whole)
        os.pwrite(fd, out, whole)
        os.fsync(fd)
    finally:
        os.close(fd)


def _mac(key: bytes, before: str, line: Line) -> str:
    body = json.dumps(dict(line), sort_keys=True, separators=(",", ":"))
    return hmac.new(key, f"{before}|{body}".encode(), hashlib.sha256).hexdigest()


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


class Counted:
    """How many lines a file has, read again only when it changed: what every request may ask."""

    def __init__(self) -> None:
        self._kept: tuple[tuple[int, int], int] | None = None

    def lines(self, path: Path, purpose: str) -> int:
        """0 where there is no file, for the price of a `stat`."""
        try:
            found = os.stat(path)
        except FileNotFoundError:
            return 0
        mark = (found.st_ino, found.st_size)
        if self._kept is None or self._kept[0] != mark:
            self._kept = (mark, sum(1 for _line in read(path, purpose)))
        return self._kept[1]
