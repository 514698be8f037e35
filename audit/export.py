"""Export a part of the log as a bundle that `verifier/verify.py` checks offline.

    README.txt                   what this is and how to check it
    checkpoint                   the signed note that everything is proved against
    checkpoints/<size>           earlier signed notes
    consistency.jsonl            {from, proof}: that the checkpoint continues those of earlier exports
                                 and the ones asked for                                          (case or customer)
    entries.jsonl                {entry, proof, seq}: each entry with its inclusion proof         (case or customer)
    report.html                  the same in words                                               (case or customer)
    tile/<level>/..., tile/entries/...   the whole tree, as C2SP tlog-tiles                       (full)
    keys/vkeys                   the log's public key, for convenience: never a root of trust
    verify.py                    the verifier, for convenience: take it from the release page
    manifest.json                origin, range, what this product did not write, and the digest of every other file
    manifest.note                the log's signature under the manifest's digest

The export is an entry before it leaves the house: the sequencer signs the manifest's digest only from such an entry.
"""

import base64
import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import IO, Any, TypeVar
from uuid import UUID

from django.conf import settings
from django.db import connections, transaction
from django.template.loader import render_to_string
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from audit import queries
from audit.actors import Acts
from audit.bundles import MANIFEST, NOTE, Listing, write_file, write_zip
from audit.canonical import dumps, timestamp
from audit.checkpoints import Checkpoint, Verifier
from audit.database import tile_fetcher
from audit.presenters import present
from audit.queries import Row
from audit.record import ObjectRef, record
from audit.tiles import WIDTH, Nodes, path, tiles_of
from audit.tree import consistency, inclusion

MOST_ENTRIES = 20_000  # in a case or customer bundle of the command; a larger one is a full export
STORED = 8  # stored checkpoints that come along
EARLIER = 64  # earlier exports whose checkpoints are shown to be continued; older ones when asked for (`since`)
QUIET = _("The log's sequencer does not answer, so nothing can be signed. Start it and try again.")
PATIENCE = 15.0  # seconds for the sequencer to place and sign

Found = TypeVar("Found")

VERIFIER = Path(__file__).parent / "verifier" / "verify.py"


NEEDS_TWO = _(
    "These are {found} entries. One person alone exports at most {most}: a larger export needs two persons. "
    "Have it proposed for a second person to confirm, or run manage.py audit export on the server."
)


class CannotExport(Exception):
    """The export is refused; the text says why and what to do."""

    def __init__(self, why: str | Promise) -> None:
        super().__init__(str(why))


@dataclass(frozen=True)
class Selection:
    """What is exported: a case by its number, a customer by id, or the full log. `since` are sizes of checkpoints
    held outside.
    """

    kind: str  # case | customer | full
    of: str | None = None
    log: str = "main"
    since: Sequence[int] = ()


@dataclass(frozen=True)
class _Basis:
    """The checkpoint that the export is made against."""

    note: str
    checkpoint: Checkpoint
    vkey: str


def export(selection: Selection, out: IO[bytes], *, by: Acts, reason: str, alone: int | None = None) -> UUID:
    """Write a ZIP to `out`; return the id of the entry that records it. Needs that no transaction is open.

    `alone` is how many entries `by` may export without a second person, None where the caller answers for that.
    Raises CannotExport.
    """
    files: dict[str, bytes] = {}
    event_id = _write(selection, files.__setitem__, by=by, reason=reason, alone=alone)
    write_zip(out, files)
    return event_id


def export_to_folder(selection: Selection, folder: Path, *, by: Acts, reason: str) -> UUID:
    """Write the bundle's files into a new folder, one after another: for exports of any size. Raises CannotExport."""
    if folder.exists():
        raise CannotExport(f"{folder} exists already. Choose a folder that does not exist yet.")
    return _write(selection, lambda name, data: write_file(folder, name, data), by=by, reason=reason)


