"""What the log seals: one key per entry, gone with the subject's key."""

import hashlib
import hmac
import uuid

import pytest

from audit.actors import system
from audit.sealer import Sealed
from compliance.keys.providers import provider
from compliance.keys.sealer import SubjectSealer
from compliance.keys.services import NotOpened, Shredded, shred_subject

pytestmark = pytest.mark.django_db

AAD = b"main|entry|customer:1"


@pytest.fixture
def sealer():
    return SubjectSealer()


def test_a_sealed_part_opens_for_its_entry_alone(sealer, a_subject, another_subject):
    entry = uuid.uuid4()
    sealed = sealer.seal(a_subject, entry, AAD, b'{"note":"hello"}')
    assert sealer.open(a_subject, entry, AAD, sealed) == b'{"note":"hello"}'
    assert b"hello" not in sealed.ciphertext
    other = SubjectSealer().seal(another_subject, entry, AAD, b"{}")
    for subject, which, aad, what in (
        (a_subject, uuid.uuid4(), AAD, sealed),
        (a_subject, entry, b"aml|entry|customer:1", sealed),
        (a_subject, entry, AAD, Sealed("staff/1", sealed.alg, sealed.ciphertext)),
        (a_subject, entry, AAD, Sealed(sealed.kid, "none", sealed.ciphertext)),
        (a_subject, entry, AAD, Sealed(sealed.kid, sealed.alg, sealed.ciphertext[:-1])),
        (a_subject, entry, AAD, Sealed(sealed.kid, sealed.alg, b"")),
        (a_subject, entry, AAD, other),
    ):
        with pytest.raises(NotOpened):
            sealer.open(subject, which, aad, what)


def test_a_shred_takes_the_entries_along(sealer, a_subject):
    entry = uuid.uuid4()
    sealed = sealer.seal(a_subject, entry, AAD, b"{}")
    shred_subject(a_subject, by=system(), reason="erasure")
    with pytest.raises(Shredded):
        sealer.open(a_subject, entry, AAD, sealed)


def test_the_writers_mac_needs_no_database(sealer, django_db_blocker):
    key = provider().derive("log-writer")
    with django_db_blocker.block():
        assert sealer.mac(b"entry") == hmac.digest(key, b"entry", hashlib.sha256)
