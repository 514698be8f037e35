"""The key file in escrow: sealed to n custodians so that any m of them together bring it back, offline.

The content is encrypted under a random key; that key is split (shamir.py), and each share is sealed to one custodian's
public key with HPKE (RFC 9180: X25519, HKDF-SHA-256, AES-256-GCM). The escrow file tells nothing without m private
keys, may lie anywhere, and holds no share in the clear.
"""

import base64
import hashlib
import json
import os
import secrets
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from compliance.keys import shamir
from compliance.keys.providers.key_file import parsed

FORMAT = "mizan-escrow/1"
_SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
_NONCE = 12


class CannotRecover(Exception):
    """The escrow does not open: too few custodians, another escrow's keys, or a changed file. The text says which."""


@dataclass(frozen=True, slots=True)
class Custodian:
    """`name` is what the escrow calls them; `public` their X25519 key, 32 bytes."""

    name: str
    public: bytes


def make(content: bytes, custodians: Iterable[Custodian], *, threshold: int) -> dict[str, Any]:
    """The escrow of a key file's content. ValueError when the custodians are too few or one is there twice."""
    people = list(custodians)
    if len({person.public for person in people}) != len(people):
        raise ValueError("Two custodians have the same public key.")
    if len({person.name for person in people}) != len(people):
        raise ValueError("Two custodians have the same name.")
    head = {
        "format": FORMAT,
        "id": str(uuid.uuid4()),
        "threshold": threshold,
        "epochs": sorted(parsed(content).epochs),
        "custodians": [{"name": each.name, "public": _text(each.public)} for each in people],
    }
    key, nonce = AESGCM.generate_key(256), secrets.token_bytes(_NONCE)
    shares = shamir.split(key, threshold=threshold, shares=len(people))
    sealed = [
        _SUITE.encrypt(share, X25519PublicKey.from_public_bytes(person.public), info=_info(head, number))
        for (number, share), person in zip(shares.items(), people, strict=True)
    ]
    return head | {
        "shares": [_text(share) for share in sealed],
        "content": _text(nonce + AESGCM(key).encrypt(nonce, content, _bound(head))),
    }


def check(escrow: Mapping[str, Any], *, content: bytes | None) -> list[str]:
    """What is wrong with an escrow file, as far as it shows without private keys; with `content`, is it current."""
    try:
        people, shares = escrow["custodians"], escrow["shares"]
        whole = (
            escrow["format"] == FORMAT
            and len(people) == len(shares) >= int(escrow["threshold"]) >= 2
            and all(len(_bytes(person["public"])) == 32 for person in people)
            and all(len(_bytes(share)) == 32 + 32 + 16 for share in shares)
            and len(_bytes(escrow["content"])) > _NONCE + 16
        )
    except (KeyError, TypeError, ValueError):
        whole = False
    if not whole:
        return ["This is no whole escrow file. Make another one."]
    if content is None:
        return []
    held, now = set(escrow["epochs"]), set(parsed(content).epochs)
    problems = []
    if missing := now - held:
        problems.append(f"It lacks the epochs {_list(missing)}: make another one, then destroy this.")
    if destroyed := held - now:
        problems.append(
            f"It still holds the destroyed epochs {_list(destroyed)}: destroy every copy of it, or old backups live on."
        )
    return problems


def recover(escrow: Mapping[str, Any], keys: Iterable[X25519PrivateKey]) -> bytes:
    """The key file's content, from the private keys of at least `threshold` custodians. Raises CannotRecover."""
    if problems := check(escrow, content=None):
        raise CannotRecover(problems[0])
    head = {name: escrow[name] for name in ("format", "id", "threshold", "epochs", "custodians")}
    places = {_bytes(person["public"]): number for number, person in enumerate(escrow["custodians"], start=1)}
    shares: dict[int, bytes] = {}
    for key in keys:
        number = places.get(public_of(key))
        if number is None:
            raise CannotRecover("One of the private keys belongs to nobody whom this escrow names.")
        try:
            shares[number] = _SUITE.decrypt(_bytes(escrow["shares"][number - 1]), key, info=_info(head, number))
        except InvalidTag:
            raise CannotRecover("The escrow file was changed: a share does not open.") from None
    if len(shares) < escrow["threshold"]:
        raise CannotRecover(f"{escrow['threshold']} custodians are needed, {len(shares)} are here.")
    sealed = _bytes(escrow["content"])
    try:
        content = AESGCM(shamir.combine(shares)).decrypt(sealed[:_NONCE], sealed[_NONCE:], _bound(head))
        parsed(content)
    except (InvalidTag, ValueError):
        raise CannotRecover("The escrow file was changed: its content does not open.") from None
    return content


# -------------------------------------------------------------------------------------------------- custodians' keys
def new_key(path: Path) -> str:
    """A custodian's private key as a new PEM file, mode 0600; returns the public key, 64 hex digits."""
    key = X25519PrivateKey.generate()
    raw = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb") as file:
        file.write(raw)
        file.flush()
        os.fsync(file.fileno())
    return public_of(key).hex()


def read_key(path: Path) -> X25519PrivateKey:
    """ValueError when the file holds no private key of this kind."""
    key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    if not isinstance(key, X25519PrivateKey):
        raise ValueError(f"{path} holds no X25519 key.")
    return key


def custodian(text: str) -> Custodian:
    """`name=public key`, 64 hex digits."""
    name, _, public = text.partition("=")
    try:
        key = bytes.fromhex(public)
    except ValueError:
        key = b""
    if not name or len(key) != 32:
        raise ValueError(f"{text!r}: write name=public key, as `keys escrow key` printed it.")
    return Custodian(name, key)


def public_of(key: X25519PrivateKey) -> bytes:
    return key.public_key().public_bytes_raw()


def dumped(escrow: Mapping[str, Any]) -> bytes:
    return json.dumps(escrow, indent=1).encode() + b"\n"


def _bound(head: Mapping[str, Any]) -> bytes:
    """Everything that stands in the clear."""
    return hashlib.sha256(json.dumps(head, sort_keys=True, separators=(",", ":")).encode()).digest()


def _info(head: Mapping[str, Any], number: int) -> bytes:
    return FORMAT.encode() + b"|share|" + str(number).encode() + b"|" + _bound(head)


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _bytes(text: str) -> bytes:
    return base64.b64decode(text, validate=True)


def _list(numbers: Iterable[int]) -> str:
    return ", ".join(map(str, sorted(numbers)))
