"""Export a part of the log as a bundle that `verifier/verify.py` checks offline.

    README.txt                   what this is and how to check it
    checkpoint                   the signed note that everything is proved against
    checkpoints/<size>           earlier signed notes
    consistency.jsonl            {from, proof}: that the checkpoint continues those of earlier exports
                                 and the ones asked for                                          (all but full)
    entries.jsonl                {entry, proof, seq}: each entry with its inclusion proof         (case or customer)
    report.html, report-<language>.pdf   the same in words                                       (case or customer)
    sealed/...                   the sealed parts for one recipient, see sealed_parts.py          (when asked for)
    tile/entries/..., tile/0/... every entry of the period, and what leads from it to the root    (period)
    tile/<level>/..., tile/entries/...   the whole tree, as C2SP tlog-tiles                       (full)
    keys/vkeys                   the log's public key, for convenience: never a root of trust
    keys/rotations/<n>           how the log changed its key, signed with the old and the new one
    anchors/, cosignatures/      what others outside said of these checkpoints (audit/anchors/bundled.py)
    verify.py                    the verifier, for convenience: take it from the release page
    manifest.json                origin, range, what this product did not write, and the digest of every other file
    manifest.note                the log's signature under the manifest's digest

Every file is made when its turn comes and none is kept, so an export of any size needs little memory. The export is an
entry before it leaves the house: the sequencer signs the manifest's digest only from such an entry.
"""

import base64
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import IO, Any, TypeVar
from uuid import UUID

from django.conf import settings
from django.db import connections, transaction
from django.template.loader import render_to_string
from django.utils.translation import gettext_lazy as _

from audit import queries, sealed_parts, selections
from audit.actors import Acts
from audit.anchors import bundled
from audit.bundles import MANIFEST, NOTE, FolderTarget, Listing, Target, TooLarge, ZipTarget
from audit.canonical import dumps, timestamp
from audit.checkpoints import Checkpoint, Verifier
from audit.database import tile_fetcher
from audit.packing import unpack
from audit.presenters import present
from audit.queries import Row
from audit.reading_copy import pdfs
from audit.record import ObjectRef, record
from audit.rotation import Rotation, notes_of
from audit.selections import CannotExport, NeedsTwo, Selection, flagged
from audit.tiles import WIDTH, Nodes, path, tiles_of
from audit.tree import consistency, inclusion

__all__ = ["CannotExport", "NeedsTwo", "Selection", "export", "export_to_folder"]

STORED = 8  # stored checkpoints that come along
EARLIER = 64  # earlier exports whose checkpoints are shown to be continued; older ones when asked for (`since`)
QUIET = _("The log's sequencer does not answer, so nothing can be signed. Start it and try again.")
PATIENCE = 15.0  # seconds for the sequencer to place and sign

Found = TypeVar("Found")
Files = dict[str, Callable[[], bytes]]  # name -> what makes the file
Progress = Callable[[int, int], None]  # (files written, files in all)

VERIFIER = Path(__file__).parent / "verifier" / "verify.py"


@dataclass(frozen=True)
class _Basis:
    """The checkpoint that the export is made against."""

    note: str
    checkpoint: Checkpoint
    vkey: str


@dataclass(frozen=True)
class _Plan:
    """What will be written, and what the manifest says besides the list of files."""

    files: Files
    facts: Mapping[str, Any]


def export(
    selection: Selection,
    out: IO[bytes],
    *,
    by: Acts,
    reason: str,
    alone: int | None = None,
    proposal: str | None = None,
    progress: Progress | None = None,
) -> UUID:
    """Write a ZIP to `out`; return the id of the entry that records it. Needs that no transaction is open.

    `alone` is how many entries `by` may export without a second person, and then nothing sealed; None where the caller
    answers for that. `proposal` is what a second person confirmed. Raises CannotExport, and NeedsTwo of it.
    """
    try:
        return _write(selection, ZipTarget(out), by=by, reason=reason, alone=alone, proposal=proposal, told=progress)
    except TooLarge:
        raise CannotExport(
            _("This is more than one ZIP holds. Run manage.py audit export --to FOLDER on the server.")
        ) from None


