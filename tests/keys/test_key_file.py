"""The key file: only its owner reads it, a damaged one is named, a rotation never makes a key unreadable."""

import json
import os
import stat
from concurrent.futures import ThreadPoolExecutor

import pytest

from compliance.keys.providers import KEY_BYTES, KeyUnavailable, LocalKeyFile, Wrapped

AAD = b"ck|customer|somebody|1"
KEY = bytes(range(KEY_BYTES))


@pytest.fixture
def key_file(tmp_path):
    file = LocalKeyFile(tmp_path / "keys" / "keys.json")
    file.create()
    return file


def changed(file, change):
    data = json.loads(file.path.read_text())
    change(data)
    file.path.write_text(json.dumps(data))


def test_a_new_file_is_for_its_owner_alone(key_file):
    assert stat.S_IMODE(key_file.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(key_file.path.parent.stat().st_mode) == 0o700
    assert [path.name for path in key_file.path.parent.iterdir()] == ["keys.json"]
    assert key_file.health() == []


def test_an_old_file_is_never_overwritten(key_file):
    before = key_file.path.read_bytes()
    with pytest.raises(FileExistsError):
        key_file.create()
    assert key_file.path.read_bytes() == before


def test_two_creations_at_once_leave_one_file(tmp_path):
    files = [LocalKeyFile(tmp_path / "keys.json") for _ in range(8)]

    def create(file):
        try:
            file.create()
        except FileExistsError:
            return 0
        return 1

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(create, files)) == 1
    assert files[0].health() == []


def test_a_wrapped_key_comes_back(key_file):
    wrapped = key_file.wrap(KEY, aad=AAD)
    assert KEY not in wrapped.blob
    assert key_file.unwrap(wrapped, aad=AAD) == KEY


def test_a_wrapping_moved_to_another_row_does_not_open(key_file):
    wrapped = key_file.wrap(KEY, aad=AAD)
    with pytest.raises(KeyUnavailable, match="does not open"):
        key_file.unwrap(wrapped, aad=b"ck|customer|somebody else|1")


def test_every_changed_byte_of_a_wrapping_fails(key_file):
    wrapped = key_file.wrap(KEY, aad=AAD)
    for at in range(len(wrapped.blob)):
        blob = bytearray(wrapped.blob)
        blob[at] ^= 1
        with pytest.raises(KeyUnavailable):
            key_file.unwrap(Wrapped(wrapped.epoch, bytes(blob)), aad=AAD)


@pytest.mark.parametrize("length", [0, 5, 12, 27])
def test_a_cut_wrapping_fails(key_file, length):
    wrapped = key_file.wrap(KEY, aad=AAD)
    with pytest.raises(KeyUnavailable):
        key_file.unwrap(Wrapped(wrapped.epoch, wrapped.blob[:length]), aad=AAD)


def test_another_installations_file_opens_nothing(key_file, tmp_path):
    wrapped = key_file.wrap(KEY, aad=AAD)
    other = LocalKeyFile(tmp_path / "other.json")
    other.create()
    with pytest.raises(KeyUnavailable, match="another installation"):
        other.unwrap(wrapped, aad=AAD)


@pytest.mark.parametrize("mode", [0o604, 0o640, 0o644, 0o660, 0o666, 0o602])
def test_a_file_that_others_may_touch_is_refused_with_the_fix(key_file, mode):
    key_file.path.chmod(mode)
    with pytest.raises(KeyUnavailable, match="chmod 600"):
        LocalKeyFile(key_file.path).wrap(KEY, aad=AAD)


def test_a_file_that_others_may_read_since_a_moment_ago_is_refused(key_file):
    key_file.wrap(KEY, aad=AAD)
    key_file.path.chmod(0o644)
    os.utime(key_file.path)
    with pytest.raises(KeyUnavailable, match="chmod 600"):
        key_file.wrap(KEY, aad=AAD)


