"""What leaves the house: the verifier alone, as a separate process with the standard library only, believes or
refuses it.
"""

import io
import json
import os
import random
import shutil
import subprocess
import sys
import uuid
import zipfile
from pathlib import Path
from types import SimpleNamespace

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from django.db import transaction

from audit.actors import SubjectRef, system
from audit.bundles import write_zip
from audit.checkpoints import Checkpoint, Signer
from audit.export import CannotExport, Selection, export, export_to_folder
from audit.models import Entry
from audit.queries import standing
from audit.record import ObjectRef, record
from audit.tiles import hashes
from audit.verifier import verify as outside
from compliance.embedded.postgres import APPLICATION
from tests.audit.conftest import COLUMNS, COPY, FOREIGN, Process, a_house, wait_until

CASE, CUSTOMER = "KYC-26-004813-9", SubjectRef("customer", "0b0c9f6e-7f0e-4f0c-9d5e-2f5f3c2b1a00")
CASE_ENTRIES = 12


@pytest.fixture(scope="module")
def running(migrated, django_db_setup, django_db_blocker, tmp_path_factory):
    """A house with a case of twelve entries among six hundred others, and a running sequencer."""
    with django_db_blocker.unblock(), a_house(migrated, tmp_path_factory.mktemp("log") / "keys") as house:
        house.write(300)
        house.write(CASE_ENTRIES, matter=CASE, subject=CUSTOMER, note="sealed words")
        house.write(300)
        process = Process(house)
        wait_until(lambda: standing("main").alive and standing("main").waiting == 0)
        yield house
        process.end()


@pytest.fixture(scope="module")
def vkey(running):
    return (running.keys / "main.vkey").read_text().strip()


@pytest.fixture(scope="module")
def bundle(running):
    """The case's bundle as it is delivered."""
    out = io.BytesIO()
    export(Selection("case", CASE), out, by=system(), reason="Yearly audit")
    return out.getvalue()


@pytest.fixture(scope="module")
def whole(running, tmp_path_factory):
    """A full bundle, as a folder."""
    folder = tmp_path_factory.mktemp("full") / "bundle"
    export_to_folder(Selection("full"), folder, by=system(), reason="Yearly audit")
    return folder


@pytest.fixture
def delivered(bundle, tmp_path):
    file = tmp_path / "bundle.zip"
    file.write_bytes(bundle)
    return file


def check(bundle, vkey, *more):
    """Exit status and report of the verifier, isolated from the project and its packages."""
    command = [sys.executable, "-I", "-S", outside.__file__, str(bundle), "--vkey", vkey, "--json", *map(str, more)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    return done.returncode, json.loads(done.stdout) if done.stdout.startswith("{") else done.stderr


def check_here(bundle, vkey, *more):
    """The same in this process, for many rounds."""
    return outside.main([str(bundle), "--vkey", vkey, *map(str, more)])


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


# ----------------------------------------------------------------------------------------------- one changed byte
def test_a_changed_byte_anywhere_in_the_zip_is_refused(bundle, vkey, tmp_path):
    chance = random.Random(11)
    places = {0, 1, len(bundle) - 1, *chance.sample(range(len(bundle)), 250)}
    refuse_each(bundle, places, vkey, tmp_path / "broken.zip", chance)


def test_a_changed_byte_of_every_file_is_refused(delivered, vkey, tmp_path):
    chance = random.Random(12)
    folder = tmp_path / "folder"
    zipfile.ZipFile(delivered).extractall(folder)
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.stat().st_size)
    assert len(files) >= 8  # without an earlier checkpoint, consistency.jsonl is empty
    for file in files:
        data = file.read_bytes()
        for place in {0, len(data) - 1, *chance.sample(range(len(data)), min(6, len(data)))}:
            file.write_bytes(changed(data, place, chance))
            assert check_here(folder, vkey) in (1, 2), f"{file.name}, byte {place}"
        file.write_bytes(data)
    assert check_here(folder, vkey) == 0


