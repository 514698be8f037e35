"""Only what is whole, ours and ready is opened; all else is refused before the first byte and leaves an entry."""

import secrets
import shutil

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audit.actors import system
from audit.perform import perform
from compliance.keys.services import Erased, shred_subject, unwrap_document_key, wrap_document_key
from documents.models import Document, State
from documents.services import NotReady, Unreadable, name_of, open_document, open_range
from documents.storage import storage
from documents.vault import BODY, CHUNK, SEALED_CHUNK
from tests.documents import samples

pytestmark = pytest.mark.django_db


@pytest.fixture
def data():
    return samples.photo(1200, 900)


@pytest.fixture
def document(ready, data):
    return ready(data)


def everything(document, by):
    return b"".join(open_document(document, by=by, purpose="review"))


def file_of(document):
    return storage()._path(document.pk)


def test_the_original_comes_back_byte_for_byte(document, data, alice):
    assert everything(document, alice) == data


def test_a_read_is_recorded_once_in_a_sitting(document, alice, entries):
    for _ in range(3):
        everything(document, alice)
    assert len(entries("audit.read", document.pk)) == 1


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(drawn=st.data())
def test_any_range_of_it_is_what_a_slice_would_be(document, data, alice, drawn):
    start = drawn.draw(st.integers(0, len(data)))
    stop = drawn.draw(st.integers(start, len(data)))
    assert b"".join(open_range(document, start, stop, by=alice, purpose="review")) == data[start:stop]


def test_ranges_at_the_edges_are_what_slices_would_be(document, data, alice):
    size = len(data)
    for start, stop in [(0, 0), (0, 1), (0, size), (size - 1, size), (size, size), (CHUNK - 1, CHUNK + 1)]:
        assert b"".join(open_range(document, start, stop, by=alice, purpose="review")) == data[start:stop]


@pytest.mark.parametrize(("start", "stop"), [(-1, 5), (5, 4), (0, 10**9)])
def test_a_range_outside_of_the_file_is_refused_by_name(document, alice, start, stop):
    with pytest.raises(ValueError, match="range"):
        open_range(document, start, stop, by=alice, purpose="review")


# ---------------------------------------------------------------------------------------------------- not ready
def test_what_was_not_inspected_is_not_opened(bring, alice):
    with pytest.raises(NotReady):
        open_document(bring(), by=alice, purpose="review")


@pytest.mark.parametrize("state", [State.QUARANTINED, State.UNSCANNABLE, State.DESTROYED])
def test_only_ready_documents_are_opened(bring, alice, state):
    received = bring()
    move = {
        State.QUARANTINED: lambda: perform(received.quarantine, by=system(), reason="active_content", facts={}),
        State.UNSCANNABLE: lambda: perform(received.mark_unscannable, by=system(), reason="damaged", facts={}),
        State.DESTROYED: lambda: perform(received.destroy, by=system(), reason="card_data"),
    }[state]
    with pytest.raises(NotReady):
        open_document(move(), by=alice, purpose="review")


# --------------------------------------------------------------------------------------------------- tampered with
def _flip(at):
    def flip(path):
        content = bytearray(path.read_bytes())
        content[at] ^= 4
        path.write_bytes(content)

    return flip


def _cut(length):
    return lambda path: path.write_bytes(path.read_bytes()[:length])


def _link(path):
    path.rename(path.with_suffix(".moved"))
    path.symlink_to(path.with_suffix(".moved"))


TAMPERED = {
    "a bit of the header": _flip(10),
    "a bit of the salt": _flip(130),
    "a bit of the commitment": _flip(160),
    "a bit of the first chunk": _flip(BODY + 7),
    "a bit of a chunk in the middle": _flip(BODY + 2 * SEALED_CHUNK + 7),
    "a bit of the last chunk": _flip(-1),
    "cut to nothing": _cut(0),
    "cut within the header": _cut(60),
    "cut after the header": _cut(BODY),
    "cut at the edge of a chunk": _cut(BODY + SEALED_CHUNK),
    "cut within the last tag": _cut(-3),
    "one byte more": lambda path: path.write_bytes(path.read_bytes() + b"\0"),
    "the last chunk twice": lambda path: path.write_bytes(path.read_bytes() + path.read_bytes()[BODY:][:SEALED_CHUNK]),
    "gone": lambda path: path.unlink(),
    "a link to another file": lambda path: (
        path.rename(path.with_suffix(".x")),
        path.symlink_to(path.with_suffix(".x")),
    ),
}


