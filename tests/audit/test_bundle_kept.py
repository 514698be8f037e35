"""A checkpoint that the auditor kept outside: the log must continue it."""

import io
import shutil
import zipfile

from audit.actors import system
from audit.checkpoints import Checkpoint, Signer
from audit.export import Selection, export, export_to_folder
from audit.queries import standing
from audit.tiles import hashes
from audit.verifier import verify as outside
from tests.audit.bundling import (
    CASE,
    CUSTOMER,
    check,
)
from tests.audit.conftest import Process, a_house
from tests.waiting import wait_until


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
