"""The one process that gives entries their place in the tree and signs how far it goes.

Each tick takes what was committed since the last one, in the order of its ids, and in one transaction gives each entry
the next index of its log, adds its hash to the tiles, and moves the state on. Then it signs. A transaction that starts
after another was committed gets the higher index; one that commits late is not lost, because it is found in
audit_pending and not by comparing ids.

Leader is who holds the advisory lock. Every write also demands the epoch taken with it, so that a sequencer that lost
its connection and does not know it yet cannot write.
"""

import json
import logging
import struct
import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import psycopg
from django.conf import settings
from django.db import InterfaceError, OperationalError, connections, transaction

from audit.actors import system
from audit.checkpoints import BadNote, KeyChanged, KeyProblem, Signer, SignerRefuses, Verifier
from audit.database import connect, one, tile_fetcher, weaknesses
from audit.models import LOGS
from audit.packing import unpack
from audit.record import ObjectRef, flaw_of, record
from audit.rotation import Ring, notes_in
from audit.sealer import sealer
from audit.stopping import Stop
from audit.tiles import Edge, Nodes, levels, width
from audit.tree import consistency

BATCH = 8192
LEADER = (0x4D69, 0x7A61)  # the advisory lock
CHECKPOINT_EVERY = 60.0  # seconds between stored checkpoints; the newest is always in audit_state
BEAT_EVERY = 1.0  # seconds between signs of life
HOUR = 3600.0
SKEW = timedelta(minutes=5)  # older than the entry before by more than this: the clock was set back
SHORTEST_PAUSE, LONGEST_PAUSE = 0.1, 5.0  # seconds before a sequencer that lost its database starts over

_log = logging.getLogger(__name__)

# An array, not IN (SELECT): after an ANALYZE of the empty table the planner would compare each row with each.
_TAKE = """
DELETE FROM audit_pending WHERE entry_id = ANY(ARRAY(SELECT entry_id FROM audit_pending ORDER BY entry_id LIMIT %s))
RETURNING entry_id
"""
_FETCH = "SELECT id, log, event_id, at, action, entry FROM audit_entry WHERE id BETWEEN %s AND %s ORDER BY id"
_FETCH_FEW = f"{_FETCH.removesuffix(' ORDER BY id')} AND id = ANY(%s) ORDER BY id"
_COPY_START, NULL = b"PGCOPY\n\xff\r\n\0" + bytes(8), b"\xff\xff\xff\xff"
_LEAVES = "COPY audit_leaf (log, seq, entry_id, event_id, flag) FROM STDIN (FORMAT BINARY)"
_TILE = """
INSERT INTO audit_tile (log, level, idx, data) VALUES (%s, %s, %s, %s)
ON CONFLICT (log, level, idx) DO UPDATE SET data = EXCLUDED.data
"""
_MOVE = """
UPDATE audit_state SET size = %s, latest_at = %s, beat_at = now() WHERE log = %s AND epoch = %s AND size = %s
"""
_SIGNED = """
UPDATE audit_state SET signed_size = %s, note = %s, vkey = %s, refusal = NULL WHERE log = %s AND epoch = %s
"""
_CHECKPOINT = "INSERT INTO audit_checkpoint (log, size, root, note) VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING"
_ROTATION = "INSERT INTO audit_rotation (log, number, size, note) VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING"
_BUNDLE = "INSERT INTO audit_bundle_note (event_id, log, size, note) VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING"


class LostLeadership(Exception):
    """Another sequencer took over."""


class Row(NamedTuple):
    id: int
    log: str
    event_id: UUID
    at: datetime
    action: str
    entry: bytes

    @classmethod
    def of(cls, *found: Any) -> "Row":
        return cls._make((*found[:-1], unpack(found[-1])))


class Notice(NamedTuple):
    """An entry that the sequencer writes itself, once the batch that made it necessary is committed."""

    action: str
    log: str
    details: dict[str, Any]


class Log:
    """One log as its sequencer knows it: the tree's edge, the newest time, the signer, and what is due."""

    def __init__(self, name: str, edge: Edge, latest_at: datetime | None, signer: Signer) -> None:
        self.name, self.edge, self.latest_at, self.signer = name, edge, latest_at, signer
        self.signed_size = -1
        self.checkpoint_due = 0.0
        self.refusal = ""


