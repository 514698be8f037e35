"""Keys of subjects, sealed values, document keys and blind indexes."""

import secrets
import uuid

import pytest
from django.db import IntegrityError, connection, transaction

from audit.actors import INSTALLATION, SubjectRef, system
from audit.packing import unpack
from compliance.keys import services
from compliance.keys.models import SubjectKey
from compliance.keys.providers import Wrapped, provider
from compliance.keys.sealer import SubjectSealer
from compliance.keys.services import (
    Erased,
    IndexPurpose,
    KeyUnavailable,
    NotOpened,
    Shredded,
    blind_index,
    ensure_subject_key,
    made_afterwards,
    open_sealed,
    renew_subject_key,
    seal,
    shred_subject,
    unwrap_document_key,
    wrap_document_key,
)

pytestmark = pytest.mark.django_db

DEK = bytes(range(32))


def entries(action, subject):
    with connection.cursor() as cursor:
        cursor.execute("SELECT entry FROM audit_entry WHERE action = %s AND subject_id = %s", [action, subject.id])
        return [unpack(bytes(entry)) for (entry,) in cursor.fetchall()]


# ------------------------------------------------------------------------------------------------ subject keys
def test_a_subject_has_one_key_however_often_it_is_asked_for(a_subject):
    first = ensure_subject_key(a_subject)
    assert ensure_subject_key(a_subject).pk == first.pk
    assert SubjectKey.objects.filter(subject_id=a_subject.id).count() == 1


def test_making_a_key_is_recorded_without_the_key(a_subject):
    row = ensure_subject_key(a_subject)
    [entry] = entries("keys.create", a_subject)
    key = provider().unwrap(Wrapped(row.epoch, bytes(row.wrapped)), aad=row.aad)
    assert b'"sealed"' not in entry
    assert key not in entry and bytes(row.wrapped) not in entry


def test_every_kind_of_subject_has_keys_and_no_other_kind_does():
    for subject in (SubjectRef("staff", str(uuid.uuid4())), INSTALLATION):
        assert ensure_subject_key(subject).kind == subject.kind
    with pytest.raises(IntegrityError), transaction.atomic():
        ensure_subject_key(SubjectRef("stranger", "1"))


def test_a_key_row_copied_to_another_subject_does_not_open(a_subject, another_subject):
    sealed = seal(a_subject, "note", b"hello")
    row = ensure_subject_key(a_subject)
    SubjectKey.objects.create(
        kind="customer", subject_id=another_subject.id, provider="file", epoch=row.epoch, wrapped=row.wrapped
    )
    with pytest.raises(KeyUnavailable):
        open_sealed(another_subject, "note", sealed)


def test_a_key_row_made_again_after_a_rollback_never_meets_the_key_of_the_lost_one(a_subject, monkeypatch):
    with pytest.raises(RuntimeError), transaction.atomic():
        seal(a_subject, "note", b"lost")
        raise RuntimeError
    sealed = seal(a_subject, "note", b"kept")
    # A process that knows nothing of the lost row can open it.
    monkeypatch.setattr(services, "_unwrapped", services._Unwrapped())
    assert open_sealed(a_subject, "note", sealed) == b"kept"


def test_two_at_once_share_the_key_that_came_first(a_subject, monkeypatch):
    """The one who comes second saw no row, wraps a key of its own, and must still use the first one's."""
    first = ensure_subject_key(a_subject)
    monkeypatch.setattr(services, "_find", lambda *a, **k: None)
    second = ensure_subject_key(a_subject)
    assert bytes(second.wrapped) == bytes(first.wrapped)
    assert len(entries("keys.create", a_subject)) == 1


def test_a_refusals_connection_and_the_requests_own_share_a_key_that_neither_has_committed(a_subject, another_subject):
    assert ensure_subject_key(a_subject, using="log").pk == ensure_subject_key(a_subject).pk
    assert ensure_subject_key(another_subject).pk == ensure_subject_key(another_subject, using="log").pk


