"""The file format of the vault: seal a stream, read any range of it. No database, no folders, no policy.

A file is a header of 128 bytes, a salt of 24, a commitment of 32, and chunks of 16 KiB of plaintext with 16 bytes of
tag each; the last chunk is shorter, and may be empty. From the salt on it is Cobblestone-256, that is
c2sp.org/chunked-encryption with SHA-512 and AES-256-GCM. The context binds the header and the licensee, so a changed
header, two swapped files or another customer fail at the commitment, before any chunk is decrypted.
docs/explanation/vault.md tells why.
"""

import hashlib
import struct
import weakref
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from queue import Queue
from threading import Thread
from typing import Protocol
from uuid import UUID

from cryptography.cobblestone import Cobblestone256Encryptor
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import constant_time, hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

MAGIC = b"KVLT"
VERSION = 1
COBBLESTONE_256 = 1
HEADER = 128
SALT = 24
COMMITMENT = 32
BODY = HEADER + SALT + COMMITMENT  # where chunk 0 starts
CHUNK = 16 * 1024
TAG = 16
SEALED_CHUNK = CHUNK + TAG
KEY = 32

_LAYOUT = struct.Struct(
    ">4sBBH16s16sI"
)  # magic, version, algorithm, header length, document, customer, key version; zeros
_INFO = b"c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\x00"
_PIECE = 1024 * 1024  # what one encryption call takes: 64 chunks
_QUEUED = 2  # pieces that wait for their hash at most
_BUFFERS = 3  # of sealed pieces: one is encrypted into, the others wait for their hash
_WORTH_A_THREAD = 256 * 1024


class Tampered(Exception):
    """The file is not what was sealed: cut, changed, swapped, or under another key. Nothing of it is released."""


@dataclass(frozen=True, slots=True)
class Header:
    """Whose file it is. `key_version` is the customer's key when it was sealed; which key opens it, the row says."""

    document: UUID
    customer: UUID
    key_version: int

    def pack(self) -> bytes:
        fields = (MAGIC, VERSION, COBBLESTONE_256, HEADER, self.document.bytes, self.customer.bytes, self.key_version)
        return _LAYOUT.pack(*fields).ljust(HEADER, b"\0")

    @classmethod
    def unpack(cls, raw: bytes) -> "Header":
        """Only version 1 is accepted: there is nothing to negotiate."""
        if len(raw) != HEADER:
            raise Tampered("the header is cut")
        magic, version, algorithm, length, document, customer, key_version = _LAYOUT.unpack_from(raw)
        known = (magic, version, algorithm, length) == (MAGIC, VERSION, COBBLESTONE_256, HEADER)
        if not known or any(raw[_LAYOUT.size :]):
            raise Tampered("the header is not of version 1")
        return cls(UUID(bytes=document), UUID(bytes=customer), key_version)


class Digests:
    """What a put leaves: SHA-256 of the original and of the whole sealed file, and the original's size in bytes.

    Asking for `ciphertext` waits until it is taken; a caller asks after the file is durable, which the hash needs no
    part in.
    """

    __slots__ = ("_sealed", "plaintext", "size")

    def __init__(self, plaintext: bytes, size: int, sealed: "_Hasher") -> None:
        self.plaintext, self.size, self._sealed = plaintext, size, sealed

    @property
    def ciphertext(self) -> bytes:
        return self._sealed.digest()


def context(header: bytes, licensee: UUID) -> bytes:
    return b"kvlt/1" + header + licensee.bytes


# ---------------------------------------------------------------------------------------------------- sealing
_Hashed = tuple[bytes | memoryview, bytearray | None]  # what is hashed, and the buffer that is free after it


class _Hasher:
    """SHA-256 of a stream, taken beside the caller's own work: hashing releases the interpreter's lock.

    A buffer that came with the data goes into `free` once it was hashed.
    """

    def __init__(self, free: "Queue[bytearray]") -> None:
        self._sha = hashlib.sha256()
        self._pieces: Queue[_Hashed | None] = Queue(_QUEUED)
        self._free = free
        self._end: Callable[[], None] | None = None

    def add(self, data: bytes | memoryview, buffer: bytearray | None = None) -> None:
        if self._end is None:
            if len(data) < _WORTH_A_THREAD:
                _hash(self._sha, (data, buffer), self._free)
                return
            # The thread knows nothing of us: forgotten half-way, we end it all the same.
            work = (self._pieces, self._sha, self._free)
            thread = Thread(target=_hash_all, args=work, name="vault-hash", daemon=True)
            thread.start()
            self._end = weakref.finalize(self, _end, self._pieces, thread)
        self._pieces.put((data, buffer))

    def digest(self) -> bytes:
        self.close()
        return self._sha.digest()

    def close(self) -> None:
        if self._end is not None:
            self._end()


def _hash_all(pieces: "Queue[_Hashed | None]", sha: "hashlib._Hash", free: "Queue[bytearray]") -> None:
    while (piece := pieces.get()) is not None:
        _hash(sha, piece, free)


def _hash(sha: "hashlib._Hash", piece: _Hashed, free: "Queue[bytearray]") -> None:
    data, buffer = piece
    sha.update(data)
    if buffer is not None:
        free.put(buffer)


def _end(pieces: "Queue[_Hashed | None]", thread: Thread) -> None:
    pieces.put(None)
    thread.join()