def _write(
    selection: Selection, put: Callable[[str, bytes], None], *, by: Acts, reason: str, alone: int | None = None
) -> UUID:
    basis = _basis(selection.log)
    size = basis.checkpoint.size
    rows = [] if selection.kind == "full" else _rows(selection, size, alone)
    listing, count = Listing(), 0
    for name, data, entries in _files(selection, basis, rows):
        listing.add(name, data)
        put(name, data)
        count += entries
    facts: dict[str, Any] = {
        "entries": count,
        "kind": selection.kind,
        "log": selection.log,
        "made_at": timestamp(datetime.now(UTC)),
        "origin": basis.checkpoint.origin,
        "product": f"mizan {settings.VERSION}",
        "root": base64.b64encode(basis.checkpoint.root).decode(),
        "size": size,
        "v": 1,
    }
    # Said here too: the sequencer's entry about a row comes after the row, perhaps beyond this checkpoint.
    if flagged := (queries.flagged(selection.log, size) if selection.kind == "full" else _flagged(rows)):
        facts["flagged"] = [{"flaw": flaw, "seq": seq} for seq, flaw in flagged]
    if selection.of:
        facts["of"] = selection.of
    manifest = listing.manifest(facts)
    event_id = _record(selection, facts, sha256(manifest).hexdigest(), by=by, reason=reason)
    note = _signature(event_id)
    put(MANIFEST, manifest)
    put(NOTE, note.encode())
    return event_id


def _record(selection: Selection, facts: dict[str, Any], digest: str, *, by: Acts, reason: str) -> UUID:
    details = {key: facts[key] for key in ("entries", "kind", "of", "size") if key in facts} | {"manifest": digest}
    about = ObjectRef(selection.kind, selection.of or selection.log)
    with transaction.atomic(durable=True):
        return record("audit.export", by=by, about=about, note=reason, details=details, log=selection.log)


# ------------------------------------------------------------------------------------- the sequencer's part
def _basis(log: str) -> _Basis:
    """The newest checkpoint, once everything that was committed before this call has its place below it."""
    _refuse_if_quiet(log)
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT coalesce(max(entry_id), 0) FROM audit_pending WHERE log = %s", [log])
        (last,) = cursor.fetchone()

        def placed() -> int | None:
            cursor.execute(
                "SELECT size FROM audit_state WHERE log = %s AND NOT EXISTS "
                "(SELECT FROM audit_pending WHERE log = %s AND entry_id <= %s)",
                [log, log, last],
            )
            row = cursor.fetchone()
            return int(row[0]) if row else None

        wanted = _patiently(placed)

        def signed() -> _Basis | None:
            now = queries.standing(log)
            if now.signed_size < max(wanted, 1) or not now.note or not now.vkey:
                return None
            return _Basis(now.note, Checkpoint.parse(Verifier.parse(now.vkey).open(now.note)), now.vkey)

        return _patiently(signed)


def _refuse_if_quiet(log: str) -> None:
    now = queries.standing(log)
    if now.refusal:
        raise CannotExport(now.refusal)
    if not now.alive:
        raise CannotExport(QUIET)


def _signature(event_id: UUID) -> str:
    with connections["default"].cursor() as cursor:

        def note() -> str | None:
            cursor.execute("SELECT note FROM audit_bundle_note WHERE event_id = %s", [event_id])
            row = cursor.fetchone()
            return str(row[0]) if row else None

        return _patiently(note)


def _patiently(ask: Callable[[], Found | None]) -> Found:
    deadline = time.monotonic() + PATIENCE
    while (found := ask()) is None:
        if time.monotonic() > deadline:
            raise CannotExport(QUIET)
        time.sleep(0.05)
    return found


# ------------------------------------------------------------------------------------------------------ the files
def _files(selection: Selection, basis: _Basis, rows: Sequence[Row]) -> Iterator[tuple[str, bytes, int]]:
    """(name, data, entries in it)."""
    yield "checkpoint", basis.note.encode(), 0
    yield "keys/vkeys", f"{basis.vkey}\n".encode(), 0
    yield "verify.py", VERIFIER.read_bytes(), 0
    stored = _stored(selection, basis.checkpoint.size)
    for old, note in stored:
        yield f"checkpoints/{old}", note.encode(), 0
    if selection.kind == "full":
        yield from _whole_tree(selection.log, basis.checkpoint.size)
        yield "README.txt", render_to_string("audit/readme.txt", {"selection": selection, "basis": basis}).encode(), 0
        return
    with connections["default"].cursor() as cursor:
        nodes = Nodes(tile_fetcher(cursor, selection.log))
        size = basis.checkpoint.size
        earlier = _proved_from(selection, size, stored)
        proofs = [{"from": old, "proof": _text(consistency(nodes, old, size))} for old in earlier]
        lines = [_line(row, _text(inclusion(nodes, row.seq or 0, size))) for row in rows]
    yield "consistency.jsonl", _lines(dumps(proof) for proof in proofs), 0
    yield "entries.jsonl", _lines(lines), len(rows)
    context = {
        "selection": selection,
        "basis": basis,
        "rows": present(rows),
        "flagged": ", ".join(str(seq) for seq, flaw in _flagged(rows)),
        "made_at": datetime.now(UTC),
    }
    yield "report.html", render_to_string("audit/report.html", context).encode(), 0
    yield "README.txt", render_to_string("audit/readme.txt", context).encode(), 0