# ----------------------------------------------------------------------------------------------- sealed values
def test_a_sealed_value_opens(a_subject):
    sealed = seal(a_subject, "national_id", b"12345678901", aad=b"row 7")
    assert b"12345678901" not in sealed
    assert open_sealed(a_subject, "national_id", sealed, aad=b"row 7") == b"12345678901"


def test_the_same_value_never_seals_to_the_same_bytes(a_subject):
    assert seal(a_subject, "note", b"x") != seal(a_subject, "note", b"x")


def test_a_sealed_value_is_bound_to_subject_purpose_and_place(a_subject, another_subject):
    sealed = seal(a_subject, "note", b"hello", aad=b"row 7")
    ensure_subject_key(another_subject)
    for subject, purpose, aad in (
        (another_subject, "note", b"row 7"),
        (a_subject, "email", b"row 7"),
        (a_subject, "note", b"row 8"),
        (a_subject, "note", b""),
    ):
        with pytest.raises(NotOpened):
            open_sealed(subject, purpose, sealed, aad=aad)


def test_every_changed_byte_of_a_sealed_value_fails(a_subject):
    sealed = seal(a_subject, "note", b"hello")
    for at in range(len(sealed)):
        changed = bytearray(sealed)
        changed[at] ^= 1
        with pytest.raises((NotOpened, KeyUnavailable)):
            open_sealed(a_subject, "note", bytes(changed))


@pytest.mark.parametrize("length", [1, 5, 17, 32])
def test_a_cut_sealed_value_fails(a_subject, length):
    with pytest.raises(NotOpened):
        open_sealed(a_subject, "note", seal(a_subject, "note", b"hello")[:length])


def test_an_emptied_value_was_erased(a_subject):
    with pytest.raises(Shredded):
        open_sealed(a_subject, "note", b"")


def test_a_memoryview_from_the_database_opens_like_bytes(a_subject):
    assert open_sealed(a_subject, "note", memoryview(seal(a_subject, "note", b"hello"))) == b"hello"


# --------------------------------------------------------------------------------------------------- shredding
def test_after_a_shred_nothing_that_the_key_sealed_opens(a_subject):
    sealed = seal(a_subject, "note", b"hello")
    document = uuid.uuid4()
    wrapped, version = wrap_document_key(a_subject, document, DEK)
    assert shred_subject(a_subject, by=system(), reason="erasure").keys == 1
    with pytest.raises(Shredded):
        open_sealed(a_subject, "note", sealed)
    with pytest.raises(Shredded):
        unwrap_document_key(a_subject, document, wrapped, version)
    assert not SubjectKey.objects.filter(subject_id=a_subject.id, version=1, wrapped__isnull=False).exists()
    assert len(entries("keys.shred", a_subject)) == 1


def test_a_shred_in_another_process_empties_this_ones_cache(a_subject):
    sealed = seal(a_subject, "note", b"hello")
    assert open_sealed(a_subject, "note", sealed) == b"hello"
    held = len(services._unwrapped)
    # Another process: only the row changes, nobody tells this one.
    SubjectKey.objects.filter(subject_id=a_subject.id).update(wrapped=None, retired_at="2026-01-01T00:00Z")
    with pytest.raises(Shredded):
        open_sealed(a_subject, "note", sealed)
    assert len(services._unwrapped) == held - 1


def test_after_a_shred_the_log_alone_seals_under_a_key_of_its_own(a_subject):
    entry = uuid.uuid4()
    before = seal(a_subject, "note", b"before")
    shred_subject(a_subject, by=system(), reason="erasure")
    for _again in range(2):  # before the log wrote anything, and after
        with pytest.raises(Erased):
            seal(a_subject, "note", b"after")
        with pytest.raises(Erased):
            wrap_document_key(a_subject, uuid.uuid4(), DEK)
        with pytest.raises(Erased):
            renew_subject_key(a_subject, by=system(), reason="leaked")
        sealed = SubjectSealer().seal(a_subject, entry, b"", b"{}")
        assert sealed.kid == "customer/2"
    assert SubjectSealer().open(a_subject, entry, b"", sealed) == b"{}"
    assert [(key.subject_id, key.version) for key in made_afterwards()] == [(a_subject.id, 2)]
    with pytest.raises(Shredded):
        open_sealed(a_subject, "note", before)


