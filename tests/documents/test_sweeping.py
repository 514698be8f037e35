"""What a crash left behind is removed, what belongs to a row never is."""

import os
import time
import uuid
from dataclasses import replace

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from audit.actors import system
from audit.perform import perform
from documents import sweeping
from documents.models import Document
from documents.storage import storage
from documents.sweeping import remove_orphans, remove_unreadable

pytestmark = pytest.mark.django_db

LATER = 1e12


@pytest.fixture
def an_orphan(vault):
    """A whole file whose transaction never came: killed between rename and commit."""
    document = uuid.uuid4()
    put = storage().begin(document)
    put.write(memoryview(b"sealed bytes"))
    put.commit()
    return document


@pytest.fixture
def a_half_file(vault):
    """What kill -9 in the middle of an upload leaves."""
    folder = vault.root / "ab"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f".{uuid.uuid4()}.12345678.part"
    path.write_bytes(b"half")
    return path


def test_orphans_are_set_aside_half_files_are_removed_and_documents_stay(bring, an_orphan, a_half_file, vault, entries):
    document = bring()
    assert remove_orphans(before=LATER) == 2
    kept = {f"{document.pk.hex[:2]}/{document.pk}.kvlt", f"orphans/{an_orphan}.kvlt"}
    assert {str(file.relative_to(vault.root)) for file in vault.files()} == kept
    assert len(entries("documents.set_aside_orphan", an_orphan)) == 1
    assert entries("documents.remove_orphan", an_orphan) == []


def test_what_was_set_aside_goes_after_thirty_days(an_orphan, vault, entries):
    days_ago(vault, 400)
    assert remove_orphans() == 1
    assert remove_orphans() == 0
    days_ago(vault, 29)
    assert remove_orphans() == 0
    days_ago(vault, 31)
    assert remove_orphans() == 1
    assert vault.files() == []
    assert len(entries("documents.remove_orphan", an_orphan)) == 1


def test_a_document_whose_row_comes_back_gets_its_file_back(bring, vault, alice):
    """A backup was restored that is older than the document, and then a newer one."""
    document = bring()
    storage().set_aside(document.pk)
    days_ago(vault, 400)
    assert remove_orphans() == 1
    assert [file.parent.name for file in vault.files()] == [document.pk.hex[:2]]


@pytest.mark.parametrize("log", ["main", "aml"])
def test_nothing_is_touched_while_the_sequencer_refuses_to_sign(an_orphan, a_half_file, vault, monkeypatch, log):
    real = sweeping.standing

    def standing(name):
        return replace(real(name), refusal="The log is shorter than what was signed." if name == log else None)

    monkeypatch.setattr(sweeping, "standing", standing)
    before = vault.files()
    days_ago(vault, 400)
    assert remove_orphans() == 0
    assert vault.files() == before


def days_ago(vault, days):
    for path in vault.files():
        os.utime(path, (time.time() - days * 24 * 3600,) * 2)


def test_what_is_younger_than_a_day_may_still_be_under_way(an_orphan, a_half_file, vault):
    assert remove_orphans() == 0
    for path in vault.files():
        os.utime(path, (time.time() - 25 * 3600,) * 2)
    assert remove_orphans() == 2


def test_the_file_of_a_destroyed_document_is_removed(ready, vault):
    document = perform(ready().destroy, by=system(), reason="retention")
    assert len(vault.files()) == 1
    assert remove_unreadable() == 1
    assert vault.files() == []
    assert Document.objects.get(pk=document.pk).file_removed_at is not None
    assert remove_unreadable() == 0


def test_an_empty_vault_is_swept_without_trouble(vault):
    assert remove_orphans() == remove_unreadable() == 0


def test_django_itself_can_store_no_file():
    with pytest.raises(NotImplementedError, match="vault"):
        default_storage.save("a.txt", ContentFile(b"plaintext"))
