"""What kind of file it is, by its content, and whether it is all there; judged while it passes, without keeping it.

Whether it is harmless and readable is the inspection's question: that reads the whole file, in a process of its own.
"""

import struct
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Protocol

from documents.refusals import Refused

HEAD = 33  # bytes needed to tell the kind and, of a PNG, the pixels
PIXELS = 120_000_000
NAME_LENGTH = 200


class Watch(Protocol):
    """Sees every byte of a file once, in order."""

    pixels: int

    def feed(self, data: bytes) -> None: ...
    def is_whole(self) -> bool: ...


class TailWatch:
    """A file whose end says that it is whole: `marks` must all stand within its last `within` bytes."""

    pixels = 0

    def __init__(self, marks: tuple[bytes, ...], within: int) -> None:
        self._marks, self._within, self._tail = marks, within, b""

    def feed(self, data: bytes) -> None:
        self._tail = (self._tail + data[-self._within :])[-self._within :]

    def is_whole(self) -> bool:
        return all(mark in self._tail for mark in self._marks)


class PngWatch(TailWatch):
    """PNG (ISO/IEC 15948): the first chunk tells width and height, the last is IEND."""

    def __init__(self) -> None:
        super().__init__((b"\0\0\0\0IEND\xaeB`\x82",), within=1024)
        self._head = b""

    def feed(self, data: bytes) -> None:
        if len(self._head) < HEAD:
            self._head = (self._head + data)[:HEAD]
            if len(self._head) == HEAD:
                width, height = struct.unpack(">II", self._head[16:24])
                self.pixels = width * height
        super().feed(data)


class JpegWatch:
    """JPEG (ITU-T T.81): segments up to the first scan, then an end-of-image marker somewhere after it.

    Cameras append to it (second pictures, films, depth maps), so the marker need not be the last thing. Within a
    scan the byte pair FF D9 stands for nothing else; a thumbnail's own marker sits inside a segment, which is
    skipped by its length.
    """

    _SIZES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # SOF0-15 without DHT, JPG, DAC
    _BARE = frozenset({0x01, *range(0xD0, 0xD9)})  # markers without a length

    def __init__(self) -> None:
        self.pixels = 0
        self._rest = b""
        self._skip = 0
        self._in_scan = False
        self._ended = False

    def feed(self, data: bytes) -> None:
        if self._ended:
            return
        data = self._rest + data
        if not self._in_scan:
            data = self._segments(data)
        if self._in_scan:
            self._ended = b"\xff\xd9" in data
            self._rest = data[-1:]

    def is_whole(self) -> bool:
        return self._ended

    def _segments(self, data: bytes) -> bytes:
        """Walk the segments; return what follows the header of the first scan, or keep the rest for later."""
        at = self._skip
        while at + 10 <= len(data):
            if data[at] != 0xFF:
                return self._give_up()
            marker = data[at + 1]
            if marker == 0xFF or marker in self._BARE:
                at += 1 if marker == 0xFF else 2
                continue
            if marker == 0xDA:
                self._in_scan = True
                return data[at:]
            length = int.from_bytes(data[at + 2 : at + 4], "big")
            if marker in self._SIZES:
                height, width = struct.unpack(">HH", data[at + 5 : at + 9])
                self.pixels = max(self.pixels, width * height)
            at += 2 + max(length, 2)
        self._skip = max(at - len(data), 0)
        self._rest = data[at:]
        return b""

    def _give_up(self) -> bytes:
        # Not the structure of a JPEG: it may still be whole, the inspection will say that it cannot be read.
        self._in_scan = self._ended = True
        return b""


