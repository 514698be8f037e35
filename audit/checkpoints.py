"""Signed statements of how far a log goes: C2SP tlog-checkpoint in a C2SP signed-note, Ed25519.

    <origin>                       such as compliance.example.com/main
    <size>
    <root, base64>

    — <origin> <base64 of 4 bytes key hash and the signature>

Beside the private key lies a state file with the size and root last signed. The signer signs only what grows from
there: this alone notices a restored backup and a cut tail.
"""

import base64
import fcntl
import json
import os
import re
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from audit.tree import EMPTY, consistent

ED25519 = b"\x01"
_NAME = re.compile(r"[^\s+\x00-\x1f]+")


class BadNote(ValueError):
    """A note that is not well formed, or not signed by the key."""


class KeyProblem(Exception):
    """The log's key cannot be used; the text names the file and the fix."""


class SignerRefuses(Exception):
    """The tree does not continue what was signed before: an older backup was restored, or the tables were changed."""


class KeyChanged(Exception):
    """The log's key was replaced on disk (audit.rotation): open it anew."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> str:
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"

    @classmethod
    def parse(cls, text: str) -> "Checkpoint":
        lines = text.split("\n")
        if len(lines) != 4 or lines[3] or not re.fullmatch(r"0|[1-9]\d{0,18}", lines[1]):
            raise BadNote("not a checkpoint of three lines")
        try:
            root = base64.b64decode(lines[2], validate=True)
        except ValueError:
            raise BadNote("the root is not base64") from None
        found = cls(lines[0], int(lines[1]), root)
        if len(root) != 32 or found.text != text:
            raise BadNote("the root is not 32 bytes in canonical base64")
        return found


@dataclass(frozen=True, slots=True)
class Verifier:
    """The public half of a log's key: `vkey` is `origin+hash+key`, as auditors pin it."""

    name: str
    key: bytes

    @classmethod
    def parse(cls, vkey: str) -> "Verifier":
        try:
            name, key_hash, data = vkey.strip().split("+", 2)
            raw = base64.b64decode(data, validate=True)
        except ValueError:
            raise BadNote("a verifier key has the form origin+hash+key") from None
        found = cls(name, raw[1:])
        if raw[:1] != ED25519 or len(raw) != 33 or key_hash != found.hash.hex():
            raise BadNote("not an Ed25519 verifier key, or mistyped: its hash does not fit")
        return found

    @property
    def hash(self) -> bytes:
        return sha256(self.name.encode() + b"\n" + ED25519 + self.key).digest()[:4]

    def __str__(self) -> str:
        return f"{self.name}+{self.hash.hex()}+{base64.b64encode(ED25519 + self.key).decode()}"

    def open(self, note: str) -> str:
        """The signed text of a note with exactly one signature, by this key; raises BadNote."""
        text, separator, signatures = note.rpartition("\n\n")
        start = f"— {self.name} "
        if not separator or not signatures.startswith(start) or signatures.count("\n") != 1 or note[-1] != "\n":
            raise BadNote("not a note with one signature by this key")
        encoded = signatures[len(start) : -1]
        try:
            raw = base64.b64decode(encoded, validate=True)
        except ValueError:
            raise BadNote("the signature is not base64") from None
        if base64.b64encode(raw).decode() != encoded or raw[:4] != self.hash:
            raise BadNote("the signature is by another key")
        try:
            Ed25519PublicKey.from_public_bytes(self.key).verify(raw[4:], (text + "\n").encode())
        except InvalidSignature:
            raise BadNote("the signature does not fit the text") from None
        return text + "\n"