@pytest.mark.slow
def test_every_changed_byte_of_the_whole_zip_is_refused(running, vkey, tmp_path, monkeypatch):
    """With the library's Ed25519 in place of the verifier's own, which agrees with it and takes ten times longer."""
    monkeypatch.setattr(outside, "ed25519_verifies", with_the_library)
    out = io.BytesIO()
    export(Selection("case", CASE), out, by=system(), reason="every byte")
    data, chance = out.getvalue(), random.Random(13)
    # All of a bundle takes ten minutes (MIZAN_EVERY_BYTE=1); without it both ends whole, and 1,500 places between them.
    places = range(len(data))
    if not os.environ.get("MIZAN_EVERY_BYTE"):
        places = sorted({*places[:300], *places[-300:], *chance.sample(places, min(1500, len(data)))})
    refuse_each(data, places, vkey, tmp_path / "broken.zip", chance)


def with_the_library(key, message, signature):
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def refuse_each(data, places, vkey, file, chance):
    for place in places:
        file.write_bytes(changed(data, place, chance))
        assert check_here(file, vkey) in (1, 2), f"byte {place} of {len(data)}"


def changed(data, place, chance):
    return data[:place] + bytes([data[place] ^ (1 << chance.randrange(8))]) + data[place + 1 :]


@pytest.mark.parametrize("extra", [b"\n", b"PK", b"\x00" * 30])
def test_bytes_before_or_after_the_zip_are_refused(bundle, vkey, tmp_path, extra):
    for data in (bundle + extra, extra + bundle):
        (tmp_path / "broken.zip").write_bytes(data)
        assert check(tmp_path / "broken.zip", vkey)[0] == 1


@pytest.mark.parametrize("share", [0.0, 0.3, 0.999])
def test_a_cut_zip_is_refused(bundle, vkey, tmp_path, share):
    (tmp_path / "broken.zip").write_bytes(bundle[: int(len(bundle) * share)])
    assert check(tmp_path / "broken.zip", vkey)[0] in (1, 2)


# ----------------------------------------------------------------------------------------------- forged bundles
class Forger:
    """Has everything but the log's key: rewrites files, manifest and container, and signs with a key of his own."""

    def __init__(self, bundle, folder):
        archive = zipfile.ZipFile(io.BytesIO(bundle))
        self.files = {name: archive.read(name) for name in archive.namelist()}
        self.signer = Signer.create(
            folder / "forged", "main", outside.json.loads(self.files["manifest.json"])["origin"]
        )

    def seal(self, file, *, sign=False):
        manifest = json.loads(self.files["manifest.json"])
        listed = {name: data for name, data in self.files.items() if name not in ("manifest.json", "manifest.note")}
        manifest["files"] = {
            name: {"bytes": len(data), "sha256": outside.hashlib.sha256(data).hexdigest()}
            for name, data in listed.items()
        }
        self.files["manifest.json"] = outside.canonical(manifest)
        if sign:
            digest = outside.hashlib.sha256(self.files["manifest.json"]).hexdigest()
            self.files["manifest.note"] = self.signer.note(
                f"mizan.bundle/v1\n{manifest['origin']}\n7\n{digest}\n"
            ).encode()
        with file.open("wb") as out:
            write_zip(out, self.files)
        return file


@pytest.fixture
def forger(bundle, tmp_path):
    return Forger(bundle, tmp_path)


def test_a_rebuilt_bundle_without_a_change_is_accepted(forger, vkey, tmp_path):
    assert check(forger.seal(tmp_path / "same.zip"), vkey)[0] == 0


def test_a_file_more_is_refused(forger, vkey, tmp_path):
    forger.files["extra.txt"] = b"look here"
    assert check(forger.seal(tmp_path / "forged.zip"), vkey)[0] == 1


