"""The published examples, read by our reader and by a second one that shares nothing with it but AES-GCM."""

import base64
import hashlib
import hmac
from pathlib import Path
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from documents.vault import Header
from tests.documents.test_vault import released

FOLDER = Path(__file__).parent.parent / "vectors" / "vault"
NAMES = sorted(path.stem for path in FOLDER.glob("*.txt"))


def example(name):
    head, _, body = (FOLDER / f"{name}.txt").read_text().partition("\n\n")
    facts = dict(line.split(": ", 1) for line in head.splitlines())
    return facts, base64.b64decode(body)


def test_there_are_examples_of_both_outcomes():
    outcomes = [example(name)[0]["expect"] for name in NAMES]
    assert outcomes.count("plaintext") >= 5
    assert outcomes.count("tampered") >= 15


@pytest.mark.parametrize("name", NAMES)
def test_our_reader_agrees(name):
    facts, file = example(name)
    header = Header(UUID(facts["document"]), UUID(facts["customer"]), int(facts["key-version"]))
    plaintext, failed = released(file, key=bytes.fromhex(facts["key"]), header=header, licensee=UUID(facts["licensee"]))
    if facts["expect"] == "tampered":
        assert (plaintext, failed) == (b"", True)
    else:
        assert not failed
        assert len(plaintext) == int(facts["size"])
        assert hashlib.sha256(plaintext).hexdigest() == facts["sha256"]


def _plainly_read(file, key, context):
    """C2SP chunked-encryption written down once more, straight from its text."""
    salt, commitment, body = file[:24], file[24:56], file[56:]
    info = b"c2sp.org/chunked-encryption@v1+" + b"AEAD_AES_256_GCM" + b"\0" + salt + context
    block, derived = b"", b""
    for number in (1, 2):
        block = hmac.new(key, block + info + bytes([number]), hashlib.sha512).digest()
        derived += block
    assert derived[44:76] == commitment
    plaintext, number = b"", 0
    while True:
        chunk = body[number * 16400 : (number + 1) * 16400]
        nonce = bytes(a ^ b for a, b in zip(derived[32:44], number.to_bytes(12, "big"), strict=True))
        plaintext += AESGCM(derived[:32]).decrypt(nonce, chunk, b"")
        if len(chunk) < 16400:
            return plaintext
        number += 1


@pytest.mark.parametrize("name", [name for name in NAMES if example(name)[0]["expect"] == "plaintext"])
def test_a_reader_written_from_the_specification_agrees(name):
    facts, file = example(name)
    context = b"kvlt/1" + file[:128] + UUID(facts["licensee"]).bytes
    plaintext = _plainly_read(file[128:], bytes.fromhex(facts["key"]), context)
    assert hashlib.sha256(plaintext).hexdigest() == facts["sha256"]
    assert file[:8] == b"KVLT" + bytes([1, 1, 0, 128])
    assert file[8:40] == UUID(facts["document"]).bytes + UUID(facts["customer"]).bytes
