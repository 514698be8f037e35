"""The published examples, read by our code and by a second reader that shares nothing with it but AES-GCM and HMAC."""

import base64
import hashlib
import hmac
import json
from pathlib import Path
from uuid import UUID

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from audit.actors import SubjectRef
from compliance.keys import services
from compliance.keys.models import SubjectKey
from compliance.keys.providers import KeyUnavailable, LocalKeyFile, Wrapped
from compliance.keys.services import NotOpened

FOLDER = Path(__file__).parent.parent / "vectors" / "keys"
NAMES = sorted(path.stem for path in FOLDER.glob("*.txt"))


def example(name):
    facts = dict(line.split(": ", 1) for line in (FOLDER / f"{name}.txt").read_text().splitlines())
    return facts, SubjectRef(facts.get("subject_kind", ""), facts.get("subject_id", ""))


def examples(kind):
    found = [name for name in NAMES if example(name)[0]["kind"] == kind]
    assert found, kind
    return pytest.mark.parametrize("name", found)


def a_key_file(folder, *, epoch, wrapping_key, secret):
    path = folder / "keys.json"
    content = {"format": "mizan-keys/1", "current": epoch, "epochs": {str(epoch): wrapping_key}, "secret": secret}
    path.write_text(json.dumps(content))
    path.chmod(0o600)
    return LocalKeyFile(path)


def text(hexed):
    return base64.b64encode(bytes.fromhex(hexed)).decode()


def expand(key, info):
    """HKDF-SHA-256 of RFC 5869 without salt, one block, by hand."""
    extracted = hmac.digest(bytes(32), key, hashlib.sha256)
    return hmac.digest(extracted, info + b"\x01", hashlib.sha256)


def opened(key, blob, aad):
    try:
        return AESGCM(key).decrypt(blob[:12], blob[12:], aad)
    except InvalidTag:
        return None


@examples("subject key")
def test_a_subjects_key(name, tmp_path):
    facts, subject = example(name)
    file = a_key_file(
        tmp_path, epoch=int(facts["epoch"]), wrapping_key=text(facts["wrapping_key"]), secret=text("00" * 32)
    )
    wrapped = Wrapped(int(facts["epoch"]), bytes.fromhex(facts["blob"]))
    aad = SubjectKey.aad_of(subject.kind, subject.id, int(facts["version"]))
    by_hand = opened(
        bytes.fromhex(facts["wrapping_key"]),
        wrapped.blob,
        f"kek|{facts['epoch']}|ck|{subject.kind}|{subject.id}|{facts['version']}".encode(),
    )
    if facts["expect"] == "key":
        assert file.unwrap(wrapped, aad=aad).hex() == by_hand.hex() == facts["key"]
    else:
        assert by_hand is None
        with pytest.raises(KeyUnavailable):
            file.unwrap(wrapped, aad=aad)


@examples("document key")
def test_a_documents_key(name, monkeypatch):
    facts, subject = example(name)
    key, blob = bytes.fromhex(facts["subject_key"]), bytes.fromhex(facts["blob"])
    monkeypatch.setattr(services, "key_of_version", lambda *a, **k: key)
    aad = f"dek|{facts['document']}|{subject.kind}|{subject.id}|{facts['version']}".encode()
    by_hand = opened(expand(key, b"mizan/1|document"), blob, aad)
    act = lambda: services.unwrap_document_key(subject, UUID(facts["document"]), blob, int(facts["version"]))  # noqa: E731
    if facts["expect"] == "key":
        assert act().hex() == by_hand.hex() == facts["key"]
    else:
        assert by_hand is None
        with pytest.raises(NotOpened):
            act()


@examples("sealed field")
def test_a_sealed_field(name, monkeypatch):
    facts, subject = example(name)
    key, blob = bytes.fromhex(facts["subject_key"]), bytes.fromhex(facts["blob"])
    monkeypatch.setattr(services, "key_of_version", lambda *a, **k: key)
    place = bytes.fromhex(facts["place"])
    ours = services.open_sealed(subject, facts["purpose"], blob, aad=place)
    parts = [
        b"seal",
        subject.kind.encode(),
        subject.id.encode(),
        facts["purpose"].encode(),
        blob[:5].hex().encode(),
        place,
    ]
    by_hand = opened(expand(key, b"mizan/1|" + facts["purpose"].encode()), blob[5:], b"\0".join(parts))
    assert ours == by_hand == facts["value"].encode()


@examples("blind index")
def test_a_blind_index(name, tmp_path, monkeypatch):
    facts, _subject = example(name)
    file = a_key_file(tmp_path, epoch=1, wrapping_key=text("00" * 32), secret=text(facts["secret"]))
    monkeypatch.setattr(services, "provider", lambda: file)
    key = hmac.digest(bytes.fromhex(facts["secret"]), b"mizan/1|index|" + facts["purpose"].encode() + b"\x01", "sha256")
    by_hand = hmac.digest(key, facts["value"].encode(), "sha256").hex()
    assert services.blind_index(facts["purpose"], facts["value"]).hex() == by_hand == facts["index"]


def test_every_purpose_has_an_example():
    assert {example(name)[0]["purpose"] for name in NAMES if name.startswith("index_")} == set(services.IndexPurpose)
