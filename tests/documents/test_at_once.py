"""Two at once, each on a connection of its own, with real commits."""

import io
import secrets
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.conf import settings
from django.db import connections

from audit import context
from audit.actors import SubjectRef, system
from compliance.keys.models import SubjectKey
from compliance.keys.services import ensure_subject_key, open_sealed, seal
from compliance.people.models import Customer, Licensee, Person
from documents.inspection import inspect_now
from documents.models import Document
from documents.services import Refused, receive
from documents.storage import storage
from documents.uploads import seal_file
from tests.documents import samples

AT_ONCE = 6


@pytest.fixture(autouse=True)
def vault(monkeypatch):
    """The folder that the worker reads too."""
    monkeypatch.setattr(storage(), "root", settings.VAULT_DIR)


def at_once(act, arguments):
    """What `act` returned or raised for each, all started together."""

    def one(argument):
        try:
            with context.use(context.new("test")):
                return act(argument)
        except Refused as refused:
            return refused
        finally:
            connections.close_all()

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(one, arguments))


@pytest.fixture
def customer(committed):
    with context.use(context.new("test")):
        licensee = Licensee.objects.create(name="At once", slug=f"l-{secrets.token_hex(4)}", jurisdiction="TR")
        return Customer.objects.create(person=Person.objects.create(), licensee=licensee, full_name="Işıl Yıldırım")


def test_many_who_need_a_new_subjects_key_get_the_same_one(committed):
    subject = SubjectRef("customer", str(uuid.uuid4()))
    sealed = at_once(lambda number: seal(subject, "note", b"%d" % number), range(AT_ONCE * 3))
    assert SubjectKey.objects.filter(subject_id=subject.id).count() == 1
    assert [open_sealed(subject, "note", one) for one in sealed] == [b"%d" % number for number in range(AT_ONCE * 3)]
    assert (
        at_once(lambda _: ensure_subject_key(subject).pk, range(2))[0]
        == SubjectKey.objects.get(subject_id=subject.id).pk
    )


def _received(customer, data):
    upload = seal_file(customer=customer, name="front.jpg", stream=io.BytesIO(data))
    try:
        return receive(customer=customer, upload=upload, by=system())
    finally:
        upload.close()


def test_many_different_files_of_one_customer_at_once_all_arrive(customer):
    files = [samples.photo() for _ in range(AT_ONCE)]
    documents = at_once(lambda data: _received(customer, data), files)
    assert sorted(document.size for document in documents) == sorted(map(len, files))
    assert Document.objects.filter(customer=customer).count() == AT_ONCE


def test_of_one_file_handed_in_many_times_at_once_one_stays(customer):
    before = set(settings.VAULT_DIR.glob("??/*.kvlt"))
    answers = at_once(lambda data: _received(customer, data), [samples.photo()] * AT_ONCE)
    kept = [answer for answer in answers if isinstance(answer, Document)]
    assert len(kept) == 1
    assert {answer.code for answer in answers if isinstance(answer, Refused)} == {"same_file"}
    left = set(settings.VAULT_DIR.glob("??/*.kvlt")) - before
    assert [path.stem for path in left] == [str(kept[0].pk)]


def test_a_document_is_inspected_once_however_many_workers_are_told(customer):
    document = at_once(lambda data: _received(customer, data), [samples.photo()])[0]
    outcomes = at_once(inspect_now, [document.pk] * AT_ONCE)
    # The stack's own worker may have been first; nobody did it twice.
    assert sum(outcome is not None for outcome in outcomes) <= 1
    assert Document.objects.get(pk=document.pk).attempts == 1
