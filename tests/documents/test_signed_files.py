"""Files of a key that signs: checked while they arrive, and nothing kept of what was changed on its way."""

from datetime import timedelta
from types import SimpleNamespace
from unittest import mock

import pytest
from django.utils import timezone

from compliance.platform.services import issue_key
from documents.models import Document, Piece
from tests.documents import samples
from tests.papers import a_file
from tests.signer import JSON, Signer, reasons, refused
from tests.world import a_world


@pytest.fixture
def case(db):
    """An open verification, and who may hand files in, signed."""
    world = a_world()
    facts = {
        "owner": world.bob,
        "licensee": world.licensee,
        "name": "p",
        "scopes": ["documents:write"],
        "by": world.bob,
    }
    _key, token = issue_key(**facts, expires_at=timezone.now() + timedelta(days=1), created_by=world.bob, signs=True)
    return SimpleNamespace(row=world.verification(), signer=Signer(token))


def multipart(data):
    parts = [("purpose", "identity_front"), ("document_type", "national_id")]
    fields = "".join(
        f'--m\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in parts
    )
    head = '--m\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\nContent-Type: image/jpeg\r\n\r\n'
    return (fields + head).encode() + data + b"\r\n--m--\r\n"


def test_a_file_is_checked_while_it_arrives_and_a_changed_one_leaves_nothing(case, vault):
    path, kind = f"/api/v1/cases/{case.row.number}/documents", "multipart/form-data; boundary=m"
    body = multipart(a_file())
    with mock.patch("documents.uploads.SealingUploadHandler.chunk_size", 1024):
        for at in (5, len(body) // 2, len(body) - 12, len(body) - 1, len(body)):
            other = body[:at] + b"Z" + body[at + 1 :]
            by = case.signer.signature("POST", path, body, {"Content-Type": kind})
            assert refused(case.signer.send("POST", path, other, {"Content-Type": kind}, by=by)), at
            other_kind = case.signer.send("POST", path, other, {"Content-Type": JSON}, by=by)
            assert refused(other_kind)
        assert not Document.objects.exists() and list(vault.files()) == []
        answer = case.signer.send("POST", path, body, {"Content-Type": kind})
    assert answer.status_code == 201, answer.content
    assert "wrong_body" in reasons()


def test_a_changed_piece_of_a_file_is_not_kept(case, vault, monkeypatch):
    monkeypatch.setattr("documents.resumable.PIECE", 1000)
    monkeypatch.setattr("documents.resumable._READ", 300)
    data = samples.pdf() + b"%" * 5000 + b"\nstartxref\n0\n%%EOF\n"
    told = "filename YS5wZGY=,filetype YXBwbGljYXRpb24vcGRm,purpose aWRlbnRpdHlfZnJvbnQ=,document_type bmF0aW9uYWxfaWQ="
    begun = {"Tus-Resumable": "1.0.0", "Upload-Length": str(len(data)), "Upload-Metadata": told}
    answer = case.signer.send("POST", f"/api/v1/cases/{case.row.number}/uploads", None, begun)
    assert answer.status_code == 201, answer.content
    kind = {"Content-Type": "application/offset+octet-stream", "Upload-Offset": "0"}
    head, place = {"Tus-Resumable": "1.0.0"}, answer["Location"]
    by = case.signer.signature("PATCH", place, data, kind)
    assert refused(case.signer.send("PATCH", place, data[:-1] + b"x", head | kind, by=by))
    assert not Piece.objects.exists() and list(vault.files()) == []
    whole = case.signer.send("PATCH", place, data, head | kind)
    assert (whole.status_code, whole["Upload-Offset"]) == (204, str(len(data)))