class Sealing:
    """Encrypts one document as it arrives and hashes both sides alongside. `sink` gets the sealed bytes in order.

    `sink` must take all it is given before it returns: the buffer behind it is used again.
    """

    def __init__(self, key: bytes, header: Header, licensee: UUID, sink: Callable[[memoryview], object]) -> None:
        raw = header.pack()
        self._encryptor = Cobblestone256Encryptor(key, context(raw, licensee))
        self._sink = sink
        self._size = 0
        # Each side is hashed on a thread of its own while this one encrypts (a tenth of the work) and hands it on.
        self._free: Queue[bytearray] = Queue()
        for _ in range(_BUFFERS):
            self._free.put(bytearray(0))
        self._plain, self._sealed = _Hasher(self._free), _Hasher(self._free)
        self._put(memoryview(raw))

    def update(self, data: bytes) -> None:
        self._plain.add(data)
        self._size += len(data)
        view = memoryview(data)
        for start in range(0, len(view), _PIECE):
            self._encrypt(view[start : start + _PIECE])

    def finish(self) -> Digests:
        """Seal the short last chunk, which says where the file ends."""
        self._put(memoryview(self._encryptor.finalize()))
        return Digests(self._plain.digest(), self._size, self._sealed)

    def abandon(self) -> None:
        """Stop; what was written so far is useless without the rest."""
        self._plain.close()
        self._sealed.close()

    def _encrypt(self, piece: memoryview) -> None:
        # Room for the piece, the chunk that waited for it, their tags, and the first call's salt and commitment.
        needed = (len(piece) // CHUNK + 2) * SEALED_CHUNK + SALT + COMMITMENT
        buffer = self._free.get()
        if len(buffer) < needed:
            buffer = bytearray(needed)
        written = self._encryptor.update_into(piece, buffer)
        self._put(memoryview(buffer)[:written], buffer)

    def _put(self, sealed: memoryview, buffer: bytearray | None = None) -> None:
        self._sealed.add(sealed, buffer)
        self._sink(sealed)


def seal(plaintext: bytes, *, key: bytes, header: Header, licensee: UUID) -> tuple[bytes, Digests]:
    """A whole document at once, in memory."""
    out = bytearray()
    sealing = Sealing(key, header, licensee, out.extend)
    sealing.update(plaintext)
    digests = sealing.finish()
    return bytes(out), digests


# ---------------------------------------------------------------------------------------------------- reading
class Source(Protocol):
    """A stored file: its length, and any of its bytes."""

    size: int

    def read_at(self, offset: int, length: int) -> bytes: ...


class RangeReader:
    """Reads any range of a sealed file, each chunk authenticated before a byte of it is released.

    Opening checks header, commitment and the **last chunk first**: after that the length is certain. Opening and
    reading raise Tampered.
    """

    def __init__(self, source: Source, *, key: bytes, header: Header, licensee: UUID) -> None:
        """`header` is what the row says: whose file this must be, and the newest key version it can name."""
        self._source = source
        raw = source.read_at(0, BODY)
        if len(raw) != BODY:
            raise Tampered("the file is cut")
        found = Header.unpack(raw[:HEADER])
        if (found.document, found.customer) != (header.document, header.customer):
            raise Tampered("the header names another document")
        if not 1 <= found.key_version <= header.key_version:
            raise Tampered("the header names a key that the row does not know")
        salt, commitment = raw[HEADER : HEADER + SALT], raw[HEADER + SALT :]
        expand = HKDFExpand(
            algorithm=hashes.SHA512(), length=KEY + 12 + COMMITMENT, info=_INFO + salt + context(raw[:HEADER], licensee)
        )
        derived = expand.derive(key)
        if not constant_time.bytes_eq(derived[KEY + 12 :], commitment):
            raise Tampered("the file was not sealed under this key for this document")
        self._cipher = AESGCM(derived[:KEY])
        self._nonce = int.from_bytes(derived[KEY : KEY + 12], "big")
        self._last, tail = divmod(source.size - BODY, SEALED_CHUNK)
        if tail < TAG:
            raise Tampered("the last chunk is cut")
        self._chunk(self._last)
        self.size = self._last * CHUNK + tail - TAG

    def read(self, start: int, stop: int) -> Iterator[bytes]:
        """The plaintext from `start` up to `stop` (0 <= start <= stop <= size), a chunk at a time."""
        if not 0 <= start <= stop <= self.size:
            raise ValueError(f"range: {start}-{stop} is not within 0-{self.size}.")
        return self._read(start, stop)

    def _read(self, start: int, stop: int) -> Iterator[bytes]:
        for number in range(start // CHUNK, -(-stop // CHUNK)):
            chunk = self._chunk(number)
            first = number * CHUNK
            yield chunk[max(start - first, 0) : stop - first]

    def _chunk(self, number: int) -> bytes:
        sealed = self._source.read_at(BODY + number * SEALED_CHUNK, SEALED_CHUNK)
        if (number == self._last) == (len(sealed) == SEALED_CHUNK):
            raise Tampered(f"chunk {number} is cut")
        try:
            return self._cipher.decrypt((self._nonce ^ number).to_bytes(12, "big"), sealed, None)
        except (InvalidTag, ValueError):
            raise Tampered(f"chunk {number} was changed") from None
