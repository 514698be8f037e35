"""Shreds are remembered outside the database; a restored backup is noticed before anything is served."""

import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path

import pytest
from django.utils import timezone

from audit.actors import system
from compliance.keys import chained, tombstones
from compliance.keys.models import SubjectKey, Tombstone
from compliance.keys.services import ensure_subject_key, shred_subject

pytestmark = pytest.mark.django_db


@pytest.fixture
def stones(own_tombstones, settings):
    return settings.TOMBSTONES_FILE


@pytest.fixture
def shredded(a_subject, another_subject):
    for subject in (a_subject, another_subject):
        ensure_subject_key(subject)
        shred_subject(subject, by=system(), reason="erasure")
    tombstones.sync()
    return a_subject, another_subject


def test_every_shred_is_written_down_once(shredded, stones):
    assert sorted(stone.key for stone in tombstones.read()) == sorted(("customer", each.id, 1) for each in shredded)
    before = stones.read_bytes()
    assert tombstones.sync() == 0
    assert stones.read_bytes() == before
    assert stones.stat().st_mode & 0o777 == 0o600


def test_while_nothing_was_shredded_nobody_asks(django_assert_num_queries):
    with django_assert_num_queries(0):
        tombstones.refuse_if_unreplayed()


def test_a_database_that_is_older_than_the_last_shred_is_refused(shredded):
    tombstones.refuse_if_unreplayed()
    Tombstone.objects.filter(subject_id=shredded[1].id).delete()
    with pytest.raises(tombstones.NotReplayed, match="replay-shreds"):
        tombstones.refuse_if_unreplayed()
    assert [stone.subject_id for stone in tombstones.unreplayed()] == [shredded[1].id]


def test_a_subject_without_a_key_leaves_no_tombstone(a_subject):
    assert shred_subject(a_subject, by=system(), reason="erasure").keys == 0
    assert not SubjectKey.objects.filter(subject_id=a_subject.id).exists()
    assert tombstones.sync() == 0


@pytest.mark.parametrize("harm", ["added", "removed", "changed", "swapped"])
def test_nobody_writes_a_tombstone_but_us(shredded, stones, harm):
    first, second = stones.read_bytes().splitlines(keepends=True)
    stones.write_bytes(
        {
            "added": first + second + second.replace(shredded[1].id.encode(), str(uuid.uuid4()).encode()),
            "removed": second,
            "changed": first.replace(b'"version": 1', b'"version": 9') + second,
            "swapped": second + first,
        }[harm]
    )
    with pytest.raises(tombstones.Damaged):
        tombstones.read()


def test_a_line_that_a_crash_cut_is_written_over(shredded, stones):
    whole = stones.read_bytes()
    stones.write_bytes(whole[:-30])
    assert len(tombstones.read()) == 1
    assert tombstones.sync() == 1
    assert stones.read_bytes() == whole


def test_many_at_once_keep_one_chain(stones, db):
    rows = [
        Tombstone(kind="customer", subject_id=str(uuid.uuid4()), version=1, shredded_at=timezone.now())
        for _ in range(12)
    ]

    def write(row):
        chained.add_missing(stones, "tombstones", lambda lines: [asdict(tombstones.Stone.of(row))])

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(write, rows))
    assert len(tombstones.read()) == 12


def test_no_test_writes_into_the_file_that_all_others_read(settings):
    """What is shredded in a test comes back with its transaction; written down there, later pages answer 503."""
    shared = Path(settings.DATA_DIR) / "keys" / "shredded.jsonl"
    assert Path(settings.TOMBSTONES_FILE) != shared
    assert not shared.exists()