def export_to_folder(
    selection: Selection, folder: Path, *, by: Acts, reason: str, progress: Progress | None = None
) -> UUID:
    """Write the bundle's files into a new folder, one after another: for exports of any size. Raises CannotExport."""
    if folder.exists():
        raise CannotExport(f"{folder} exists already. Choose a folder that does not exist yet.")
    return _write(selection, FolderTarget(folder), by=by, reason=reason, told=progress)


def _write(
    selection: Selection,
    target: Target,
    *,
    by: Acts,
    reason: str,
    alone: int | None = None,
    proposal: str | None = None,
    told: Progress | None = None,
) -> UUID:
    basis = _basis(selection.log)
    if alone is not None:
        _refuse_alone(selection, basis.checkpoint.size, alone)
    plan = _plan(selection, basis)
    listing = Listing()
    for number, name in enumerate(sorted(plan.files), 1):
        data = plan.files[name]()
        listing.add(name, data)
        target.put(name, data)
        if told:
            told(number, len(plan.files))
    manifest = listing.manifest(plan.facts)
    event_id = _record(selection, plan.facts, sha256(manifest).hexdigest(), by=by, reason=reason, proposal=proposal)
    note = _signature(event_id)
    target.put(MANIFEST, manifest)
    target.put(NOTE, note.encode())
    target.close()
    return event_id


def _refuse_alone(selection: Selection, size: int, alone: int) -> None:
    found = selections.count(selection, size)
    if found > alone or selection.recipient:
        raise NeedsTwo(found, alone)


def _record(
    selection: Selection, facts: Mapping[str, Any], digest: str, *, by: Acts, reason: str, proposal: str | None
) -> UUID:
    details = {key: facts[key] for key in ("entries", "kind", "of", "size") if key in facts} | {"manifest": digest}
    if proposal:
        details["proposal"] = proposal
    if selection.recipient:
        details["recipient"] = sealed_parts.fingerprint(selection.recipient)
    about = ObjectRef(selection.kind, selection.title or selection.log)
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
def _plan(selection: Selection, basis: _Basis) -> _Plan:
    size = basis.checkpoint.size
    files: Files = {
        "checkpoint": basis.note.encode,
        "keys/vkeys": f"{basis.vkey}\n".encode,
        "verify.py": VERIFIER.read_bytes,
        "README.txt": lambda: _readme(selection, basis),
    }
    confirmed = bundled.proofs(selection.log, size)
    rotations = notes_of(selection.log)
    stored = sorted((dict(_stored(selection, size)) | bundled.checkpoints(confirmed)).items())
    files |= {f"checkpoints/{old}": note.encode for old, note in stored}
    files |= {f"keys/rotations/{number}": note.encode for number, note in enumerate(rotations, 1)}
    files |= bundled.files(confirmed)
    stored += [(at, note) for note in rotations if 0 < (at := Rotation.parse(note).at.size) <= size]
    facts: dict[str, Any] = {
        "kind": selection.kind,
        "log": selection.log,
        "made_at": timestamp(datetime.now(UTC)),
        "origin": basis.checkpoint.origin,
        "product": f"mizan {settings.VERSION}",
        "root": base64.b64encode(basis.checkpoint.root).decode(),
        "size": size,
        "v": 1,
    }
    if selection.title:
        facts["of"] = selection.title
    if selection.kind != "full":
        files["consistency.jsonl"] = lambda: _proofs(selection, size, stored)
    if selection.in_tiles:
        facts |= _tiles(selection, size, files)
    else:
        facts |= _entries(selection, basis, files)
    return _Plan(files, facts)


def _readme(selection: Selection, basis: _Basis) -> bytes:
    context = {"selection": selection, "basis": basis, "releases": settings.RELEASES_URL}
    return render_to_string("audit/readme.txt", context).encode()


