"""What was shredded, remembered outside the database: one line a subject in a file beside the key file.

A backup that is older than a shred brings the destroyed keys back. So each shred is written here too, after its commit,
and the product refuses to serve while the file knows more shreds than the database: `manage.py keys replay-shreds`
destroys them again. A line holds ids only; each carries a MAC over itself and the line before it, under a key of the
provider, so that nobody can have a customer shredded by adding a line, or spared by removing one before the last.
"""

import fcntl
import hashlib
import hmac
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.conf import settings

from compliance.keys.models import Tombstone
from compliance.keys.providers import KeyUnavailable, provider

_START = "0" * 64


class NotReplayed(KeyUnavailable):
    """The database is older than the last shred: nothing is served before the shreds are replayed."""


class Damaged(KeyUnavailable):
    """The file of tombstones was changed or cut. Restore it from its backup."""


@dataclass(frozen=True, slots=True, order=True)
class Stone:
    """One line. `at` is ISO 8601 in UTC."""

    kind: str
    subject_id: str
    version: int
    at: str

    @classmethod
    def of(cls, row: Tombstone) -> "Stone":
        return cls(row.kind, row.subject_id, row.version, row.shredded_at.isoformat())

    @property
    def key(self) -> tuple[str, str, int]:
        return self.kind, self.subject_id, self.version

    @property
    def shredded_at(self) -> datetime:
        return datetime.fromisoformat(self.at)


def read() -> list[Stone]:
    """Every line, each checked; Damaged when one does not hold. Empty when nothing was ever shredded."""
    return [stone for stone, _mac in _lines(_file())]


def sync() -> int:
    """Write down what the database knows and the file does not; return how many. Safe to call twice, or at once."""
    path = _file()
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _locked(path):
        lines = list(_lines(path))
        known = {stone.key for stone, _mac in lines}
        new = [
            Stone.of(row) for row in Tombstone.objects.order_by("shredded_at", "pk") if Stone.of(row).key not in known
        ]
        if new:
            _append(path, new, after=lines[-1][1] if lines else _START)
    return len(new)


def unreplayed() -> list[Stone]:
    """What the file knows and the database does not."""
    stones = read()
    known = set(Tombstone.objects.values_list("kind", "subject_id", "version")) if stones else set()
    return [stone for stone in stones if stone.key not in known]


_counted: tuple[tuple[int, int], int] | None = None


def refuse_if_unreplayed() -> None:
    """NotReplayed while the file holds more shreds than the database. Costs a `stat` where nothing was ever shredded,
    else a count."""
    global _counted
    try:
        found = os.stat(_file())
    except FileNotFoundError:
        return
    mark = (found.st_ino, found.st_size)
    if _counted is None or _counted[0] != mark:
        _counted = (mark, len(read()))
    if Tombstone.objects.count() < _counted[1]:
        raise NotReplayed(
            f"{_file()} holds {_counted[1]} shreds, the database fewer: it was restored from a backup. "
            "Run `manage.py keys replay-shreds` before anything is served."
        )


def _file() -> Path:
    return Path(settings.TOMBSTONES_FILE)


def _lines(path: Path) -> Iterator[tuple[Stone, str]]:
    """Each tombstone with its MAC. A last line without its end is a write that a crash cut: it never counted."""
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        return
    before, key = _START, provider().derive("tombstones")
    for number, line in enumerate(raw.split(b"\n")[:-1], start=1):
        try:
            data = json.loads(line)
            mac = str(data.pop("mac"))
            stone = Stone(**data)
        except (ValueError, KeyError, TypeError, AttributeError):
            raise Damaged(f"{path}, line {number}: {Damaged.__doc__}") from None
        if not hmac.compare_digest(mac, _mac(key, before, stone)):
            raise Damaged(f"{path}, line {number}: {Damaged.__doc__}")
        before = mac
        yield stone, mac


def _append(path: Path, stones: list[Stone], *, after: str) -> None:
    key, out = provider().derive("tombstones"), b""
    for stone in stones:
        after = _mac(key, after, stone)
        out += json.dumps(_plain(stone) | {"mac": after}).encode() + b"\n"
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        # A line that a crash cut is written over.
        whole = os.pread(fd, os.fstat(fd).st_size, 0).rfind(b"\n") + 1
        os.ftruncate(fd, whole)
        os.pwrite(fd, out, whole)
        os.fsync(fd)
    finally:
        os.close(fd)


def _mac(key: bytes, before: str, stone: Stone) -> str:
    body = json.dumps(_plain(stone), sort_keys=True, separators=(",", ":"))
    return hmac.new(key, f"{before}|{body}".encode(), hashlib.sha256).hexdigest()


def _plain(stone: Stone) -> dict[str, object]:
    return {"kind": stone.kind, "subject_id": stone.subject_id, "version": stone.version, "at": stone.at}


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)
