"""Verify a log from inside: everything the database and the key folder can tell. From outside, see verifier/verify.py.

One pass over a snapshot: each entry against its hash in the tree, its columns against its bytes, its sealed part
against its digest, its MAC; the tree against every checkpoint, and against what the signer remembers; what waits; the
triggers.
"""

import json
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
from django.conf import settings

from audit.anchors.checking import Bounds, Statements, examined, recalled
from audit.anchors.placing import checkpoint_of
from audit.canonical import base64url
from audit.checkpoints import BadNote, KeyProblem, Verifier, memory
from audit.database import connect, one, tile_fetcher, weaknesses
from audit.leaves import LEAVES, Leaf, wrong_columns
from audit.record import flaw_of
from audit.rotation import Ring, notes_in
from audit.sealer import Unavailable
from audit.sequencer import SKEW
from audit.tiles import HASH, WIDTH, Edge, MissingTile, hashes
from audit.tree import leaf_hash

LONGEST_WAIT = timedelta(minutes=1)  # an entry that waits longer for its place: the sequencer stands still
NAMED = 20  # findings of one kind that are listed; all are counted


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong, by name. `seq` is the entry it was found at, if any; a notice is no sign of tampering."""

    kind: str
    text: str
    seq: int | None = None
    notice: bool = False


@dataclass
class Report:
    """What was found out about one log."""

    log: str
    entries: int = 0
    checkpoints: int = 0
    signed_size: int = 0
    waiting: int = 0
    anchored_to: int | None = None
    counts: dict[str, int] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    def add(self, kind: str, text: str, seq: int | None = None, *, notice: bool = False) -> None:
        self.counts[kind] = self.counts.get(kind, 0) + 1
        if self.counts[kind] <= NAMED:
            self.findings.append(Finding(kind, text, seq, notice))

    @property
    def ok(self) -> bool:
        return all(finding.notice for finding in self.findings)

    @property
    def first_bad(self) -> int | None:
        found = [finding.seq for finding in self.findings if finding.seq is not None and not finding.notice]
        return min(found, default=None)

    def as_dict(self) -> dict[str, Any]:
        return asdict(self) | {"ok": self.ok, "first_bad": self.first_bad}

    @property
    def line(self) -> str:
        """Such as `main: 1 204 entries, tree and 37 checkpoints agree, signed to 1 204; not anchored outside`."""
        start = f"{self.log}: {number(self.entries)} entries"
        anchored = "not anchored outside"
        if self.anchored_to is not None:
            rest = self.entries - self.anchored_to
            anchored = f"anchored to {number(self.anchored_to)}, the {number(rest)} since rest on this server alone"
        waiting = f", {number(self.waiting)} waiting" if self.waiting else ""
        if self.ok:
            agree = f"tree and {number(self.checkpoints)} checkpoints agree, signed to {number(self.signed_size)}"
            return f"{start}, {agree}{waiting}; {anchored}"
        first = "" if self.first_bad is None else f", the first at entry {number(self.first_bad)}"
        kinds = ", ".join(sorted({finding.kind for finding in self.findings if not finding.notice}))
        return f"{start}: NOT as they were written{first} ({kinds}){waiting}; {anchored}"


_LOST = """
SELECT e.event_id, e.at FROM audit_entry e
WHERE e.log = %s AND NOT EXISTS (SELECT FROM audit_leaf l WHERE l.entry_id = e.id)
  AND NOT EXISTS (SELECT FROM audit_pending p WHERE p.entry_id = e.id)
