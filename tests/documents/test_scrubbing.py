"""Each file is compared with its digest once in thirty days; a run that ends early goes on where it was."""

import errno
import json
import os
import time
import uuid
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.utils import timezone

from audit.actors import system
from audit.perform import perform
from documents import scrubbing
from documents.models import Document
from documents.scrubbing import scrub
from documents.storage import storage
from tests.documents import samples

pytestmark = pytest.mark.django_db


def path_of(document):
    return storage()._path(document.pk)


def changed(document):
    path = path_of(document)
    path.write_bytes(path.read_bytes()[:-1] + b"x")


def test_whole_files_are_whole_and_the_run_is_recorded(bring, entries):
    size = sum(bring(samples.png(), name="a.png").size for _ in range(3))
    found = scrub()
    assert (found.checked, found.bytes, found.failed, found.orphans, found.left) == (3, size, 0, 0, 0)
    assert len(entries("documents.scrub", "files")) == 1


def test_nothing_to_do_is_no_entry(bring, entries):
    bring()
    scrub()
    assert scrub().checked == 0
    assert len(entries("documents.scrub", "files")) == 1


FAULTS = {
    "changed": changed,
    "cut": lambda document: os.truncate(path_of(document), 500),
    "missing": lambda document: path_of(document).unlink(),
}


@pytest.mark.parametrize("spoil", FAULTS.values(), ids=FAULTS)
def test_a_file_that_is_not_what_it_was_is_found_and_the_others_are_looked_at(bring, refusals, spoil):
    spoilt, _good = bring(), bring()
    spoil(spoilt)
    found = scrub()
    assert (found.checked, found.failed) == (2, 1)
    assert len(refusals("documents.fail_integrity", spoilt.pk)) == 1


def test_a_sector_that_cannot_be_read_is_found(bring, refusals, monkeypatch):
    document = bring()

    def fails(*arguments):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "pread", fails)
    assert scrub().failed == 1
    [entry] = refusals("documents.fail_integrity", document.pk)
    assert b"io_error" in entry


def test_after_thirty_days_it_is_its_turn_again_the_longest_unseen_first(bring, monkeypatch):
    old, older, fresh = bring(), bring(), bring()
    days = {old: 31, older: 40, fresh: 29}
    for document, ago in days.items():
        Document.objects.filter(pk=document.pk).update(scrubbed_at=timezone.now() - timedelta(days=ago))
    seen = []
    real = scrubbing.opened
    monkeypatch.setattr(scrubbing, "opened", lambda document, **n: seen.append(document.pk) or real(document, **n))
    scrub()
    assert seen == [older.pk, old.pk]


def test_a_run_that_dies_goes_on_where_it_was(bring, monkeypatch):
    """As after kill -9: nothing but the rows remembers."""
    for _ in range(5):
        bring()
    real, seen = scrubbing.opened, []

    def dies(document, **named):
        seen.append(document.pk)
        if len(seen) == 3:
            raise KeyboardInterrupt
        return real(document, **named)

    monkeypatch.setattr(scrubbing, "opened", dies)
    with pytest.raises(KeyboardInterrupt):
        scrub()
    assert scrub().checked == 3
    assert len(set(seen)) == 5


def test_files_without_a_row_are_counted(bring, vault):
    bring()
    put = storage().begin(uuid.uuid4())
    put.write(memoryview(b"sealed"))
    put.commit()
    for path in vault.files():
        os.utime(path, (time.time() - 25 * 3600,) * 2)
    assert scrub().orphans == 1


def test_destroyed_documents_are_left_out(ready):
    perform(ready().destroy, by=system(), reason="retention")
    assert scrub().checked == 0


def test_the_command_tells_and_fails_when_a_file_is_not_what_it_was(bring):
    changed(bring())
    out = StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("documents", "scrub", "--json", stdout=out)
    assert ended.value.code == 1
    assert json.loads(out.getvalue())["failed"] == 1
    out = StringIO()
    call_command("documents", "scrub", stdout=out)
    assert out.getvalue().startswith("0 files checked")


def test_everything_is_everything(bring):
    bring()
    assert (scrub().checked, scrub(everything=True).checked) == (1, 1)
