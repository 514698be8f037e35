"""One changed byte anywhere in an export is refused."""

import io
import os
import random
import zipfile

import pytest

from audit.actors import system
from audit.export import Selection, export
from audit.verifier import verify as outside
from tests.audit.bundling import (
    CASE,
    changed,
    check,
    check_here,
    refuse_each,
    with_the_library,
)
from tests.whole import times


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
    # All of a bundle takes ten minutes (MIZAN_EVERY_BYTE=1); without it both ends, and places between them.
    places = range(len(data))
    if not os.environ.get("MIZAN_EVERY_BYTE"):
        ends = times(300, 80)
        some = chance.sample(places, min(times(1500, 240), len(data)))
        places = sorted({*places[:ends], *places[-ends:], *some})
    refuse_each(data, places, vkey, tmp_path / "broken.zip", chance)


@pytest.mark.parametrize("extra", [b"\n", b"PK", b"\x00" * 30])
def test_bytes_before_or_after_the_zip_are_refused(bundle, vkey, tmp_path, extra):
    for data in (bundle + extra, extra + bundle):
        (tmp_path / "broken.zip").write_bytes(data)
        assert check(tmp_path / "broken.zip", vkey)[0] == 1


@pytest.mark.parametrize("share", [0.0, 0.3, 0.999])
def test_a_cut_zip_is_refused(bundle, vkey, tmp_path, share):
    (tmp_path / "broken.zip").write_bytes(bundle[: int(len(bundle) * share)])
    assert check(tmp_path / "broken.zip", vkey)[0] in (1, 2)