ORDER BY e.id
"""
_WAITING = """
SELECT count(*), clock_timestamp() - min(e.created_at) FROM audit_pending p LEFT JOIN audit_entry e ON e.id = p.entry_id
WHERE p.log = %s
"""


def verify(log: str, *, folder: Path) -> Report:
    """Verify one log of the default database as it is now; `folder` holds the logs' keys and the signers' memory."""
    report = Report(log)
    remembered = _remembered(folder, log, report)  # before the snapshot: the tree is never behind what was signed
    outside = recalled(log, f"{settings.AUDIT_ORIGIN}/{log}")
    with connect() as connection, connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        with connection.cursor(binary=True) as cursor:
            _Pass(cursor, log, report, folder, remembered, outside).run()
    return report


class _Pass:
    def __init__(
        self,
        cursor: psycopg.Cursor[Any],
        log: str,
        report: Report,
        folder: Path,
        remembered: tuple[int, bytes] | None,
        outside: Statements,
    ) -> None:
        self._cursor, self._log, self._report, self._folder = cursor, log, report, folder
        self._fetch = tile_fetcher(cursor, log)
        self._edge = Edge()
        self._agreed = 0  # the tree of this size is the one that was signed
        self._latest: datetime | None = None
        self._remembered = remembered
        self._claims: dict[int, list[tuple[str, bytes]]] = {}
        self._outside, self._bounds = outside, Bounds(())

    def run(self) -> None:
        size = self._read_state()
        self._read_checkpoints()
        self._read_anchors()
        while self._edge.size < size or self._leaves_follow():
            if not self._check_tile(self._edge.size // WIDTH):
                break
        self._check_upper_tiles({}, last=True)
        self._check_end(size)
        self._check_waiting()
        for weakness in weaknesses(self._cursor):
            self._report.add("protection", weakness)

    def _add(self, kind: str, text: str, seq: int | None = None, *, notice: bool = False) -> None:
        self._report.add(kind, text, seq, notice=notice)

    # What the tree is held against

    def _read_state(self) -> int:
        query = (
            "SELECT size, signed_size, note, vkey, refusal, clock_timestamp() - beat_at FROM audit_state WHERE log = %s"
        )
        size, signed_size, note, vkey, refusal, quiet = one(self._cursor.execute(query, [self._log]))
        self._report.signed_size = signed_size
        self._ring = self._keys(vkey)
        if note:
            self._claim("the newest checkpoint", note, signed_size)
        if refusal:
            self._add("signer_refuses", refusal)
        if quiet is None or quiet > LONGEST_WAIT:
            self._add("no_beat", "The sequencer gives no sign of life.", notice=True)
        return int(size)

    def _keys(self, stored: str | None) -> Ring | None:
        """The key folder's public key, those that rotation notes lead to, and what the database says only when the
        folder cannot be read.
        """
        try:
            own = Verifier.parse((self._folder / f"{self._log}.vkey").read_text())
            notes = notes_in(self._folder, self._log)
        except (OSError, BadNote):
            own, notes = None, []
        try:
            trusted = own or (Verifier.parse(stored) if stored else None)
            ring = Ring(trusted, notes or self._rotations()) if trusted else None
        except BadNote as bad:
            self._add("foreign_key", f"The database names an impossible key or change of key: {bad}.")
            return None
        if ring and stored and stored not in map(str, ring.keys):
            self._add("foreign_key", f"The database names the key {stored}, the key folder {own}.")
        return ring

    def _rotations(self) -> list[str]:
        query = "SELECT note FROM audit_rotation WHERE log = %s ORDER BY number"
        return [note for (note,) in self._cursor.execute(query, [self._log]).fetchall()]

    def _read_checkpoints(self) -> None:
        query = "SELECT size, root, note FROM audit_checkpoint WHERE log = %s ORDER BY size"
        for size, root, note in self._cursor.execute(query, [self._log]).fetchall():
            self._report.checkpoints += 1
            self._claim(f"the checkpoint of {number(size)}", note, size, root)
        if self._remembered and self._remembered[0]:
            self._claims.setdefault(self._remembered[0], []).append(("the signer's memory", self._remembered[1]))

    def _claim(self, what: str, note: str, size: int, root: bytes | None = None) -> None:
        try:
            if self._ring is None:
                raise BadNote("no key to check it with")
            said = self._ring.checkpoint(note)
        except BadNote as bad:
            self._add("bad_checkpoint", f"{what} is not signed by this log's key: {bad}", size)
            return
        if (said.origin, said.size) != (self._ring.newest.name, size) or root not in (None, said.root):
            self._add("bad_checkpoint", f"{what} says something else than its row", size)
        self._claims.setdefault(said.size, []).append((what, said.root))

    def _read_anchors(self) -> None:
        said = examined(self._cursor, self._log, self._outside)
        for what, note in said.roots:
            try:
                size = checkpoint_of(note).size
            except BadNote as bad:
                self._add("bad_checkpoint", f"{what} is none: {bad}")
                continue
            self._claim(what, note, size)
        for kind, text, notice in said.found:
            self._add(kind, text, notice=notice)
        self._report.anchored_to, self._bounds = said.anchored_to, said.bounds()

    # Leaves

    def _leaves_follow(self) -> bool:
        query = "SELECT 1 FROM audit_leaf WHERE log = %s AND seq >= %s LIMIT 1"
        return self._cursor.execute(query, [self._log, self._edge.size]).fetchone() is not None

    def _check_tile(self, index: int) -> bool:
        """Check the 256 entries of one tile; False when the tree ends here."""
        first = index * WIDTH
        try:
            recorded = hashes(self._fetch(0, index))
        except MissingTile:
            self._add("tile", f"the hashes from entry {number(first)} on are gone", first)
            return False
        query = self._cursor.execute(LEAVES, [self._log, first, WIDTH])
        rows = {leaf.seq: leaf for leaf in map(Leaf.of, query.fetchall()) if leaf.seq < first + WIDTH}
        for seq, expected in enumerate(recorded, first):
            self._check_entry(seq, rows.get(seq), expected)
        self._grow(recorded)
        for seq in sorted(set(rows) - set(range(first, first + len(recorded)))):
            self._add("tile", "this entry has no hash in the tree", seq)
        self._report.entries = self._edge.size
        return len(recorded) == WIDTH

    def _grow(self, recorded: list[bytes]) -> None:
        """Add these hashes to the tree, stopping at each size for which a root is claimed."""
        start, end = self._edge.size, self._edge.size + len(recorded)
        for size in sorted({end} | {claimed for claimed in self._claims if start < claimed < end}):
            piece = recorded[self._edge.size - start : size - start]
            self._check_upper_tiles(self._edge.append_hashes(piece))
            claims = self._claims.pop(size, [])
            for what, root in claims:
                if root != self._edge.root():
                    self._add(
                        "rewritten",
                        f"the tree of {number(size)} entries is not the one of {what}; what differs lies between "
                        f"{number(self._agreed)} and {number(size - 1)}",
                        self._agreed,
                    )
            if claims and all(root == self._edge.root() for _, root in claims):
                self._agreed = size

    def _check_entry(self, seq: int, leaf: Leaf | None, expected: bytes) -> None:
        if leaf is None or leaf.entry is None:
            self._add("removed", "the entry is gone; its hash is still in the tree", seq)
            return
        if leaf_hash(leaf.entry) != expected:
            self._add("changed", "the entry's bytes are not those that were put into the tree", seq)
            return
        if leaf.leaf_event_id is None:
            self._add("double", "a copy of another entry, inserted behind the product's back", seq)
        elif leaf.leaf_event_id != leaf.event_id:
            self._add("changed_column", "the entry's event_id is not the one that was put into the tree", seq)
        if flaw := self._flaw(leaf.entry):
            self._add("inserted", f"not written by this product: {flaw}", seq)
            return
        facts = json.loads(leaf.entry)
        for column in wrong_columns(leaf, facts):
            self._add("changed_column", f"the column {column} does not say what the entry says", seq)
        self._check_sealed(seq, leaf, facts)
        self._check_clock(seq, leaf)
        if leaf.action in ("audit.anchor", "audit.renew_anchor") and facts["data"]["proof"] not in self._outside.proofs:
            self._add("anchor", "the proof that this entry names is gone", seq)

    def _flaw(self, entry: bytes) -> str | None:
        try:
            return flaw_of(entry, self._log)
        except Unavailable:
            if not self._report.counts.get("mac_unchecked"):
                self._add("mac_unchecked", "The writer's key is out of reach: MACs were not checked.", notice=True)
            return None

    def _check_sealed(self, seq: int, leaf: Leaf, facts: dict[str, Any]) -> None:
        said = facts.get("sealed")
        if said is None:
            if leaf.digest is not None:
                self._add("changed_sealed", "a sealed part was added", seq)
        elif leaf.digest is None:
            self._add("removed_sealed", "the sealed part is gone", seq)
        elif (base64url(leaf.digest), leaf.kid or said["kid"], leaf.alg or said["alg"]) != (
            said["h"],
            said["kid"],
            said["alg"],
        ):
            self._add("changed_sealed", "the sealed part is not the one that was written", seq)

    def _check_clock(self, seq: int, leaf: Leaf) -> None:
        if leaf.at is None:
            return
        if self._latest is not None and leaf.at < self._latest - SKEW:
            back = int((self._latest - leaf.at).total_seconds())
            self._add("clock_set_back", f"{back} seconds earlier than an entry before it", seq, notice=True)
            self._latest = leaf.at
        self._latest = max(self._latest or leaf.at, leaf.at)
        if broken := self._bounds.broken_by(seq, leaf.at, SKEW):
            self._add("outside_its_time", broken, seq, notice=True)

    def _check_upper_tiles(self, changed: dict[tuple[int, int], bytes], *, last: bool = False) -> None:
        """Tiles above the leaves are computed anew: each as soon as it is full, the last partial ones at the end."""
        if last:
            changed = self._edge.partial()
        for (level, index), data in changed.items():
            if level and (last or len(data) == WIDTH * HASH):
                try:
                    stored = self._fetch(level, index)
                except MissingTile:
                    stored = b""
                if stored != data:
                    self._add("tile", f"tile {level}/{index} is not what its leaves make", index * WIDTH ** (level + 1))

    # The end

    def _check_end(self, size: int) -> None:
        entries = self._edge.size
        if entries != size:
            self._add(
                "cut",
                f"the log's state says {number(size)} entries, the tree has {number(entries)}",
                min(size, entries),
            )
        for promised, claims in sorted(self._claims.items()):
            what = claims[0][0]
            self._add(
                "cut",
                f"{what} goes to {number(promised)}, the tree to {number(entries)}: its end was cut off, or an older "
                "backup was restored",
                entries,
            )
        if self._report.signed_size < entries and not self._report.counts.get("signer_refuses"):
            behind = entries - self._report.signed_size
            self._add("unsigned", f"{number(behind)} entries are not signed yet", notice=True)

    def _check_waiting(self) -> None:
        for event_id, at in self._cursor.execute(_LOST, [self._log]).fetchall():
            self._add(
                "lost",
                f"entry {event_id} of {at:%Y-%m-%d %H:%M:%S} UTC has no place and waits for none",
                self._edge.size,
            )
        self._report.waiting, age = one(self._cursor.execute(_WAITING, [self._log]))
        if self._report.waiting and (age is None or age > LONGEST_WAIT):
            self._add("sequencer_stopped", f"{number(self._report.waiting)} entries wait for their place for {age}")


def _remembered(folder: Path, log: str, report: Report) -> tuple[int, bytes] | None:
    try:
        return memory(folder, log)
    except KeyProblem as problem:
        report.add("signer_unknown", str(problem), notice=True)
        return None


def number(value: int) -> str:
    return f"{value:,}".replace(",", " ")