def test_a_stray_file_in_the_folder_is_refused(delivered, vkey, tmp_path):
    zipfile.ZipFile(delivered).extractall(tmp_path / "folder")
    (tmp_path / "folder" / ".DS_Store").write_bytes(b"")
    assert check(tmp_path / "folder", vkey)[0] == 1


def test_a_link_in_the_folder_is_refused(delivered, vkey, tmp_path):
    zipfile.ZipFile(delivered).extractall(tmp_path / "folder")
    entries = tmp_path / "folder" / "entries.jsonl"
    entries.rename(tmp_path / "elsewhere")
    entries.symlink_to(tmp_path / "elsewhere")
    assert check(tmp_path / "folder", vkey)[0] == 1


def test_a_missing_file_cannot_be_checked(delivered, vkey, tmp_path):
    zipfile.ZipFile(delivered).extractall(tmp_path / "folder")
    (tmp_path / "folder" / "report.html").unlink()
    status, report = check(tmp_path / "folder", vkey)
    assert status == 2
    assert "report.html" in report["problem"]


def test_a_bundle_signed_by_a_key_of_its_own_is_refused_even_if_it_brings_that_key(forger, vkey, tmp_path):
    forger.files["keys/vkeys"] = f"{forger.signer.verifier}\n".encode()
    forged = forger.seal(tmp_path / "forged.zip", sign=True)
    status, report = check(forged, vkey)
    assert status == 1
    assert "not signed by the key you trust" in report["problem"]
    assert check(forged, str(forger.signer.verifier))[0] == 1  # its checkpoint is still the real one's


def test_the_key_of_another_origin_is_refused(delivered, running):
    assert check(delivered, (running.keys / "aml.vkey").read_text().strip())[0] == 1


@pytest.mark.parametrize(
    "edit",
    [
        lambda lines: lines[1:],  # says twelve in the manifest
        lambda lines: [*lines, lines[-1]],
        lambda lines: lines[::-1],
        lambda lines: [lines[0].replace(b"no_right", b"no_reason"), *lines[1:]],
        lambda lines: [lines[0].replace(b'{"entry":', b'{"entry": '), *lines[1:]],
    ],
)
def test_even_the_logs_own_key_does_not_make_wrong_entries_right(running, forger, vkey, tmp_path, edit):
    """An operator who signs a manifest over changed entries: the tree speaks against him."""
    forger.signer = Signer(running.keys, "main")
    forger.files["entries.jsonl"] = b"".join(
        line + b"\n" for line in edit(forger.files["entries.jsonl"].split(b"\n")[:-1])
    )
    assert check(forger.seal(tmp_path / "forged.zip", sign=True), vkey)[0] == 1


def test_a_note_about_a_bundle_does_not_pass_for_a_checkpoint(forger, vkey, tmp_path):
    (tmp_path / "kept").write_bytes(forger.files["manifest.note"])
    status, report = check(forger.seal(tmp_path / "same.zip"), vkey, "--checkpoint", tmp_path / "kept")
    assert status == 3, report


# ----------------------------------------------------------------------------------------------- a checkpoint kept
# outside
def test_the_log_continues_a_checkpoint_that_the_auditor_kept(running, bundle, vkey, tmp_path):
    kept = tmp_path / "kept"
    kept.write_bytes(zipfile.ZipFile(io.BytesIO(bundle)).read("checkpoint"))
    size = int(kept.read_text().split("\n")[1])
    running.write(40)
    later = tmp_path / "later.zip"
    with later.open("wb") as out:
        export(Selection("case", CASE), out, by=system(), reason="next year")
    status, report = check(later, vkey, "--checkpoint", kept)
    assert status == 0, report
    assert report["continues_checkpoint"] == size
    (tmp_path / "old.zip").write_bytes(bundle)
    newer = tmp_path / "newer"
    newer.write_bytes(zipfile.ZipFile(later).read("checkpoint"))
    assert check(tmp_path / "old.zip", vkey, "--checkpoint", newer)[0] == 2


