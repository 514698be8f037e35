"""Rotation: no key is ever unreadable, two at once do the work once, old epochs die for good. Kills: test_kills.py."""

import json
import threading
import uuid

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction

from audit.actors import system
from audit.models import Entry
from compliance.keys import rotation, services
from compliance.keys.locks import one_rotation
from compliance.keys.models import SubjectKey
from compliance.keys.providers import KeyUnavailable, provider
from compliance.keys.services import IndexPurpose, blind_index, ensure_subject_key, open_sealed, seal
from documents.keeping import runs
from tests.waiting import PATIENCE


def epochs_in_use():
    return set(SubjectKey.objects.filter(wrapped__isnull=False).values_list("epoch", flat=True))


def facts(action):
    return [row.facts["data"] for row in Entry.objects.filter(action=action).order_by("id")]


def test_after_a_rotation_everything_opens_under_the_new_epoch(house, a_subject):
    sealed = seal(a_subject, "note", b"hello")
    house.many_keys(500)
    keys = SubjectKey.objects.count()
    told = []
    done = rotation.rotate(by=system(), say=lambda done, of: told.append((done, of)))
    assert (done.epoch, done.rewrapped, done.resumed) == (2, keys, False)
    assert told[-1] == (keys, keys)
    assert epochs_in_use() == {2}
    assert rotation.verify() == keys
    assert open_sealed(a_subject, "note", sealed) == b"hello"
    assert facts("keys.rotate") == [{"provider": "file", "epoch": 2, "rewrapped": keys}]


def test_blind_indexes_and_the_logs_writer_stay_the_same_through_rotations(house, a_subject):
    asked = {purpose: blind_index(purpose, "a@example.com") for purpose in IndexPurpose}
    writer = services.writer_key()
    for _time in range(2):
        rotation.rotate(by=system())
        rotation.destroy_old_epochs(by=system())
    assert provider().epochs() == [3]
    assert {purpose: blind_index(purpose, "a@example.com") for purpose in IndexPurpose} == asked
    assert services.writer_key() == writer


def test_check_opens_every_key_and_ends_with_one_when_one_does_not(house, a_subject, capsys):
    house.many_keys(50)
    ensure_subject_key(a_subject)
    call_command("keys", "check", "--all", "--json")
    assert json.loads(capsys.readouterr().out) == {"opened": SubjectKey.objects.count(), "problems": []}
    damaged = SubjectKey.objects.order_by("pk")[20]
    SubjectKey.objects.filter(pk=damaged.pk).update(wrapped=b"\0" * 60)
    with pytest.raises(CommandError, match="does not open") as refused:
        call_command("keys", "check", "--all")
    assert refused.value.returncode == 1


def test_while_an_epoch_is_destroyed_no_key_is_made_under_it(house, a_subject):
    """Somebody makes a key, and has not committed: the destroyer waits, sees it, and refuses."""
    rotation.rotate(by=system())
    made, go_on = threading.Event(), threading.Event()

    def slow_maker():
        with transaction.atomic():
            services.making_a_key(using="default")
            made.set()
            go_on.wait(PATIENCE)
            SubjectKey.objects.create(
                kind="customer", subject_id=str(uuid.uuid4()), provider="file", epoch=1, wrapped=b"x"
            )
        connection.close()

    maker = threading.Thread(target=slow_maker)
    maker.start()
    made.wait(PATIENCE)
    threading.Timer(0.3, go_on.set).start()
    with pytest.raises(rotation.StillInUse):
        rotation.destroy_old_epochs(by=system())
    maker.join()
    assert provider().epochs() == [1, 2]


def test_an_old_epoch_is_destroyed_only_when_every_key_opens_under_the_new_one(house, a_subject):
    seal(a_subject, "note", b"hello")
    rotation.rotate(by=system())
    row = SubjectKey.objects.filter(subject_id=a_subject.id)
    blob = bytes(row.get().wrapped)
    row.update(wrapped=b"\0" * len(blob))
    with pytest.raises(KeyUnavailable):
        rotation.destroy_old_epochs(by=system())
    assert provider().epochs() == [1, 2]
    row.update(wrapped=blob)
    assert list(rotation.destroy_old_epochs(by=system())) == [1]
    assert provider().epochs() == [2]
    assert rotation.end_of("file", 1) is not None and rotation.end_of("file", 2) is None
    assert [each["epoch"] for each in facts("keys.destroy_epoch")] == [1]


def test_an_old_wrapping_replayed_after_its_epoch_was_destroyed_is_dead(house, a_subject):
    sealed = seal(a_subject, "note", b"hello")
    row = SubjectKey.objects.filter(subject_id=a_subject.id)
    old = row.values("epoch", "wrapped").get()
    rotation.rotate(by=system())
    rotation.destroy_old_epochs(by=system())
    assert open_sealed(a_subject, "note", sealed) == b"hello"
    row.update(**old)
    with pytest.raises(KeyUnavailable, match="no epoch 1"):
        open_sealed(a_subject, "note", sealed)


def test_a_second_rotation_at_once_is_told_to_wait(house):
    holds, go_on = threading.Event(), threading.Event()

    def first():
        with one_rotation():
            holds.set()
            go_on.wait(PATIENCE)
        connection.close()

    running = threading.Thread(target=first)
    running.start()
    holds.wait(PATIENCE)
    with pytest.raises(CommandError, match="Another process does the same now") as refused:
        call_command("keys", "rotate")
    assert refused.value.returncode == 1
    assert provider().epochs() == [1]
    go_on.set()
    running.join()
    call_command("keys", "rotate", verbosity=0)
    assert provider().epochs() == [1, 2]


def test_keys_of_another_provider_are_never_opened_by_guess(house, a_subject, monkeypatch):
    ensure_subject_key(a_subject)
    monkeypatch.setattr(services, "_unwrapped", services._Unwrapped())
    SubjectKey.objects.filter(subject_id=a_subject.id).update(provider="vault")
    with pytest.raises(KeyUnavailable, match="provider 'vault'"):
        seal(a_subject, "note", b"hello")
    with pytest.raises(KeyUnavailable, match="another provider"):
        rotation.verify()


def test_a_second_retention_run_at_once_is_told_to_wait(house):
    holding, go_on = threading.Event(), threading.Event()

    def first():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", [runs._LOCK])
            holding.set()
            go_on.wait(PATIENCE)
            # A connection that ends gives its locks back in its own time: the next run would meet it still.
            cursor.execute("SELECT pg_advisory_unlock(%s)", [runs._LOCK])
        connection.close()

    running = threading.Thread(target=first)
    running.start()
    holding.wait(PATIENCE)
    with pytest.raises(CommandError, match="Another process does the same now") as refused:
        call_command("retention", "run")
    assert refused.value.returncode == 1
    go_on.set()
    running.join()
    call_command("retention", "run", "--json", verbosity=0)