def _rows(selection: Selection, size: int, alone: int | None) -> list[Row]:
    """The entries, and what the log says of those among them that this product did not write."""
    of = selection.of or ""
    match selection.kind:
        case "case":
            rows = queries.of_matter(of, log=selection.log, size=size)
        case "customer":
            rows = queries.of_subject("customer", of, log=selection.log, size=size)
        case _:
            raise CannotExport(f"{selection.kind} is no kind of export.")
    if not rows:
        raise CannotExport(_("The log has no entries of this number."))
    if alone is not None and len(rows) > alone:
        raise CannotExport(str(NEEDS_TWO).format(found=len(rows), most=alone))
    if len(rows) > MOST_ENTRIES:
        raise CannotExport(
            f"These are more than {MOST_ENTRIES} entries. Make a full export: manage.py audit export --full"
        )
    said = queries.flags_of([seq for seq, flaw in _flagged(rows)], log=selection.log, size=size)
    return sorted({row.seq: row for row in (*rows, *said)}.values(), key=lambda row: row.seq or 0)


def _flagged(rows: Sequence[Row]) -> list[tuple[int, str]]:
    """(index, flaw) of what this product did not write."""
    return [(row.seq or 0, row.flag) for row in rows if row.flag]


def _line(row: Row, proof: list[str]) -> bytes:
    entry = bytes(row.entry)
    try:
        facts = json.loads(entry)
        if dumps(facts) != entry:
            raise ValueError
    except ValueError:
        raise CannotExport(f"Entry {row.seq} was not written by this product. Run manage.py audit verify.") from None
    return dumps({"entry": facts, "proof": proof, "seq": row.seq})


def _stored(selection: Selection, size: int) -> list[tuple[int, str]]:
    """The newest stored checkpoints below `size`: (size, note)."""
    with connections["default"].cursor() as cursor:
        cursor.execute(
            "SELECT size, note FROM audit_checkpoint WHERE log = %s AND size < %s ORDER BY size DESC LIMIT %s",
            [selection.log, size, STORED],
        )
        found: list[tuple[int, str]] = cursor.fetchall()
    return sorted(found)


def _proved_from(selection: Selection, size: int, stored: Sequence[tuple[int, str]]) -> list[int]:
    """Sizes that the checkpoint is shown to continue: of the stored ones, of earlier exports, and those asked for."""
    with connections["default"].cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT size FROM audit_bundle_note WHERE log = %s AND size BETWEEN 1 AND %s "
            "ORDER BY size DESC LIMIT %s",
            [selection.log, size - 1, EARLIER],
        )
        exported = {known for (known,) in cursor.fetchall()}
    asked = {known for known in selection.since if 0 < known < size}
    return sorted(asked | exported | {known for known, _ in stored})


def _whole_tree(log: str, size: int) -> Iterator[tuple[str, bytes, int]]:
    with connections["default"].cursor() as cursor:
        fetch = tile_fetcher(cursor, log)
        for level, index, width in tiles_of(size):
            yield path(level, index, width), fetch(level, index)[: width * 32], 0
            if level == 0:
                cursor.execute(
                    "SELECT e.entry FROM audit_leaf l JOIN audit_entry e ON e.id = l.entry_id "
                    "WHERE l.log = %s AND l.seq BETWEEN %s AND %s ORDER BY l.seq",
                    [log, index * WIDTH, index * WIDTH + width - 1],
                )
                entries = [bytes(entry) for (entry,) in cursor.fetchall()]
                data = b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries)
                yield path("entries", index, width), data, len(entries)


def _text(proof: list[bytes]) -> list[str]:
    return [base64.b64encode(step).decode() for step in proof]


def _lines(lines: Iterator[bytes] | list[bytes]) -> bytes:
    return b"".join(line + b"\n" for line in lines)
