"""A player's key that may have leaked is renewed: no file is rewritten, everything opens, the next put is under it."""

import pytest

from audit.actors import system
from compliance.keys.models import SubjectKey
from compliance.keys.services import NotOpened, open_sealed, seal, unwrap_document_key
from documents.keeping.renewal import renew
from documents.models import Document
from documents.services import open_document

pytestmark = pytest.mark.django_db


def test_after_a_renewal_every_document_opens_under_the_new_key_and_no_file_was_rewritten(
    ready, bring, customer, another_customer, vault, alice, entries
):
    mine, theirs = ready(), bring(to=another_customer)
    note = seal(customer.audit_subject, "note", b"hello")
    before = {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in vault.files()}
    plain = b"".join(open_document(mine, by=alice, purpose="test"))
    old = bytes(mine.dek_wrapped), mine.key_version

    assert renew(customer, by=system(), reason="leaked") == {"version": 2, "documents": 1}

    mine, untouched = Document.objects.get(pk=mine.pk), Document.objects.get(pk=theirs.pk)
    assert (mine.key_version, untouched.key_version) == (2, 1)
    assert b"".join(open_document(mine, by=alice, purpose="again")) == plain
    assert {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in vault.files()} == before
    assert open_sealed(customer.audit_subject, "note", note) == b"hello"
    assert bring().key_version == 2
    # The old wrapping under the new version's number opens nothing.
    with pytest.raises(NotOpened):
        unwrap_document_key(customer.audit_subject, mine.pk, old[0], 2)
    assert len(entries("keys.renew", f"customer:{customer.pk}/2")) == 1


def test_a_renewal_that_fails_half_way_leaves_the_old_key(ready, customer, monkeypatch):
    ready()
    monkeypatch.setattr(
        "documents.keeping.renewal.wrap_document_key", lambda *a: (_ for _ in ()).throw(OSError("full"))
    )
    before = SubjectKey.objects.filter(subject_id=str(customer.pk)).count()
    with pytest.raises(OSError, match="full"):
        renew(customer, by=system(), reason="leaked")
    assert SubjectKey.objects.filter(subject_id=str(customer.pk)).count() == before