class Signer:
    """The private half of a log's key and the memory of what it signed: `<log>.key`, `<log>.state` and `<log>.vkey`
    in `folder`.
    """

    def __init__(self, folder: Path, log: str, *, key: Path | None = None) -> None:
        """`key` is another private key of the same log than the one in use."""
        self._file, self._memory = key or folder / f"{log}.key", folder / f"{log}.state"
        self.verifier, self._private = _read_key(self._file)
        self._read = self._file.stat().st_ino
        if not self._memory.exists():
            raise KeyProblem(
                f"{self._memory} is missing: it says what was signed. Put it back from a backup of the key folder."
            )

    @classmethod
    def create(cls, folder: Path, log: str, origin: str) -> "Signer":
        """Make a new key; refuses to overwrite one."""
        if not _NAME.fullmatch(origin):
            raise KeyProblem(f"The origin {origin!r} holds a space or a plus sign. Set AUDIT_ORIGIN.")
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if cls.exists(folder, log):
            raise KeyProblem(f"{folder / log}.key exists already. A log keeps its key.")
        write_durably(folder / f"{log}.state", _state(0, EMPTY), 0o600)
        verifier = make_key(folder / f"{log}.key", origin)
        write_durably(folder / f"{log}.vkey", f"{verifier}\n", 0o644)
        return cls(folder, log)

    @staticmethod
    def exists(folder: Path, log: str) -> bool:
        return (folder / f"{log}.key").exists()

    def ensure_in_use(self) -> None:
        """Raise KeyChanged when another key lies in the file by now."""
        if self._file.stat().st_ino != self._read:
            raise KeyChanged(self.verifier.name)

    def publish(self) -> None:
        """Write the public key, where a kill in a change of key left the one before."""
        file, text = self._memory.with_suffix(".vkey"), f"{self.verifier}\n"
        if not file.exists() or file.read_text() != text:
            write_durably(file, text, 0o644)

    def signed(self) -> tuple[int, bytes]:
        """Size and root last signed; (0, EMPTY) before the first."""
        return _remembered(self._memory)

    def sign(self, size: int, root: bytes, prove: Callable[[int, int], list[bytes]]) -> str:
        """The note for this size and root, remembered on disk before it is handed out.

        `prove(old, new)` gives the consistency proof. Raises SignerRefuses when the tree is smaller than what was
        signed, or another; KeyChanged when the log has another key by now.
        """
        with alone_with(self._file):
            self.ensure_in_use()
            old, old_root = self.signed()
            if size < old:
                raise SignerRefuses(
                    f"The log {self.verifier.name} has {size} entries, but {old} were signed. An older backup was "
                    "restored, or the end was cut off. Restore the newer data; nothing is signed until then."
                )
            if old and not consistent(old, size, old_root, root, prove(old, size)):
                raise SignerRefuses(
                    f"The log {self.verifier.name} with {size} entries does not continue the {old} that were signed: "
                    "entries were changed, or an older backup was restored and written on. Restore the right data; "
                    "nothing is signed until then."
                )
            if (size, root) != (old, old_root):
                write_durably(self._memory, _state(size, root), 0o600)
        return self.note(Checkpoint(self.verifier.name, size, root).text)

    def note(self, text: str) -> str:
        """A signed note over `text`, which ends with a line break."""
        signature = self.verifier.hash + self._private.sign(text.encode())
        return f"{text}\n— {self.verifier.name} {base64.b64encode(signature).decode()}\n"


@contextmanager
def alone_with(file: Path) -> Iterator[None]:
    """Nobody else signs with this key, or replaces it, meanwhile. The lock is a file beside it, which stays."""
    with file.with_suffix(".lock").open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def make_key(file: Path, origin: str) -> Verifier:
    """A new private key in a file that must not exist yet; its public half."""
    private = Ed25519PrivateKey.generate()
    verifier = Verifier(origin, private.public_key().public_bytes_raw())
    secret = base64.b64encode(ED25519 + private.private_bytes_raw()).decode()
    _create(file, f"PRIVATE+KEY+{origin}+{verifier.hash.hex()}+{secret}\n")
    return verifier


def memory(folder: Path, log: str) -> tuple[int, bytes]:
    """Size and root that the log's signer signed last; raises KeyProblem when its memory cannot be read."""
    return _remembered(folder / f"{log}.state")


def _remembered(file: Path) -> tuple[int, bytes]:
    try:
        found = json.loads(file.read_text())
        return int(found["size"]), base64.b64decode(found["root"], validate=True)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise KeyProblem(f"{file} cannot be read ({error}). Put it back from a backup of the key folder.") from None


def _read_key(file: Path) -> tuple[Verifier, Ed25519PrivateKey]:
    try:
        mode, text = file.stat().st_mode, file.read_text().strip()
    except OSError as error:
        raise KeyProblem(
            f"{file} cannot be read ({error.strerror}). It is the log's key: put it back from a backup."
        ) from None
    if stat.S_IMODE(mode) & 0o077:
        raise KeyProblem(f"{file} can be read by others. Run: chmod 600 {file}")
    try:
        start, _, name, key_hash, data = text.split("+", 4)
        raw = base64.b64decode(data, validate=True)
    except ValueError:
        raise KeyProblem(f"{file} is not a note signer's key.") from None
    if start != "PRIVATE" or raw[:1] != ED25519 or len(raw) != 33:
        raise KeyProblem(f"{file} is not an Ed25519 note signer's key.")
    private = Ed25519PrivateKey.from_private_bytes(raw[1:])
    verifier = Verifier(name, private.public_key().public_bytes_raw())
    if verifier.hash.hex() != key_hash:
        raise KeyProblem(f"{file} is damaged: its hash does not fit. Put it back from a backup.")
    return verifier, private


def _state(size: int, root: bytes) -> str:
    return json.dumps({"size": size, "root": base64.b64encode(root).decode()}) + "\n"


def _create(file: Path, text: str) -> None:
    """Write a file that must not exist yet, readable by its owner only."""
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise KeyProblem(f"{file} exists already. A log keeps its key.") from None
    with os.fdopen(descriptor, "w") as out:
        out.write(text)
        out.flush()
        os.fsync(out.fileno())
    _sync_folder(file.parent)


def write_durably(file: Path, text: str, mode: int) -> None:
    """Whole or not at all, and on disk when this returns."""
    fresh = file.with_name(f".{file.name}.new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "w") as out:
        out.write(text)
        out.flush()
        os.fsync(out.fileno())
    fresh.rename(file)
    _sync_folder(file.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
