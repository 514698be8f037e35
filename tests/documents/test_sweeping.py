"""What a crash left behind is removed, what belongs to a row never is."""

import os
import time
import uuid

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from audit.actors import system
from audit.perform import perform
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
    folder.mkdir(parents=True)
    path = folder / f".{uuid.uuid4()}.12345678.part"
    path.write_bytes(b"half")
    return path


def test_orphans_and_half_files_are_removed_and_documents_stay(bring, an_orphan, a_half_file, vault, entries):
    document = bring()
    assert remove_orphans(before=LATER) == 2
    assert [file.name for file in vault.files()] == [f"{document.pk}.kvlt"]
    assert len(entries("documents.remove_orphan", an_orphan)) == 1


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