def _tiles(selection: Selection, size: int, files: Files) -> dict[str, Any]:
    """The whole tree, or a period's entries, the hashes above them, and the tree's right edge. Adds to `files`."""
    first, last = (0, size - 1) if selection.kind == "full" else selections.span(selection, size)
    cursor = connections["default"].cursor()
    fetch = tile_fetcher(cursor, selection.log)
    edge = size // WIDTH  # the last tile of leaves, when it is not full

    def hashes(level: int, index: int, width: int) -> Callable[[], bytes]:
        return lambda: fetch(level, index)[: width * 32]

    def entries(index: int, width: int) -> Callable[[], bytes]:
        return lambda: _entry_tile(cursor, selection.log, index, width)

    for level, index, width in tiles_of(size):
        held = level == 0 and first // WIDTH <= index <= last // WIDTH
        if held:
            files[path("entries", index, width)] = entries(index, width)
        if held or selection.kind == "full" or level == 1 or (level == 0 and index == edge):
            files[path(level, index, width)] = hashes(level, index, width)
    facts: dict[str, Any] = {"entries": last - first + 1, "first": first, "last": last}
    # Said here too: the sequencer's entry about a row comes after the row, perhaps beyond this checkpoint.
    return facts | _flags(queries.flagged(selection.log, first, last))


def _entry_tile(cursor: Any, log: str, index: int, width: int) -> bytes:
    cursor.execute(
        "SELECT e.entry FROM audit_leaf l JOIN audit_entry e ON e.id = l.entry_id "
        "WHERE l.log = %s AND l.seq BETWEEN %s AND %s ORDER BY l.seq",
        [log, index * WIDTH, index * WIDTH + width - 1],
    )
    entries = [unpack(bytes(stored)) for (stored,) in cursor.fetchall()]
    return b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries)


def _entries(selection: Selection, basis: _Basis, files: Files) -> dict[str, Any]:
    """The entries of a case or customer with their proofs, in words, and sealed for a recipient. Adds to `files`."""
    size = basis.checkpoint.size
    rows = selections.rows(selection, size)
    origin = basis.checkpoint.origin
    if selection.recipient:
        sealed = sealed_parts.files(rows, log=selection.log, origin=origin, recipient=selection.recipient)
        files |= {name: lambda data=data: data for name, data in sealed.items()}  # type: ignore[misc]
    files["entries.jsonl"] = lambda: _proved(selection.log, rows, size)
    context = {
        "selection": selection,
        "basis": basis,
        "rows": present(rows),
        "flagged": ", ".join(str(seq) for seq, flaw in flagged(rows)),
        "made_at": datetime.now(UTC),
    }
    files["report.html"] = lambda: render_to_string("audit/report.html", context).encode()
    files |= pdfs(str(selection.title), rows, basis.checkpoint)
    return {"entries": len(rows)} | _flags(flagged(rows))


def _flags(found: Sequence[tuple[int, str]]) -> dict[str, Any]:
    return {"flagged": [{"flaw": flaw, "seq": seq} for seq, flaw in found]} if found else {}


def _proved(log: str, rows: Sequence[Row], size: int) -> bytes:
    with connections["default"].cursor() as cursor:
        nodes = Nodes(tile_fetcher(cursor, log))
        return _lines([_line(row, _text(inclusion(nodes, row.seq or 0, size))) for row in rows])


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


def _proofs(selection: Selection, size: int, stored: Sequence[tuple[int, str]]) -> bytes:
    with connections["default"].cursor() as cursor:
        nodes = Nodes(tile_fetcher(cursor, selection.log))
        earlier = _proved_from(selection, size, stored)
        return _lines([dumps({"from": old, "proof": _text(consistency(nodes, old, size))}) for old in earlier])


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


def _text(proof: list[bytes]) -> list[str]:
    return [base64.b64encode(step).decode() for step in proof]


def _lines(lines: list[bytes]) -> bytes:
    return b"".join(line + b"\n" for line in lines)