def test_a_rewritten_log_with_the_real_key_fails_against_it_and_reads_unanchored_without(
    running, bundle, vkey, tmp_path
):
    """Root on the server: the whole history again, with one entry less, signed with the stolen key."""
    kept = tmp_path / "kept"
    kept.write_bytes(zipfile.ZipFile(io.BytesIO(bundle)).read("checkpoint"))
    size = int(kept.read_text().split("\n")[1])
    keys = tmp_path / "stolen"
    shutil.copytree(running.keys, keys)
    (keys / "main.state").write_text('{"size": 0, "root": "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="}')
    with a_house(running.cluster, keys) as other:
        other.write(size + 20, matter=CASE, subject=CUSTOMER)
        other.sql("UPDATE audit_state SET signed_size = 0")
        process = Process(other)
        try:
            wait_until(lambda: standing("main").alive and standing("main").waiting == 0)
            forged = tmp_path / "forged.zip"
            with forged.open("wb") as out:
                export(Selection("case", CASE), out, by=system(), reason="nothing to see")
            full = tmp_path / "full"
            export_to_folder(Selection("full"), full, by=system(), reason="nothing to see")
        finally:
            process.end()
    assert check(forged, vkey)[0] == 0
    assert check(forged, vkey)[1]["continues_checkpoint"] is None
    status, report = check(full, vkey, "--checkpoint", kept)
    assert status == 1, report
    assert "your checkpoint" in report["problem"]
    assert check(forged, vkey, "--checkpoint", kept)[0] == 2  # it has no proof to offer


def test_any_checkpoint_can_be_asked_for(running, vkey, tmp_path):
    """One that the sequencer never stored: the proof comes from the tree itself."""
    with (tmp_path / "bundle.zip").open("wb") as out:
        export(Selection("case", CASE, since=[311]), out, by=system(), reason="x")
    tree = running.sql("SELECT data FROM audit_tile WHERE log = 'main' AND level = 0 ORDER BY idx LIMIT 2")
    root = outside.root_of([hash_ for (data,) in tree for hash_ in hashes(data)][:311])
    signer = Signer(running.keys, "main")
    kept = tmp_path / "kept"
    kept.write_text(signer.note(Checkpoint(signer.verifier.name, 311, root).text))
    assert check(tmp_path / "bundle.zip", vkey, "--checkpoint", kept)[1]["continues_checkpoint"] == 311
    kept.write_text(signer.note(Checkpoint(signer.verifier.name, 311, bytes(32)).text))
    assert check(tmp_path / "bundle.zip", vkey, "--checkpoint", kept)[0] == 1
    kept.write_text(signer.note(Checkpoint(signer.verifier.name, 312, root).text))
    status, report = check(tmp_path / "bundle.zip", vkey, "--checkpoint", kept)
    assert status == 2
    assert "ask for an export that states it" in report["problem"]


# ----------------------------------------------------------------------------------------------- the whole log
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
    (newest, entry), *_ = house.sql(
        "SELECT id, entry FROM audit_entry WHERE matter = %s ORDER BY id DESC LIMIT 1", CASE, role=APPLICATION
    )
    facts = json.loads(bytes(entry)) | {"id": str(uuid.uuid4())} | changed
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
    seen = outside.Check(
        SimpleNamespace(read=forger.files.get, manifest=manifest_of(forger), export_seq=1), outside.Key(vkey)
    )
    entry = json.loads(forger.files["entries.jsonl"].splitlines()[0])["entry"]
    seen.entry(7, b"", entry)
    assert (seen._foreign, seen._flagged) == (set(), set())
    seen.entry(8, b"", entry | {"mac": entry["mac"] + "A"})
    seen.entry(9, b"", entry | {"action": "audit.flag", "data": {"seq": 3, "flaw": "double"}})
    assert (seen._foreign, seen._flagged) == ({8}, {3})


def manifest_of(forger):
    return json.loads(forger.files["manifest.json"])


# ----------------------------------------------------------------------------------------------- use
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
