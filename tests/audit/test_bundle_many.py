"""A log that is long enough for several processes: they find and say what one alone does."""

import base64
import json
import subprocess
import sys
from hashlib import sha256
from uuid import UUID

import pytest

from audit.actors import SubjectRef, system
from audit.bundles import write_zip
from audit.canonical import canonical
from audit.checkpoints import Checkpoint, Signer
from audit.export import Selection, export
from audit.queries import standing
from audit.tiles import Edge, path, tiles_of
from audit.tree import leaf_hash
from audit.verifier import verify as outside
from compliance.keys.services import Shredded, ensure_subject_key, open_sealed, seal, shred_subject
from tests.audit.bundling import CASE, check
from tests.audit.conftest import Process
from tests.waiting import wait_until

COUNT = 3 * outside.FEWEST_TILES * 256 + 77
ORIGIN = "many.example.com/main"


def entry(number, **changed):
    facts = {
        "v": 1,
        "log": "main",
        "id": str(UUID(int=number << 64 | 0x7000 << 64 | 0x8000000000000000 | number)),
        "ts": f"2026-11-21T{number // 3600 % 24:02}:{number // 60 % 60:02}:{number % 60:02}.000000Z",
        "action": "cases.view",
        "actor": {"t": "staff", "id": str(number % 7)},
        "object": {"t": "case", "id": str(number % 100), "rev": number},
        "out": "done",
        "req": f"{number:032x}",
        "mac": "A" * 43,
    }
    return canonical(facts | changed)


@pytest.fixture(scope="module")
def signer(tmp_path_factory):
    return Signer.create(tmp_path_factory.mktemp("many"), "main", ORIGIN)


@pytest.fixture(scope="module")
def entries():
    return [entry(number) for number in range(COUNT)]


@pytest.fixture
def reports(signer, tmp_path):
    """Exit status and report of one process, and of three, over a bundle of these entries."""

    def reports(entries):
        with (tmp_path / "bundle.zip").open("wb") as out:
            write_zip(out, bundle(entries, signer))
        vkey = str(signer.verifier)
        return [check(tmp_path / "bundle.zip", vkey, "--jobs", jobs) for jobs in (1, 3)]

    return reports


def bundle(entries, signer):
    edge, tiles, files = Edge(), {}, {}
    for first in range(0, len(entries), 256):
        found = entries[first : first + 256]
        tiles.update(edge.append_hashes(map(leaf_hash, found)))
        files[path("entries", first // 256, len(found))] = b"".join(len(e).to_bytes(2, "big") + e for e in found)
    files |= {path(level, at, width): tiles[level, at][: width * 32] for level, at, width in tiles_of(len(entries))}
    root = edge.root()
    files["checkpoint"] = signer.note(Checkpoint(ORIGIN, len(entries), root).text).encode()
    listed = {name: {"bytes": len(data), "sha256": sha256(data).hexdigest()} for name, data in files.items()}
    manifest = canonical(
        {"v": 1, "origin": ORIGIN, "log": "main", "kind": "full", "size": len(entries), "entries": len(entries)}
        | {"root": base64.b64encode(root).decode(), "made_at": "x", "files": listed}
    )
    statement = f"mizan.bundle/v1\n{ORIGIN}\n1\n{sha256(manifest).hexdigest()}\n"
    return files | {"manifest.json": manifest, "manifest.note": signer.note(statement).encode()}


def test_several_processes_say_what_one_says(entries, reports):
    """With a clock that went back at the end of the first one's part, and what the log itself told of."""
    told = list(entries)
    told[40_000 % COUNT] = entry(40_000 % COUNT, action="audit.regress", data={"seq": 5, "seconds": 600})
    third = COUNT // 3
    told[third] = entry(third, ts="2026-11-20T00:00:00.000000Z")
    alone, together = reports(told)
    assert alone == together
    status, report = alone
    assert (status, report["entries"], report["first"], report["last"]) == (0, COUNT, 0, COUNT - 1)
    assert [row["seq"] for row in report["time_anomalies"]] == [third]
    assert len(report["told_by_the_log"]) == 1


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda made: made.__setitem__(COUNT - 1, made[0]), "two entries have the same id"),
        (lambda made: made.__setitem__(COUNT - 5, made[COUNT - 5][:-1] + b" }"), f"entry {COUNT - 5}: not canonical"),
        (lambda made: made.__setitem__(9, entry(9, log="aml")), "entry 9: not an entry of this log"),
        (
            lambda made: made.__setitem__(COUNT - 9, entry(COUNT - 9, mac="x")),
            f"not written by the product: entry {COUNT - 9}",
        ),
    ],
)
def test_what_is_wrong_in_any_part_is_found_by_all(entries, reports, change, problem):
    made = list(entries)
    change(made)
    for status, report in reports(made):
        assert status == 1
        assert problem in report["problem"]


def test_the_first_of_two_wrong_entries_is_named(entries, reports):
    made = list(entries)
    for at in (COUNT - 3, 300):
        made[at] = entry(at, log="aml")
    for _status, report in reports(made):
        assert "entry 300:" in report["problem"]


def test_a_process_that_is_killed_leaves_its_part_to_the_first(entries, signer, tmp_path):
    """As a system does that has no memory left."""
    with (tmp_path / "bundle.zip").open("wb") as out:
        write_zip(out, bundle(entries, signer))
    killed = (
        "import os, runpy, sys; before = os.fork\n"
        "def fork():\n    child = before()\n    if not child: os._exit(9)\n    return child\n"
        "os.fork = fork; sys.argv = sys.argv[1:]; runpy.run_path(sys.argv[0], run_name='__main__')"
    )
    words = [outside.__file__, str(tmp_path / "bundle.zip"), "--vkey", str(signer.verifier), "--jobs", "3", "--json"]
    done = subprocess.run([sys.executable, "-I", "-c", killed, *words], capture_output=True, text=True)
    assert (done.returncode, json.loads(done.stdout)["entries"]) == (0, COUNT)


def test_after_a_shred_every_proof_holds_and_the_words_are_gone(house, tmp_path):
    subject = SubjectRef("customer", "5a3b1c2d-0000-4000-8000-00000000000a")
    ensure_subject_key(subject)
    house.write(300)
    house.write(5, matter=CASE, subject=subject, note="sealed words")
    sealed = seal(subject, "note", b"sealed words")
    house.sequence()
    shred_subject(subject, by=system(), reason="erasure")
    with pytest.raises(Shredded):
        open_sealed(subject, "note", sealed)
    process = Process(house)
    try:
        wait_until(lambda: (now := standing("main")).alive and not now.waiting and now.signed_size == now.size)
        with (tmp_path / "case.zip").open("wb") as out:
            export(Selection("case", CASE), out, by=system(), reason="x")
        vkey = standing("main").vkey
    finally:
        process.end()
    assert house.verify().ok
    status, report = check(tmp_path / "case.zip", vkey)
    assert (status, report["entries"]) == (0, 5)