@pytest.mark.parametrize("change", TAMPERED.values(), ids=TAMPERED)
def test_a_changed_file_releases_no_byte_and_leaves_an_entry(document, alice, refusals, change):
    change(file_of(document))
    with pytest.raises(Unreadable):
        open_document(document, by=alice, purpose="review")
    assert len(refusals("documents.fail_integrity", document.pk)) == 1


@pytest.mark.parametrize("who", ["the same customer", "another customer"])
def test_two_documents_swapped_release_no_byte(document, ready, bring, another_customer, alice, refusals, who):
    if who == "the same customer":
        other = ready(samples.photo(1200, 900))
    else:
        other = bring(samples.photo(1200, 900), to=another_customer)
    shutil.copy(file_of(other), file_of(document))
    # Even when somebody with the database made the row fit the other file.
    Document.objects.filter(pk=document.pk).update(ciphertext_digest=other.ciphertext_digest, size=other.size)
    with pytest.raises(Unreadable):
        open_document(Document.objects.get(pk=document.pk), by=alice, purpose="review")
    assert len(refusals("documents.fail_integrity", document.pk)) == 1


def test_a_row_that_borrows_another_documents_key_releases_no_byte(document, ready, alice):
    other = ready(samples.photo(1200, 900))
    shutil.copy(file_of(other), file_of(document))
    fields = ("ciphertext_digest", "size", "dek_wrapped", "key_version")
    Document.objects.filter(pk=document.pk).update(**{name: getattr(other, name) for name in fields})
    with pytest.raises(Unreadable):
        open_document(Document.objects.get(pk=document.pk), by=alice, purpose="review")


def test_a_file_that_changes_while_it_is_read_ends_the_answer_in_an_error(document, alice, refusals):
    chunks = open_document(document, by=alice, purpose="review")
    first = next(chunks)
    _flip(BODY + 3 * SEALED_CHUNK + 7)(file_of(document))
    with pytest.raises(Unreadable):
        list(chunks)
    assert len(first) == CHUNK
    assert len(refusals("documents.fail_integrity", document.pk)) == 1


def test_a_range_of_a_changed_chunk_is_not_released(document, alice):
    _flip(BODY + 2 * SEALED_CHUNK + 7)(file_of(document))
    chunks = open_range(document, 2 * CHUNK, 2 * CHUNK + 5, by=alice, purpose="review")
    with pytest.raises(Unreadable):
        list(chunks)


def test_after_the_customers_key_is_destroyed_nothing_opens(document, alice, refusals):
    shred_subject(document.audit_subject, by=system(), reason="erasure")
    with pytest.raises(Unreadable):
        open_document(document, by=alice, purpose="review")
    assert len(refusals("documents.fail_integrity", document.pk)) == 1


def test_no_wrapping_of_before_an_erasure_opens_the_file_again(document, alice):
    """Nor may anything new be wrapped for somebody who was erased."""
    key = unwrap_document_key(document.audit_subject, document.pk, document.dek_wrapped, document.key_version)
    old = bytes(document.dek_wrapped)
    shred_subject(document.audit_subject, by=system(), reason="compromised")
    with pytest.raises(Erased):
        wrap_document_key(document.audit_subject, document.pk, key)
    Document.objects.filter(pk=document.pk).update(dek_wrapped=old, key_version=1)
    with pytest.raises(Unreadable):
        open_document(Document.objects.get(pk=document.pk), by=alice, purpose="review")


# --------------------------------------------------------------------------------------------------- destroyed
def test_a_destroyed_document_keeps_no_key_no_name_and_no_digest(document, entries):
    destroyed = perform(document.destroy, by=system(), reason="retention")
    assert destroyed.dek_wrapped is destroyed.name_sealed is destroyed.digest_sealed is destroyed.digest_index is None
    assert destroyed.facts == {}
    assert name_of(destroyed) == ""
    assert len(entries("documents.destroy", document.pk)) == 1


def test_a_destroyed_file_may_be_handed_in_again(document, data, bring):
    perform(document.destroy, by=system(), reason="retention")
    assert bring(data).state == State.RECEIVED


def test_the_database_refuses_a_destroyed_document_with_a_key(document):
    with pytest.raises(Exception, match="document_key_gone_when_destroyed"):
        _copy(document, state=State.DESTROYED).save(force_insert=True)


def test_the_database_knows_the_states_of_the_code_and_no_others(document):
    with pytest.raises(Exception, match="document_state_known"):
        _copy(document, state="lost").save(force_insert=True)


def _copy(document, **changes):
    fields = {field.attname: getattr(document, field.attname) for field in document._meta.concrete_fields}
    return Document(**fields | {"id": secrets.token_hex(16), "digest_index": None} | changes)
