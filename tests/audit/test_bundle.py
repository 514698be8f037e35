"""What leaves the house: the verifier alone, as a separate process with the standard library only, believes or
refuses it.
"""

import io
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from django.db import transaction

from audit.actors import system
from audit.export import CannotExport, Selection, export
from audit.models import Entry
from audit.record import ObjectRef, record
from audit.verifier import verify as outside
from tests.audit.bundling import (
    CASE,
    CASE_ENTRIES,
    check,
    check_here,
)
from tests.audit.conftest import FOREIGN


def test_an_auditor_accepts_a_case(delivered, vkey):
    status, report = check(delivered, vkey)
    assert (status, report["ok"]) == (0, True)
    assert report["entries"] == CASE_ENTRIES
    assert (report["kind"], report["of"]) == ("case", CASE)
    assert report["tree_size"] > 600
    assert report["anchored"] is False
    assert report["complete"] is False


def test_its_words_say_what_is_shown_and_what_is_not(delivered, vkey, capsys):
    assert check_here(delivered, vkey) == 0
    said = capsys.readouterr().out
    assert f"12 entries of case {CASE} are in the log" in said
    assert "Unanchored" in said
    assert "may have been left out" in said


def test_the_unpacked_folder_is_accepted_too(delivered, vkey, tmp_path):
    zipfile.ZipFile(delivered).extractall(tmp_path / "folder")
    assert check(tmp_path / "folder", vkey)[0] == 0


def test_it_holds_what_people_and_machines_read_and_nothing_sealed(bundle):
    archive = zipfile.ZipFile(io.BytesIO(bundle))
    files = {name: archive.read(name) for name in archive.namelist()}
    for_people, for_machines = {"README.txt", "report.html"}, {"consistency.jsonl", "entries.jsonl"}
    signed = {"checkpoint", "manifest.json", "manifest.note"}
    assert for_people | for_machines | signed | {"keys/vkeys", "verify.py"} <= set(files)
    assert files["report.html"].decode().count("<tr>") == CASE_ENTRIES + 1
    assert not any(b"sealed words" in data for data in files.values())
    assert files["verify.py"] == Path(outside.__file__).read_bytes()


def test_the_export_is_an_entry_with_the_manifests_digest(running, bundle):
    manifest = zipfile.ZipFile(io.BytesIO(bundle)).read("manifest.json")
    exports = Entry.objects.filter(action="audit.export")
    assert outside.hashlib.sha256(manifest).hexdigest() in [entry.facts["data"]["manifest"] for entry in exports]


def test_a_case_that_the_log_does_not_know_is_refused(running):
    with pytest.raises(CannotExport, match="no entries"):
        export(Selection("case", "KYC-26-999999-9"), io.BytesIO(), by=system(), reason="x")


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["bundle.zip"],
        ["nowhere.zip", "--vkey", "{vkey}"],
        ["bundle.zip", "--vkey", "log.example/main"],
        ["bundle.zip", "--vkey", "{vkey}x"],
        ["bundle.zip", "--vkey", "{vkey}", "--checkpoint", "nowhere"],
        ["bundle.zip", "--vkey", "{vkey}", "--unknown"],
    ],
)
def test_wrong_use_exits_with_three(delivered, vkey, arguments):
    told = [argument.format(vkey=vkey) for argument in arguments]
    done = subprocess.run(
        [sys.executable, "-I", "-S", outside.__file__, *told], cwd=delivered.parent, capture_output=True
    )
    assert done.returncode == 3


def test_it_needs_nothing_but_the_standard_library(delivered, vkey, tmp_path):
    lonely = tmp_path / "alone"
    lonely.mkdir()
    shutil.copy(outside.__file__, lonely / "check.py")
    done = subprocess.run(
        [sys.executable, "-I", "-S", "check.py", str(delivered), "--vkey", vkey], cwd=lonely, capture_output=True
    )
    assert done.returncode == 0


def test_without_a_sequencer_nothing_leaves_the_house(house):
    house.write(3, matter=CASE)
    house.sequence()
    house.tamper("UPDATE audit_state SET beat_at = now() - interval '1 minute'")
    with pytest.raises(CannotExport, match="sequencer does not answer"):
        export(Selection("case", CASE), io.BytesIO(), by=system(), reason="x")


def test_an_export_that_nobody_recorded_is_not_signed(house):
    """A row inserted by SQL that looks like an export gets its place, and no signature."""
    house.write(1)
    house.sequence()
    with transaction.atomic():
        record("audit.export", by=system(), about=ObjectRef("case", CASE), details={"manifest": "ab", "entries": 1})
    house.sql(FOREIGN.replace("'a', 'a', 'a', 'done'", "'audit.export', 'a', 'a', 'done'"))
    house.sequence()
    assert house.sql("SELECT count(*) FROM audit_bundle_note") == [(1,)]
