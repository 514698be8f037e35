"""What the anchors say of the log, for a verification: roots that the tree must have, and bounds for its times.

Two sources: the rows of audit_anchor, whose proofs are checked with what the settings trust, and the anchors
themselves, as far as they can be read again. Whoever rewrites the database can take rows away, not what lies outside.
"""

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from itertools import accumulate
from typing import Any, NamedTuple

from audit.anchors import CannotAnchor, Configured, NotAsked, WrongProof, configured
from audit.anchors.placing import COLUMNS, Anchored, anchored
from audit.checkpoints import BadNote

CHECKED = 200  # proofs of one anchor that are checked anew, the newest; the roots of all are


class Said(NamedTuple):
    """A finding: what kind, in words, and whether it is only to be noted."""

    kind: str
    text: str
    notice: bool


@dataclass
class Statements:
    """What the anchors of one log say. `roots` are (who says so, note)."""

    roots: list[tuple[str, str]] = field(default_factory=list)
    times: list[tuple[int, datetime]] = field(default_factory=list)
    found: list[Said] = field(default_factory=list)
    proofs: set[str] = field(default_factory=set)
    anchored_to: int | None = None

    def bounds(self) -> "Bounds":
        return Bounds(self.times)


class Bounds:
    """Between which times an entry was written, by its index: after the anchor before it, before the one after it."""

    def __init__(self, times: Iterable[tuple[int, datetime]]) -> None:
        known = sorted(times)
        self._sizes = [size for size, _ in known]
        self._after = list(accumulate((at for _, at in known), max))
        self._before = list(accumulate((at for _, at in reversed(known)), min))[::-1]

    def broken_by(self, seq: int, at: datetime, skew: timedelta) -> str | None:
        """In words, when an entry with this index cannot be of this time."""
        place = bisect_right(self._sizes, seq)
        if place and at < self._after[place - 1] - skew:
            return f"says {at:%Y-%m-%d %H:%M:%S}, but the log was shorter on {self._after[place - 1]:%Y-%m-%d %H:%M:%S}"
        if place < len(self._sizes) and at > self._before[place] + skew:
            return f"says {at:%Y-%m-%d %H:%M:%S}, but was there on {self._before[place]:%Y-%m-%d %H:%M:%S}"
        return None


def recalled(log: str, origin: str) -> Statements:
    """What the anchors themselves hold. Ask before the log is read: they are never ahead of it then."""
    statements = Statements()
    try:
        anchors = [anchor for anchor in configured() if log in anchor.logs]
    except CannotAnchor as problem:
        statements.found.append(Said("anchor_silent", str(problem), True))
        return statements
    for name, anchor, _ in anchors:
        try:
            statements.roots += [(f"the checkpoint that {name} holds", note) for note in anchor.recall(log, origin)]
        except CannotAnchor as problem:
            statements.found.append(Said("anchor_silent", f"{name}: {problem}", True))
    return statements


def examined(cursor: Any, log: str, statements: Statements) -> Statements:
    """Add what the rows say, as `cursor` sees them."""
    cursor.execute(f"SELECT {COLUMNS} FROM audit_anchor WHERE log = %s ORDER BY size DESC, id DESC", [log])
    rows = [anchored(row) for row in cursor.fetchall()]
    statements.proofs = {sha256(row.proof).hexdigest() for row in rows}
    known = {one.name: one for one in configured()} if rows else {}
    left = dict.fromkeys((row.name for row in rows), CHECKED)
    for row in rows:
        statements.roots.append((f"the checkpoint that {row.name} confirmed on {row.at:%Y-%m-%d %H:%M} UTC", row.note))
        if row.renews is None and left[row.name]:
            left[row.name] -= 1
            _examine(row, known.get(row.name), statements, first=left[row.name] == CHECKED - 1)
    return statements


def _examine(row: Anchored, anchor: Configured | None, statements: Statements, *, first: bool) -> None:
    try:
        if anchor is None:
            raise NotAsked("the settings do not name it any more")
        if at := anchor.anchor.check(row.held, row.proof):
            statements.times.append((row.size, at))
        statements.anchored_to = max(statements.anchored_to or 0, row.size)
    except NotAsked as why:
        if first:
            statements.found.append(Said("anchor_unasked", f"{row.name}, {row.size} entries: {why}", True))
    except (WrongProof, BadNote) as wrong:
        statements.found.append(Said("anchor", f"{row.name}, {row.size} entries: {wrong}", False))
