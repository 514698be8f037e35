"""Rotation: no key is ever unreadable, a killed one goes on, two at once do the work once, old epochs die for good."""

import json
import random
import signal
import threading
import time
import uuid

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction

from audit.actors import SubjectRef, system
from audit.models import Entry
from compliance.keys import rotation, services
from compliance.keys.locks import one_rotation
from compliance.keys.models import EpochEnd, SubjectKey
from compliance.keys.providers import KeyUnavailable, provider
from compliance.keys.services import ensure_subject_key, open_sealed, seal


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


def test_while_an_epoch_is_destroyed_no_key_is_made_under_it(house, a_subject):
    """Somebody makes a key, and has not committed: the destroyer waits, sees it, and refuses."""
    rotation.rotate(by=system())
    made, go_on = threading.Event(), threading.Event()

    def slow_maker():
        with transaction.atomic():
            services.making_a_key(using="default")
            made.set()
            go_on.wait(10)
            SubjectKey.objects.create(
                kind="customer", subject_id=str(uuid.uuid4()), provider="file", epoch=1, wrapped=b"x"
            )
        connection.close()

    maker = threading.Thread(target=slow_maker)
    maker.start()
    made.wait(10)
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
            go_on.wait(10)
        connection.close()

    running = threading.Thread(target=first)
    running.start()
    holds.wait(10)
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


# --------------------------------------------------------------------------------------------------------- kill -9
def killed_in_the_middle(house, running, behind):
    """Kill a rotation once it moved some rows and has some left; False when it was faster than we."""
    while running.poll() is None:
        left = SubjectKey.objects.filter(epoch__lt=provider().epoch()).count()
        if 0 < left < behind:
            time.sleep(random.uniform(0, 0.05))
            running.send_signal(signal.SIGKILL)
            running.wait()
            return True
        time.sleep(0.002)
    return False


def kills(house, times, rows):
    """Kill it that often; after each, every key opens, and at the end nothing is left under an old epoch."""
    house.many_keys(rows)
    note = seal(SubjectRef("customer", "somebody"), "note", b"hello")
    keys, killed = SubjectKey.objects.count(), 0
    for _ in range(times):
        killed += killed_in_the_middle(house, house.start("keys", "rotate", "--json"), keys)
        assert rotation.verify() == keys
        assert open_sealed(SubjectRef("customer", "somebody"), "note", note) == b"hello"
    done = json.loads(house.manage("keys", "rotate", "--destroy-old", "--json"))
    assert done["epoch"] == provider().epoch()
    assert epochs_in_use() == {provider().epoch()}
    assert provider().epochs() == [provider().epoch()]
    assert rotation.verify() == keys
    return killed, done


@pytest.mark.slow
def test_no_kill_loses_a_key_and_a_killed_rotation_goes_on_where_it_stopped(house):
    killed, done = kills(house, 8, 12_000)
    assert killed >= 4
    assert EpochEnd.objects.filter(epoch=1).exists()
    assert done["resumed"] or done["rewrapped"] == SubjectKey.objects.count()