def test_a_missing_file_is_named_with_the_fix(tmp_path):
    with pytest.raises(KeyUnavailable, match=r"nowhere\.json.*keys ensure"):
        LocalKeyFile(tmp_path / "nowhere.json").wrap(KEY, aad=AAD)


BROKEN = {
    "empty": lambda data: data.clear(),
    "another format": lambda data: data.update(format="other/1"),
    "no epochs": lambda data: data.update(epochs={}),
    "current epoch not there": lambda data: data.update(current=7),
    "short key": lambda data: data["epochs"].update({"1": "AAAA"}),
    "long key": lambda data: data["epochs"].update({"1": "A" * 44 + "AAAA"}),
    "not base64": lambda data: data["epochs"].update({"1": "!" * 44}),
    "short secret": lambda data: data.update(secret=""),
    "epochs are no table": lambda data: data.update(epochs=[1]),
}


@pytest.mark.parametrize("change", BROKEN.values(), ids=BROKEN)
def test_a_damaged_file_is_refused_by_name(key_file, change):
    changed(key_file, change)
    assert "damaged" in LocalKeyFile(key_file.path).health()[0]
    assert str(key_file.path) in LocalKeyFile(key_file.path).health()[0]


@pytest.mark.parametrize("keep", [0, 1, 50, 100])
def test_a_cut_file_is_refused(key_file, keep):
    key_file.path.write_bytes(key_file.path.read_bytes()[:keep])
    assert LocalKeyFile(key_file.path).health()


def test_derived_keys_differ_by_purpose_and_stay_the_same(key_file):
    same = LocalKeyFile(key_file.path)
    assert key_file.derive("index|email") == same.derive("index|email")
    assert len({key_file.derive(purpose) for purpose in ("index|email", "index|phone", "log-writer")}) == 3
    key_file.rotate()
    assert key_file.derive("index|email") == same.derive("index|email")


def test_a_rotation_keeps_the_old_epoch_readable_and_wraps_under_the_new_one(key_file):
    old = key_file.wrap(KEY, aad=AAD)
    reader = LocalKeyFile(key_file.path)
    reader.unwrap(old, aad=AAD)
    assert key_file.rotate() == 2
    assert key_file.unwrap(old, aad=AAD) == KEY
    # Another process sees the new epoch without a restart.
    assert reader.wrap(KEY, aad=AAD).epoch == 2
    assert reader.unwrap(reader.rewrap(old, aad=AAD), aad=AAD) == KEY


def test_after_its_epoch_is_destroyed_an_old_wrapping_replayed_from_a_backup_is_dead(key_file):
    old = key_file.wrap(KEY, aad=AAD)
    key_file.rotate()
    new = key_file.rewrap(old, aad=AAD)
    key_file.destroy_epoch(1)
    assert key_file.unwrap(new, aad=AAD) == KEY
    with pytest.raises(KeyUnavailable, match="no epoch 1"):
        key_file.unwrap(old, aad=AAD)
    with pytest.raises(KeyUnavailable, match="does not open"):
        key_file.unwrap(Wrapped(2, old.blob), aad=AAD)


def test_the_current_epoch_cannot_be_destroyed(key_file):
    with pytest.raises(ValueError, match="Rotate first"):
        key_file.destroy_epoch(1)


def test_rotations_at_once_lose_no_epoch(key_file):
    with ThreadPoolExecutor(6) as pool:
        made = sorted(pool.map(lambda _: LocalKeyFile(key_file.path).rotate(), range(6)))
    assert made == [2, 3, 4, 5, 6, 7]
    assert key_file.epochs() == [1, 2, 3, 4, 5, 6, 7]


def test_a_full_disk_during_a_rotation_leaves_the_old_file(key_file, monkeypatch):
    before = key_file.path.read_bytes()

    def fail(fd):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="No space"):
        key_file.rotate()
    monkeypatch.undo()
    assert key_file.path.read_bytes() == before
    assert [path.name for path in key_file.path.parent.iterdir()] == ["keys.json"]
