"""The whole log, and what this product did not write."""

import json
import random
import shutil
import uuid
import zipfile
from types import SimpleNamespace

import pytest

from audit.actors import system
from audit.export import Selection, export, export_to_folder
from audit.queries import standing
from audit.verifier import verify as outside
from compliance.embedded.postgres import APPLICATION
from tests.audit.bundling import (
    CASE,
    CUSTOMER,
    changed,
    check,
    check_here,
    manifest_of,
)
from tests.audit.conftest import COLUMNS, COPY, Process, a_house
from tests.waiting import wait_until


def test_a_full_bundle_shows_that_nothing_was_left_out(whole, vkey, running):
    status, report = check(whole, vkey)
    assert status == 0, report
    assert report["complete"] is True
    assert report["entries"] == report["tree_size"]
    assert report["first"] == 0


def test_a_changed_byte_of_every_file_of_a_full_bundle_is_refused(whole, vkey, tmp_path):
    chance = random.Random(14)
    folder = shutil.copytree(whole, tmp_path / "copy")
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.stat().st_size)
    assert any("entries" in str(file) for file in files)
    for file in files:
        data = file.read_bytes()
        place = chance.randrange(len(data))
        file.write_bytes(changed(data, place, chance))
        assert check_here(folder, vkey) in (1, 2), f"{file.name}, byte {place}"
        file.write_bytes(data)
    assert check_here(folder, vkey) == 0


def test_the_log_tells_in_the_bundle_that_an_entry_was_not_ours(running, tmp_path):
    """A copy inserted by SQL stands in the tree; the verifier refuses a log with two entries of one id."""
    with a_house(running.cluster, tmp_path / "keys") as other:
        other.write(5)
        other.sequence()
        other.sql(f"{COPY} WHERE action = 'access.deny' ORDER BY id LIMIT 1")
        process = Process(other)
        try:
            wait_until(lambda: standing("main").alive and standing("main").waiting == 0)
            export_to_folder(Selection("full"), tmp_path / "full", by=system(), reason="x")
            vkey = standing("main").vkey
        finally:
            process.end()
    status, report = check(tmp_path / "full", vkey)
    assert status == 1
    assert "same id" in report["problem"]


def insert_as_the_application(house, **changed):
    """An entry of the case with all that an entry has, but for the writer's key: whoever holds the login can do it."""
    ((newest,),) = house.sql("SELECT max(id) FROM audit_entry WHERE matter = %s", CASE, role=APPLICATION)
    facts = json.loads(house.bytes_of(newest)) | {"id": str(uuid.uuid4())} | changed
    facts = {name: value for name, value in facts.items() if value is not None}
    house.sql(
        f"INSERT INTO audit_entry ({COLUMNS}, matter) SELECT log, %s, at, actor_kind, actor_id, action, object_kind, "
        "object_id, outcome, request_id, %s, matter FROM audit_entry WHERE id = %s",
        facts["id"],
        outside.canonical(facts),
        newest,
        role=APPLICATION,
    )


@pytest.mark.parametrize("mac", [None, "", "A" * 42, "A" * 43, 7])
def test_an_entry_that_sql_inserted_into_a_case_is_refused_by_its_index(house, tmp_path, mac):
    house.write(5, matter=CASE, subject=CUSTOMER)
    insert_as_the_application(house, mac=mac)
    house.sequence()
    ((seq,),) = house.sql("SELECT seq FROM audit_leaf WHERE flag IS NOT NULL")
    process = Process(house)
    try:
        wait_until(lambda: (now := standing("main")).alive and not now.waiting and now.signed_size == now.size)
        with (tmp_path / "case.zip").open("wb") as out:
            export(Selection("case", CASE), out, by=system(), reason="x")
        export_to_folder(Selection("full"), tmp_path / "full", by=system(), reason="x")
        vkey = standing("main").vkey
    finally:
        process.end()
    archive = zipfile.ZipFile(tmp_path / "case.zip")
    flaw = "wrong_mac" if mac == "A" * 43 else "no_mac"
    assert json.loads(archive.read("manifest.json"))["flagged"] == [{"flaw": flaw, "seq": seq}]
    lines = [json.loads(line) for line in archive.read("entries.jsonl").splitlines()]
    assert [line["entry"]["data"]["seq"] for line in lines if line["entry"]["action"] == "audit.flag"] == [seq]
    assert f"Not written by this product: entry {seq}." in archive.read("report.html").decode()
    for delivered in ("case.zip", "full"):
        status, report = check(tmp_path / delivered, vkey)
        assert (status, report["problem"]) == (1, f"not written by the product: entry {seq}")


def test_the_verifier_itself_sees_what_the_manifest_and_the_log_do_not_say(running, forger, vkey):
    """Each of the three tells on its own: the form of the MAC, the log's entry, the manifest."""
    ring = outside.Ring(outside.Key(vkey), [])
    bundle = SimpleNamespace(read=forger.files.get, manifest=manifest_of(forger), export_seq=1, ring=ring)
    seen = outside.Check(bundle).part()
    entry = json.loads(forger.files["entries.jsonl"].splitlines()[0])["entry"]
    seen.entry(7, b"", entry)
    assert (seen.foreign, seen.flagged) == ([], [])
    seen.entry(8, b"", entry | {"mac": entry["mac"] + "A"})
    seen.entry(9, b"", entry | {"action": "audit.flag", "data": {"seq": 3, "flaw": "double"}})
    assert (seen.foreign, seen.flagged) == ([8], [3])
