"""The container of an export: files, a manifest with the digest of each, one form of ZIP in which no byte is free.

Files are written one after another in the order of their names and none is kept; `manifest.json` and `manifest.note`
come last, because they are made when all else is known. The verifier rebuilds the container from its files and
compares every byte, so nothing can hide between them.
"""

import struct
import zlib
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import IO, Any, Protocol

from audit.canonical import dumps

MANIFEST, NOTE = "manifest.json", "manifest.note"
MOST_FILES = 65_000  # a ZIP without the 64-bit extension
MOST_BYTES = 2**32 - 2**20

_HEAD, _ENTRY, _END = struct.Struct("<4s5H3I2H"), struct.Struct("<4s6H3I5H2I"), struct.Struct("<4s4H2IH")


class TooLarge(Exception):
    """More than one ZIP holds. Export to a folder, or a smaller part."""


class Target(Protocol):
    """Where an export goes: files in the order of their names, the manifest and its note last."""

    def put(self, name: str, data: bytes) -> None: ...

    def close(self) -> None: ...


class Listing:
    """The manifest's list of files, filled while they are written."""

    def __init__(self) -> None:
        self.files: dict[str, dict[str, Any]] = {}

    def add(self, name: str, data: bytes) -> None:
        self.files[name] = {"bytes": len(data), "sha256": sha256(data).hexdigest()}

    def manifest(self, facts: Mapping[str, Any]) -> bytes:
        return dumps({**facts, "files": self.files})


class ZipTarget:
    """Stored, all times 1980-01-01: the same files make the same bytes. Keeps the directory, 80 bytes a file."""

    def __init__(self, out: IO[bytes]) -> None:
        self._out, self._directory, self._offset, self._count = out, bytearray(), 0, 0

    def put(self, name: str, data: bytes) -> None:
        path, crc, size = name.encode("ascii"), zlib.crc32(data), len(data)
        if self._count >= MOST_FILES or self._offset + size + len(self._directory) > MOST_BYTES:
            raise TooLarge(TooLarge.__doc__)
        self._out.write(_HEAD.pack(b"PK\x03\x04", 20, 0x800, 0, 0, 0x21, crc, size, size, len(path), 0) + path)
        self._out.write(data)
        mode = 0o100644 << 16
        self._directory += _ENTRY.pack(
            *(b"PK\x01\x02", 0x314, 20, 0x800, 0, 0, 0x21, crc, size, size, len(path), 0, 0, 0, 0, mode, self._offset)
        )
        self._directory += path
        self._offset += _HEAD.size + len(path) + size
        self._count += 1

    def close(self) -> None:
        self._out.write(self._directory)
        length = len(self._directory)
        self._out.write(_END.pack(b"PK\x05\x06", 0, 0, self._count, self._count, length, self._offset, 0))


class FolderTarget:
    """Files in a new folder: for exports of any size."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, name: str, data: bytes) -> None:
        path = self._folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)

    def close(self) -> None:
        """Nothing to write at the end."""


def write_zip(out: IO[bytes], files: Mapping[str, bytes]) -> None:
    """A whole bundle that is at hand."""
    target = ZipTarget(out)
    names = sorted(set(files) - {MANIFEST, NOTE}) + [name for name in (MANIFEST, NOTE) if name in files]
    for name in names:
        target.put(name, files[name])
    target.close()
