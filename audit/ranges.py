"""Verify a part of the log now: from one entry to another, within a page's time. `verify` goes through all of it.

Each tile of the range is held against the signed root, each entry against its hash, its columns, its sealed part and
the writer's MAC.
"""

import json
from dataclasses import dataclass, field
from typing import Any

from django.db import connections

from audit import queries
from audit.canonical import base64url
from audit.checkpoints import BadNote, Checkpoint, Verifier
from audit.database import tile_fetcher
from audit.leaves import LEAVES, Leaf, wrong_columns
from audit.record import flaw_of
from audit.sealer import sealer
from audit.tiles import WIDTH, MissingTile, Nodes, hashes
from audit.tree import included, inclusion, leaf_hash

MOST = 10_000  # entries at once: two seconds


@dataclass
class RangeReport:
    """What was found between `first` and `last`: (kind as in README "What `audit verify` may find", index)."""

    first: int
    last: int
    size: int
    findings: list[tuple[str, int]] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return not self.findings

    @property
    def counts(self) -> dict[str, int]:
        kinds = [kind for kind, _ in self.findings]
        return {kind: kinds.count(kind) for kind in sorted(set(kinds))}


def check(log: str, first: int, last: int) -> RangeReport:
    """Verify the entries `first` to `last`, at most `MOST`, as far as they are signed. ValueError: there are none."""
    now = queries.standing(log)
    last = min(last, now.signed_size - 1, first + MOST - 1)
    if not 0 <= first <= last or not now.note or not now.vkey:
        raise ValueError("There is nothing signed between these two.")
    report = RangeReport(first, last, now.signed_size)
    try:
        tree = Checkpoint.parse(Verifier.parse(now.vkey).open(now.note))
    except BadNote:
        report.findings.append(("bad_checkpoint", now.signed_size))
        return report
    with connections["default"].cursor() as cursor:
        expected = _expected(cursor, log, first, last, tree, report)
        cursor.execute(LEAVES, [log, first, last - first + 1])
        found = {leaf.seq: leaf for leaf in map(Leaf.of, cursor.fetchall())}
    mac = sealer().writer()
    for seq in range(first, last + 1):
        if kind := _wrong(found.get(seq), expected.get(seq), log, mac):
            report.findings.append((kind, seq))
    return report


def _expected(cursor: Any, log: str, first: int, last: int, tree: Checkpoint, report: RangeReport) -> dict[int, bytes]:
    """The hashes of the range as tiles have them, each tile proved by its first leaf; a bad tile is a finding."""
    fetch, expected = tile_fetcher(cursor, log), {}
    nodes = Nodes(fetch)
    for index in range(first // WIDTH, last // WIDTH + 1):
        start = index * WIDTH
        try:
            row = hashes(fetch(0, index))
            # Half of the proof is made from the tile's other hashes, so it stands for all of them.
            proved = included(row[0], start, tree.size, inclusion(nodes, start, tree.size), tree.root)
        except MissingTile:
            row, proved = [], False
        if not proved:
            report.findings.append(("tile", start))
        expected.update(dict(enumerate(row, start)))
    return expected


def _wrong(leaf: Leaf | None, expected: bytes | None, log: str, mac: Any) -> str | None:
    """The name of what is wrong with one entry, None when nothing is."""
    if leaf is None or leaf.entry is None:
        return "removed"
    entry = leaf.entry
    if expected is None or leaf_hash(entry) != expected:
        return "changed"
    if flaw_of(entry, log, mac):
        return "inserted"
    facts = json.loads(entry)
    if next(wrong_columns(leaf, facts), None):
        return "changed_column"
    said = facts.get("sealed")
    if said and leaf.digest is not None and _digest(leaf) != said["h"]:
        return "changed_sealed"
    return None


def _digest(leaf: Leaf) -> str:
    return base64url(bytes(leaf.digest or b""))