# --------------------------------------------------------------------------------------------- keys of documents
def test_a_documents_key_comes_back_only_for_its_document_customer_and_version(a_subject, another_subject):
    document = uuid.uuid4()
    wrapped, version = wrap_document_key(a_subject, document, DEK)
    assert unwrap_document_key(a_subject, document, wrapped, version) == DEK
    ensure_subject_key(another_subject)
    for subject, other in ((a_subject, uuid.uuid4()), (another_subject, document)):
        with pytest.raises(NotOpened):
            unwrap_document_key(subject, other, wrapped, version)
    with pytest.raises(KeyUnavailable):
        unwrap_document_key(a_subject, document, wrapped, version + 1)


def test_a_short_document_key_is_refused_by_name(a_subject):
    with pytest.raises(ValueError, match="dek"):
        wrap_document_key(a_subject, uuid.uuid4(), b"short")


def test_an_old_wrapping_replayed_after_the_customers_key_was_renewed_does_not_open(a_subject):
    document = uuid.uuid4()
    old, version = wrap_document_key(a_subject, document, DEK)
    renew_subject_key(a_subject, by=system(), reason="compromised")
    new, renewed = wrap_document_key(a_subject, document, DEK)
    assert (version, renewed) == (1, 2)
    assert unwrap_document_key(a_subject, document, new, renewed) == DEK
    with pytest.raises(NotOpened):
        unwrap_document_key(a_subject, document, old, renewed)


# ----------------------------------------------------------------------------------------------- blind indexes
def test_equal_values_are_found_and_purposes_do_not_meet():
    assert blind_index(IndexPurpose.EMAIL, "a@example.com") == blind_index(IndexPurpose.EMAIL, "a@example.com")
    assert len({blind_index(purpose, "same") for purpose in IndexPurpose}) == len(IndexPurpose)
    assert blind_index(IndexPurpose.EMAIL, "a@example.com") != blind_index(IndexPurpose.EMAIL, "A@example.com")
    assert len(blind_index(IndexPurpose.PHONE, "ş")) == 32


def test_an_undeclared_purpose_is_refused():
    with pytest.raises(ValueError, match="shoe size"):
        blind_index("shoe size", "44")


# ------------------------------------------------------------------------------------------------ out of reach
def test_without_the_key_file_nothing_opens_and_nothing_is_sealed(a_subject, monkeypatch):
    sealed = seal(a_subject, "note", b"hello")
    monkeypatch.setattr(services, "_unwrapped", services._Unwrapped())
    monkeypatch.setattr(provider(), "path", provider().path.with_name("gone.json"))
    for act in (
        lambda: open_sealed(a_subject, "note", sealed),
        lambda: seal(a_subject, "note", b"more"),
        lambda: blind_index(IndexPurpose.EMAIL, "a"),
        lambda: services.writer_key(),
    ):
        with pytest.raises(KeyUnavailable):
            act()
    assert "gone.json" in services.health()[0]


def test_health_tells_when_the_key_file_is_another_databases(a_subject, tmp_path, monkeypatch):
    ensure_subject_key(a_subject)
    assert services.health() == []
    other = type(provider())(tmp_path / "other.json")
    other.create()
    monkeypatch.setattr(services, "provider", lambda: other)
    assert "another installation" in services.health()[0]


# ------------------------------------------------------------------------------------------------------- cache
def test_the_cache_is_bounded_and_forgets(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(services.time, "monotonic", lambda: now[0])
    cache = services._Unwrapped(size=3, seconds=300)
    rows = [
        SubjectKey(kind="customer", subject_id=str(n), version=1, wrapped=secrets.token_bytes(60)) for n in range(5)
    ]
    for row in rows:
        cache.put(row, DEK)
    assert len(cache) == 3
    assert cache.get(rows[0]) is None
    assert cache.get(rows[4]) == DEK
    now[0] = 301.0
    assert cache.get(rows[4]) is None
    cache.put(rows[0], DEK)
    assert len(cache) == 1