class BoxWatch:
    """HEIC (ISO/IEC 14496-12): boxes, each with its length first; the last one ends where the file does.

    A file cut anywhere ends within a box. How many pixels it has is asked by the inspection.
    """

    pixels = 0
    _HEADER = 16  # length, name, and the long form of the length

    def __init__(self) -> None:
        self._head = b""
        self._left: int | None = 0  # bytes of the box under way that are still to come; None: up to the end
        self._named: set[bytes] = set()
        self._broken = False

    def feed(self, data: bytes) -> None:
        while data and not self._broken and self._left is not None:
            if self._left:
                passed = min(self._left, len(data))
                self._left, data = self._left - passed, data[passed:]
            else:
                data = self._begin(data)

    def is_whole(self) -> bool:
        return not (self._broken or self._left or self._head) and {b"meta", b"mdat"} <= self._named

    def _begin(self, data: bytes) -> bytes:
        """Take the header of the next box; what is left of the data."""
        wanted = 8 if len(self._head) < 8 else self._HEADER
        taken = wanted - len(self._head)
        self._head, data = self._head + data[:taken], data[taken:]
        if len(self._head) < wanted:
            return data
        length = int.from_bytes(self._head[:4], "big")
        if length == 1 and wanted == 8:
            return data
        if length == 1:
            length = int.from_bytes(self._head[8:], "big")
        self._named.add(self._head[4:8])
        self._broken = 0 < length < wanted or (wanted == self._HEADER and not length)
        self._left = length - wanted if length else None
        self._head = b""
        return data


def _starts_with(signature: bytes) -> Callable[[bytes], bool]:
    return lambda head: head.startswith(signature)


_BRANDS = frozenset({b"heic", b"heix"})  # of still pictures in HEVC; sequences and AVIF are not taken


def _is_heic(head: bytes) -> bool:
    """By the first box, which names the brands: the main one, or the first of those it is compatible with."""
    return head[4:8] == b"ftyp" and not _BRANDS.isdisjoint(head[at : at + 4] for at in (8, 16, 20, 24, 28))


@dataclass(frozen=True, slots=True)
class Kind:
    """A type of file that is taken. `tells` knows it by its first bytes; `extensions` and `declared` are what may be
    said of it.
    """

    media_type: str
    tells: Callable[[bytes], bool]
    extensions: frozenset[str]
    declared: frozenset[str]
    watch: Callable[[], Watch]


KINDS = (
    Kind(
        "image/jpeg",
        _starts_with(b"\xff\xd8\xff"),
        frozenset({".jpg", ".jpeg", ".jpe", ".jfif"}),
        frozenset({"image/jpeg", "image/jpg", "image/pjpeg"}),
        JpegWatch,
    ),
    Kind(
        "image/png",
        _starts_with(b"\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR"),
        frozenset({".png"}),
        frozenset({"image/png", "image/x-png"}),
        PngWatch,
    ),
    Kind(
        "application/pdf",
        _starts_with(b"%PDF-"),
        frozenset({".pdf"}),
        frozenset({"application/pdf", "application/x-pdf"}),
        lambda: TailWatch((b"startxref", b"%%EOF"), within=2048),
    ),
    Kind(
        "image/heic",
        _is_heic,
        frozenset({".heic", ".heif"}),
        frozenset({"image/heic", "image/heif"}),
        BoxWatch,
    ),
)
_UNDECLARED = frozenset({"", "application/octet-stream", "binary/octet-stream"})


def kind_of(head: bytes, *, name: str, declared: str) -> Kind:
    """The kind by the first bytes. Name and declared type must not contradict it; Refused otherwise."""
    kind = next((kind for kind in KINDS if kind.tells(head)), None)
    if kind is None:
        raise Refused("wrong_type")
    extension = PurePosixPath(name).suffix.lower()
    said = declared.partition(";")[0].strip().lower()
    if extension not in kind.extensions and extension:
        raise Refused("wrong_name")
    if said not in kind.declared and said not in _UNDECLARED:
        raise Refused("wrong_name")
    return kind


def clean_name(name: str) -> str:
    """The last part of the name, never a path. Control and direction-turning characters are refused."""
    base = unicodedata.normalize("NFC", name).replace("\\", "/").rpartition("/")[2].strip()
    # Cc control, Cf format (U+202E and its kin), Cs lone surrogate, Zl and Zp line separators.
    if any(unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp") for character in base):
        raise Refused("bad_name")
    if base in ("", ".", ".."):
        raise Refused("bad_name")
    path = PurePosixPath(base)
    return path.stem[: NAME_LENGTH - len(path.suffix)] + path.suffix if len(base) > NAME_LENGTH else base
