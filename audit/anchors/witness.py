"""A witness cosigns checkpoints that continue what it saw before (C2SP tlog-witness, tlog-cosignature).

It keeps its own memory, so it never signs two histories of one log: what it cosigned cannot be rewritten unseen.
"""

import base64
import struct
from datetime import UTC, datetime
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from audit.anchors import CannotAnchor, Held, Proof, Prove, WrongProof
from audit.anchors.http import Answer, post

COSIGNATURE = b"\x04"  # the kind of key: Ed25519 over "cosignature/v1"


class Witness:
    """`url` before /add-checkpoint; `vkey` is the witness's own verifier key, `name+hash+key`."""

    form = "cosignature"

    def __init__(self, url: str, vkey: str) -> None:
        self._url = url.rstrip("/") + "/add-checkpoint"
        self._name, self._hash, self._key = _parse(vkey)

    def place(self, held: Held, last: int, prove: Prove) -> Proof:
        answer = self._add(held, last, prove)
        if answer.status == 409:  # it remembers another size than we: an answer of ours got lost, or it is new to us
            answer = self._add(held, self._size_it_has(answer, held), prove)
        if answer.status != 200:
            reasons = {403: "does not know the log's key", 404: "does not know this log", 422: "rejects the proof"}
            raise CannotAnchor(f"the witness {self._name} {reasons.get(answer.status, f'answers {answer.status}')}")
        try:
            at = self._time(held.note, answer.body)
        except WrongProof as wrong:
            raise CannotAnchor(f"the witness {self._name}: {wrong}") from None
        return Proof(answer.body, at)

    def check(self, held: Held, proof: bytes) -> datetime:
        return self._time(held.note, proof)

    def recall(self, log: str, origin: str) -> list[str]:
        return []  # it answers no questions; what it saw shows when it is handed the next checkpoint

    def _add(self, held: Held, old: int, prove: Prove) -> Answer:
        steps = prove(old, held.size) if 0 < old < held.size else []
        lines = [f"old {old}", *(base64.b64encode(step).decode() for step in steps), "", held.note]
        return post(self._url, "\n".join(lines).encode(), "text/plain; charset=utf-8")

    def _size_it_has(self, answer: Answer, held: Held) -> int:
        try:
            size = int(answer.body)
        except ValueError:
            raise CannotAnchor(f"the witness {self._name} answers 409 without a size") from None
        if size > held.size:
            raise CannotAnchor(
                f"the witness {self._name} saw {size} entries, the log has {held.size}: an older backup was restored, "
                "or the end was cut off"
            )
        return size

    def _time(self, note: str, lines: bytes) -> datetime:
        """When this witness says it saw the note; raises WrongProof."""
        start, text = f"\u2014 {self._name} ".encode(), note.rpartition("\n\n")[0] + "\n"
        for line in lines.splitlines():
            try:
                raw = base64.b64decode(line.removeprefix(start), validate=True) if line.startswith(start) else b""
            except ValueError:
                continue
            if len(raw) == 76 and raw[:4] == self._hash:
                (moment,) = struct.unpack(">Q", raw[4:12])
                return self._verified(moment, text, raw[12:])
        raise WrongProof("no cosignature by the key of this witness")

    def _verified(self, moment: int, text: str, signature: bytes) -> datetime:
        try:
            Ed25519PublicKey.from_public_bytes(self._key).verify(signature, cosigned(moment, text))
        except InvalidSignature:
            raise WrongProof("the cosignature does not fit this checkpoint") from None
        return datetime.fromtimestamp(moment, UTC)


def cosigned(moment: int, text: str) -> bytes:
    """What a witness signs: the checkpoint's text and its own time in seconds."""
    return f"cosignature/v1\ntime {moment}\n{text}".encode()


def key_hash(name: str, key: bytes) -> bytes:
    return sha256(name.encode() + b"\n" + COSIGNATURE + key).digest()[:4]


def _parse(vkey: str) -> tuple[str, bytes, bytes]:
    try:
        name, stated, data = vkey.strip().split("+", 2)
        raw = base64.b64decode(data, validate=True)
    except ValueError:
        raise CannotAnchor("AUDIT_ANCHOR_WITNESS_VKEY has the form name+hash+key") from None
    found = key_hash(name, raw[1:])
    if raw[:1] != COSIGNATURE or len(raw) != 33 or stated != found.hex():
        raise CannotAnchor("AUDIT_ANCHOR_WITNESS_VKEY is mistyped, or no key of a witness")
    return name, found, raw[1:]
