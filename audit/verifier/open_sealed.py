#!/usr/bin/env python3
"""Open the sealed parts of an exported bundle of a Mizan audit log, with the recipient's private key.

    python3 open_sealed.py new-key FILE          make a key pair; prints the public key to give to the operator
    python3 open_sealed.py open BUNDLE FILE      print what was sealed: one JSON object a line, {"seq", "sealed"}

Needs Python 3.10 or newer and the package `cryptography`. BUNDLE is the .zip or the unpacked folder. Run verify.py
first: it shows that the ciphertexts are those that the log's entries name; here each is opened under that entry's own
name, so what opens is what was written.

Exit: 0 everything opened; 1 something does not open or was changed; 2 a key was destroyed (shredded) or is missing;
3 wrong use.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import sys
import zipfile
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hpke
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

SUITE = hpke.Suite(hpke.KEM.X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.AES_256_GCM)
CIPHERTEXTS, KEYS = "sealed/ciphertexts.jsonl", "sealed/keys.hpke"
ALGORITHM = "HKDF-SHA256+A256GCM"
NONCE = 12
INSTALLATION = "installation:00000000-0000-0000-0000-000000000000"


class WrongUse(Exception):
    """The arguments make no sense."""


def info(origin: str, digest: bytes) -> bytes:
    """What the keys are bound to: this log, and the SHA-256 of these ciphertexts."""
    return b"mizan.sealed/v1|" + origin.encode() + b"|" + digest


def new_key(file: str) -> str:
    """Write a new private key, readable by its owner only; return the public key in base64."""
    private = X25519PrivateKey.generate()
    try:
        out = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise WrongUse(f"{file} exists already. Choose another name.") from None
    with os.fdopen(out, "wb") as writing:
        writing.write(base64.b64encode(private.private_bytes_raw()) + b"\n")
    return base64.b64encode(private.public_key().public_bytes_raw()).decode()


def opened(bundle: str, key_file: str) -> list[dict[str, Any]]:
    """[{seq, sealed}] in order; `sealed` is None where the key was destroyed. Raises InvalidTag, KeyError, WrongUse."""
    read = _reader(bundle)
    with open(key_file, "rb") as file:
        private = X25519PrivateKey.from_private_bytes(base64.b64decode(file.read().strip(), validate=True))
    try:
        ciphertexts, sealed_keys = read(CIPHERTEXTS), read(KEYS)
    except (KeyError, FileNotFoundError):
        raise WrongUse(f"{bundle} holds no sealed parts: ask for an export with your public key.") from None
    origin = json.loads(read("manifest.json"))["origin"]
    bound = info(origin, hashlib.sha256(ciphertexts).digest())
    keys = json.loads(SUITE.decrypt(sealed_keys, private, bound))
    entries = {row["seq"]: row["entry"] for row in map(json.loads, read("entries.jsonl").splitlines())}
    found = []
    for row in map(json.loads, ciphertexts.splitlines()):
        key = keys.get(str(row["seq"]))
        sealed = _open(row, entries[row["seq"]], base64.b64decode(key)) if key else None
        found.append({"seq": row["seq"], "sealed": sealed})
    return found


def _open(row: dict[str, Any], entry: dict[str, Any], key: bytes) -> Any:
    if row["alg"] != ALGORITHM:
        raise WrongUse(f"entry {row['seq']}: sealed in the form {row['alg']}, which this program does not know")
    subject = f"{entry['subject']['t']}:{entry['subject']['id']}" if "subject" in entry else INSTALLATION
    bound = f"{entry['log']}|{entry['id']}|{subject}|{row['kid']}".encode()
    ciphertext = base64.b64decode(row["ciphertext"])
    return json.loads(AESGCM(key).decrypt(ciphertext[:NONCE], ciphertext[NONCE:], bound))


def _reader(bundle: str) -> Any:
    if os.path.isdir(bundle):

        def read(name: str) -> bytes:
            with open(os.path.join(bundle, *name.split("/")), "rb") as file:
                return file.read()

        return read
    return zipfile.ZipFile(bundle).read


def main(arguments: list[str]) -> int:
    try:
        match arguments:
            case ["new-key", file]:
                print(new_key(file))
            case ["open", bundle, file]:
                parts = opened(bundle, file)
                for part in parts:
                    print(json.dumps(part, ensure_ascii=False, sort_keys=True))
                return 2 if any(part["sealed"] is None for part in parts) else 0
            case _:
                raise WrongUse(__doc__ or "")
    except (WrongUse, OSError, zipfile.BadZipFile) as error:
        print(error, file=sys.stderr)
        return 3
    except (InvalidTag, KeyError, ValueError) as error:
        print(f"REFUSED: it does not open with this key, or was changed ({type(error).__name__}).", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