class Sequencer:
    """Runs until `stop` is set. `folder` holds the logs' keys; `tick` is in seconds."""

    def __init__(self, *, folder: Path, tick: float) -> None:
        self.stop = Stop()
        self._folder, self._seconds = folder, tick
        self._logs: dict[str, Log] = {}
        self._notices: list[Notice] = []
        self._epoch = 0
        self._beat_due = self._hour_due = 0.0

    def run(self) -> None:
        """Lead and tick; after a loss of the database or of leadership, start over. Raises KeyProblem."""
        pause = SHORTEST_PAUSE
        while not self.stop.is_set():
            try:
                with connect() as connection:
                    if self.lead(connection):
                        pause = SHORTEST_PAUSE
                        self._work(connection)
                    else:
                        self.stop.wait(1.0)
            except (
                psycopg.OperationalError,
                psycopg.InterfaceError,
                OperationalError,
                InterfaceError,
                LostLeadership,
                KeyChanged,
            ) as lost:
                _log.warning("The sequencer starts over: %s", type(lost).__name__)
                connections.close_all()
                self.stop.wait(pause)
                pause = min(pause * 2, LONGEST_PAUSE)

    def _work(self, connection: psycopg.Connection) -> None:
        _log.info("This sequencer leads with epoch %s", self._epoch)
        self._write_in_both("audit.start", protection=_in_words(self._weaknesses(connection)))
        while not self.stop.is_set():
            if not self.tick(connection):
                self.stop.wait(self._seconds)
        self._write_in_both("audit.stop")
        for log in self._logs.values():
            log.checkpoint_due = 0.0
        while self.tick(connection):
            pass

    def tick(self, connection: psycopg.Connection) -> bool:
        """Place what waits, and sign; whether more may be waiting."""
        placed = self._place(connection)
        for name, log in self._logs.items():
            exports = [(seq, row) for seq, row in placed.get(name, []) if row.action == "audit.export"]
            if log.edge.size and log.edge.size != log.signed_size:
                self._sign(connection, log, exports)
        while self._notices:
            self._write(self._notices[0])
            self._notices.pop(0)
        now = time.monotonic()
        if now >= self._beat_due:
            self._beat_due = now + BEAT_EVERY
            self._beat(connection)
        if now >= self._hour_due:
            self._hour_due = now + HOUR
            self._each_hour(connection)
        return sum(len(rows) for rows in placed.values()) == BATCH

    # Leading

    def lead(self, connection: psycopg.Connection) -> bool:
        """Become the leader, if nobody is; open both logs as the database has them."""
        with connection.cursor() as cursor:
            if not one(cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", LEADER))[0]:
                return False
            cursor.execute("UPDATE audit_state SET epoch = epoch + 1 RETURNING epoch")
            self._epoch = max(epoch for (epoch,) in cursor.fetchall())
            cursor.execute("UPDATE audit_state SET epoch = %s, refusal = NULL", [self._epoch])
        self._notices.clear()
        self._logs = {name: self._open(connection, name) for name in LOGS}
        self._hour_due = 0.0
        return True

    def _open(self, connection: psycopg.Connection, name: str) -> Log:
        with connection.cursor(binary=True) as cursor:
            query = "SELECT size, latest_at, signed_size FROM audit_state WHERE log = %s"
            size, latest_at, signed_size = one(cursor.execute(query, [name]))
            fetch = tile_fetcher(cursor, name)
            begun = [level for level in range(levels(size)) if width(size, level)]
            edge = Edge(size, {level: fetch(level, size >> 8 * level + 8) for level in begun})
            signer = self._signer(name, ever_signed=signed_size > 0)
            self._take_up_rotations(cursor, name, signer)
            # A changed key shows with the first note that it signed.
            cursor.execute(
                "UPDATE audit_state SET vkey = coalesce(vkey, %s) WHERE log = %s", [str(signer.verifier), name]
            )
        return Log(name, edge, latest_at, signer)

    def _signer(self, name: str, *, ever_signed: bool) -> Signer:
        if Signer.exists(self._folder, name) or ever_signed:
            signer = Signer(self._folder, name)  # a log keeps its key: a missing one is refused by name
            signer.publish()
            return signer
        signer = Signer.create(self._folder, name, f"{settings.AUDIT_ORIGIN}/{name}")
        self._notices.append(Notice("audit.make_key", name, {"vkey": str(signer.verifier)}))
        return signer

    def _take_up_rotations(self, cursor: psycopg.Cursor[Any], name: str, signer: Signer) -> None:
        """The notes of the key folder that the database does not hold yet: exports bring them along."""
        try:
            ring = Ring(signer.verifier, notes := notes_in(self._folder, name))
        except BadNote as bad:
            raise KeyProblem(f"The rotation notes of the log {name} in {self._folder} are no chain: {bad}.") from None
        for rotation, note in zip(ring.rotations, notes, strict=True):
            cursor.execute(_ROTATION, [name, rotation.number, rotation.at.size, note])
            if cursor.rowcount:
                details = {"number": rotation.number, "size": rotation.at.size, "vkey": str(rotation.new)}
                self._notices.append(Notice("audit.rotate_key", name, details))

    # Placing

    def _place(self, connection: psycopg.Connection) -> dict[str, list[tuple[int, Row]]]:
        """Take a batch into the trees in one transaction; by log, each row with its index."""
        with connection.transaction(), connection.cursor(binary=True) as cursor:
            ids = sorted(entry_id for (entry_id,) in cursor.execute(_TAKE, [BATCH]).fetchall())
            if not ids:
                return {}
            rows = _fetch(cursor, ids)
            placed = {}
            for log in self._logs.values():
                if mine := [row for row in rows if row.log == log.name]:
                    placed[log.name] = self._extend(cursor, log, mine)
        return placed

    def _extend(self, cursor: psycopg.Cursor[Any], log: Log, rows: Sequence[Row]) -> list[tuple[int, Row]]:
        """If this raises, the edge in memory is ahead of the database; `run` then opens everything anew."""
        start = log.edge.size
        self._watch_clock(log, rows)
        self._write_leaves(cursor, log, rows)
        changed = log.edge.append(row.entry for row in rows)
        cursor.executemany(_TILE, [(log.name, level, index, data) for (level, index), data in changed.items()])
        cursor.execute(_MOVE, [log.edge.size, log.latest_at, log.name, self._epoch, start])
        if cursor.rowcount != 1:
            raise LostLeadership
        return list(enumerate(rows, start))

    def _write_leaves(self, cursor: psycopg.Cursor[Any], log: Log, rows: Sequence[Row]) -> None:
        mac = sealer().writer()
        flaws = [flaw_of(row.entry, log.name, mac) for row in rows]
        try:
            with cursor.connection.transaction():
                _copy(cursor, log, rows, flaws)
        except psycopg.errors.UniqueViolation:
            # Somebody inserted a copy of an entry. It gets its place all the same, with a flag instead of the id.
            query = "SELECT event_id FROM audit_leaf WHERE event_id = ANY(%s)"
            seen = {found for (found,) in cursor.execute(query, [[row.event_id for row in rows]]).fetchall()}
            for at, row in enumerate(rows):
                flaws[at] = "double" if row.event_id in seen else flaws[at]
                seen.add(row.event_id)
            _copy(cursor, log, rows, flaws)
        for seq, flaw in enumerate(flaws, log.edge.size):
            if flaw:
                _log.error("Entry %s of the log %s was not written by this product: %s", seq, log.name, flaw)
                self._notices.append(Notice("audit.flag", log.name, {"seq": seq, "flaw": flaw}))

    def _watch_clock(self, log: Log, rows: Sequence[Row]) -> None:
        for seq, row in enumerate(rows, log.edge.size):
            if log.latest_at is not None and row.at < log.latest_at - SKEW:
                back = int((log.latest_at - row.at).total_seconds())
                self._notices.append(Notice("audit.regress", log.name, {"seq": seq, "seconds": back}))
                log.latest_at = row.at
            log.latest_at = max(log.latest_at or row.at, row.at)

    # Signing

    def _sign(self, connection: psycopg.Connection, log: Log, exports: Sequence[tuple[int, Row]]) -> None:
        size, root = log.edge.size, log.edge.root()
        with connection.cursor(binary=True) as cursor:
            nodes = Nodes(tile_fetcher(cursor, log.name))
            try:
                note = log.signer.sign(size, root, lambda old, new: consistency(nodes, old, new))
            except (SignerRefuses, KeyProblem) as refused:
                self._refused(cursor, log, str(refused))
                return
            except OSError as broken:  # no space for its memory, say: it signs as soon as there is some
                why = f"The memory of the signer of {log.signer.verifier.name} cannot be written: {broken.strerror}."
                self._refused(cursor, log, why)
                log.signed_size = -1
                return
        log.signed_size, log.refusal = size, ""
        due = time.monotonic() >= log.checkpoint_due
        with connection.transaction(), connection.cursor() as cursor:
            if cursor.execute(_SIGNED, [size, note, str(log.signer.verifier), log.name, self._epoch]).rowcount != 1:
                raise LostLeadership
            if due or exports:
                log.checkpoint_due = time.monotonic() + CHECKPOINT_EVERY
                cursor.execute(_CHECKPOINT, [log.name, size, root, note])
            for seq, row in exports:
                if made := statement(log.name, log.signer.verifier, row.entry, seq):
                    proved_against, text = made
                    cursor.execute(_BUNDLE, [row.event_id, log.name, proved_against, log.signer.note(text)])

    def _refused(self, cursor: psycopg.Cursor[Any], log: Log, why: str) -> None:
        """Entries go on being placed; nothing is signed, /readyz and `audit verify` say why."""
        log.signed_size = log.edge.size
        if log.refusal != why:
            log.refusal = why
            _log.critical("%s", why)
            cursor.execute(
                "UPDATE audit_state SET refusal = %s WHERE log = %s AND epoch = %s", [why, log.name, self._epoch]
            )

    # Signs of life

    def _beat(self, connection: psycopg.Connection) -> None:
        beat = connection.execute("UPDATE audit_state SET beat_at = now() WHERE epoch = %s", [self._epoch])
        if beat.rowcount != len(LOGS):
            raise LostLeadership
        for log in self._logs.values():
            log.signer.ensure_in_use()

    def _each_hour(self, connection: psycopg.Connection) -> None:
        with connection.cursor() as cursor:
            (rooms,) = one(cursor.execute("SELECT audit_add_partition()"))
            cursor.execute("DELETE FROM audit_read_mark WHERE until < now() - interval '1 day'")
        if rooms:
            self._write_in_both("audit.add_partition", rooms=rooms)
        weak = self._weaknesses(connection)
        for name, log in self._logs.items():
            log.checkpoint_due = 0.0
            self._write(Notice("audit.beat", name, {"size": log.edge.size, "protection": _in_words(weak)}))
            if weak:
                _log.critical("The log is not protected: %s", "; ".join(weak))
                self._write(Notice("audit.weaken", name, {"missing": weak}))

    def _weaknesses(self, connection: psycopg.Connection) -> list[str]:
        with connection.cursor() as cursor:
            return weaknesses(cursor)

    def _write_in_both(self, action: str, **details: Any) -> None:
        for name, log in self._logs.items():
            self._write(Notice(action, name, {"size": log.edge.size} | details))

    def _write(self, notice: Notice) -> None:
        with transaction.atomic():
            record(
                notice.action, by=system(), about=ObjectRef("log", notice.log), details=notice.details, log=notice.log
            )


def _in_words(weak: Sequence[str]) -> str:
    """For an entry: that somebody looked, and what was found."""
    return "; ".join(weak) or "complete"


def _fetch(cursor: psycopg.Cursor[Any], ids: list[int]) -> list[Row]:
    first, last = ids[0], ids[-1]
    if last - first < 2 * len(ids):  # nearly all in one range: reading it is cheaper than looking each of them up
        wanted = set(ids)
        return [Row.of(*row) for row in cursor.execute(_FETCH, [first, last]).fetchall() if row[0] in wanted]
    return [Row.of(*row) for row in cursor.execute(_FETCH_FEW, [first, last, ids]).fetchall()]


def _copy(cursor: psycopg.Cursor[Any], log: Log, rows: Sequence[Row], flaws: Sequence[str | None]) -> None:
    """The rows as PostgreSQL's binary COPY has them, packed by hand: a row is five fields, each after its length."""
    name = log.name.encode()
    start = struct.pack(f"!hi{len(name)}si", 5, len(name), name, 8)
    pack = struct.Struct("!qiq").pack
    found = [_COPY_START]
    for seq, (row, flaw) in enumerate(zip(rows, flaws, strict=True), log.edge.size):
        event_id = NULL if flaw == "double" else b"\0\0\0\x10" + row.event_id.bytes
        words = NULL if flaw is None else struct.pack(f"!i{len(flaw)}s", len(flaw), flaw.encode())
        found.append(b"%s%s%s%s" % (start, pack(seq, 8, row.id), event_id, words))
    found.append(b"\xff\xff")
    with cursor.copy(_LEAVES) as copy:
        copy.write(b"".join(found))


def statement(log: str, verifier: Verifier, entry: bytes, seq: int) -> tuple[int, str] | None:
    """Size that an export was proved against, and what is signed under it; None if this product did not record it."""
    if flaw_of(entry, log):
        return None
    said = json.loads(entry).get("data", {})
    if not said.get("manifest"):
        return None
    return said.get("size", 0), f"mizan.bundle/v1\n{verifier.name}\n{seq}\n{said['manifest']}\n"
