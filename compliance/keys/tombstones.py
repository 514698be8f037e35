"""What was shredded, remembered outside the database: one line a subject in a file beside the key file.

A backup that is older than a shred brings the destroyed keys back. So each shred is written here too, after its commit,
and the product refuses to serve while the file knows more shreds than the database: `manage.py keys replay-shreds`
destroys them again. A line holds ids only; each carries a MAC over itself and the line before it, under a key of the
provider, so that nobody can have a customer shredded by adding a line, or spared by removing one before the last.
"""

from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings

from compliance.keys import chained
from compliance.keys.chained import Damaged
from compliance.keys.models import Tombstone
from compliance.keys.providers import KeyUnavailable

__all__ = ["Damaged", "NotReplayed", "Stone", "read", "refuse_if_unreplayed", "sync", "unreplayed"]

_PURPOSE = "tombstones"


class NotReplayed(KeyUnavailable):
    """The database is older than the last shred: nothing is served before the shreds are replayed."""


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
    return [_stone(line) for line, _mac in chained.read(_file(), _PURPOSE)]


def sync() -> int:
    """Write down what the database knows and the file does not; return how many. Safe to call twice, or at once."""
    return chained.add_missing(_file(), _PURPOSE, _missing)


def _missing(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    known = {_stone(line).key for line in lines}
    rows = map(Stone.of, Tombstone.objects.order_by("shredded_at", "pk"))
    return [asdict(stone) for stone in rows if stone.key not in known]


def unreplayed() -> list[Stone]:
    """What the file knows and the database does not."""
    stones = read()
    known = set(Tombstone.objects.values_list("kind", "subject_id", "version")) if stones else set()
    return [stone for stone in stones if stone.key not in known]


_counted = chained.Counted()


def refuse_if_unreplayed() -> None:
    """NotReplayed while the file holds more shreds than the database. Costs a `stat` where nothing was ever shredded,
    else a count."""
    lines = _counted.lines(_file(), _PURPOSE)
    if lines and Tombstone.objects.count() < lines:
        raise NotReplayed(
            f"{_file()} holds {lines} shreds, the database fewer: it was restored from a backup. "
            "Run `manage.py keys replay-shreds` before anything is served."
        )


def _stone(line: dict[str, Any]) -> Stone:
    try:
        return Stone(**line)
    except TypeError:
        raise Damaged(f"{_file()}: {Damaged.__doc__}") from None


def _file() -> Path:
    return Path(settings.TOMBSTONES_FILE)
