"""Whoever has everything but the log's key does not get a bundle accepted."""

import zipfile

import pytest

from audit.checkpoints import Signer
from tests.audit.bundling import (
    check,
)


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
