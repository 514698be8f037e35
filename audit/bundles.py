"""The container of an export: files, a manifest with the digest of each, one form of ZIP in which no byte is free.

`manifest.json` and `manifest.note` come last, because they are made when all else is known. The verifier rebuilds the
container from its files and compares every byte, so nothing can hide between them.
"""

import struct
import zlib
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import IO, Any

from audit.canonical import dumps

MANIFEST, NOTE = "manifest.json", "manifest.note"
MOST_FILES = 65_000  # a ZIP without the 64-bit extension
MOST_BYTES = 2**32 - 2**20

_HEAD, _ENTRY, _END = struct.Struct("<4s5H3I2H"), struct.Struct("<4s6H3I5H2I"), struct.Struct("<4s4H2IH")


class TooLarge(Exception):
    """More than one ZIP holds. Export to a folder, or a smaller part."""


class Listing:
    """The manifest's list of files, filled while they are written."""

    def __init__(self) -> None:
        self.files: dict[str, dict[str, Any]] = {}

    def add(self, name: str, data: bytes) -> None:
        self.files[name] = {"bytes": len(data), "sha256": sha256(data).hexdigest()}

    def manifest(self, facts: Mapping[str, Any]) -> bytes:
        return dumps({**facts, "files": self.files})


def write_zip(out: IO[bytes], files: Mapping[str, bytes]) -> None:
    """Stored, in order of names with the manifest last, all times 1980-01-01: the same files make the same bytes."""
    names = sorted(set(files) - {MANIFEST, NOTE}) + [name for name in (MANIFEST, NOTE) if name in files]
    if len(names) > MOST_FILES or sum(map(len, files.values())) > MOST_BYTES:
        raise TooLarge(TooLarge.__doc__)
    directory, offset = b"", 0
    for name in names:
        data, path = files[name], name.encode("ascii")
        crc, size = zlib.crc32(data), len(data)
        out.write(_HEAD.pack(b"PK\x03\x04", 20, 0x800, 0, 0, 0x21, crc, size, size, len(path), 0) + path)
        out.write(data)
        mode = 0o100644 << 16
        directory += _ENTRY.pack(
            *(b"PK\x01\x02", 0x314, 20, 0x800, 0, 0, 0x21, crc, size, size, len(path), 0, 0, 0, 0, mode, offset)
        )
        directory += path
        offset += _HEAD.size + len(path) + size
    out.write(directory)
    out.write(_END.pack(b"PK\x05\x06", 0, 0, len(names), len(names), len(directory), offset, 0))


def write_file(folder: Path, name: str, data: bytes) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
