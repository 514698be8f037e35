#!/usr/bin/env python3
"""Check an exported bundle of a Mizan audit log, offline, with nothing but Python's standard library (3.9 or newer).

One file on purpose, however long: an outsider takes it from the release page, reads it, and needs nothing else.

    python3 verify.py BUNDLE --vkey 'ORIGIN+HASH+KEY' [--checkpoint FILE] [--witness VKEY] [--jobs N] [--json]
    python3 verify.py ENTRY --proof FILE.tlog-proof --vkey 'ORIGIN+HASH+KEY'
    python3 verify.py FILE.continues --checkpoint FILE --vkey 'ORIGIN+HASH+KEY'

BUNDLE is the .zip as it was delivered, or the folder with its content. The verifier key comes from you: note it down
when the system is taken over, and take this program from the release page. What lies in the bundle is never trusted
for that.
--checkpoint is a checkpoint you kept from an earlier export: then the log must continue it, so nothing before was
rewritten.
--witness is the verifier key of a witness you know (it may be given more than once): what it cosigned is anchored.
--jobs is how many processes share the work of a long log (at most 4 by itself); 1 keeps to one.
The second form checks one entry, byte for byte as it was handed out, with its proof (C2SP tlog-proof); the third that a
newer checkpoint continues yours.
When the log changed its key since, rotation notes in the bundle lead from the key you give to the newer one: each is
signed with both.

Exit: 0 everything agrees; 1 something was changed, is not signed by that key, or was not written by the product;
2 it cannot be checked (something is missing); 3 wrong use. What cannot be shown from here is said in the report: see
"anchored" and "complete".
"""

from __future__ import annotations

import argparse
import array
import base64
import hashlib
import json
import os
import re
import struct
import sys
import tempfile
import unicodedata
import zlib
from datetime import datetime, timedelta
from typing import IO, Any, Callable, NoReturn, Tuple  # noqa: UP035 - runs on Python 3.9

VERSION = "1"
SKEW_SECONDS = 300
TOLD = ("audit.flag", "audit.regress", "audit.weaken")  # what the log itself says went wrong
ASKED = (*TOLD, "audit.announce_key")  # actions whose entries are always read in full
FEWEST_TILES = 32  # of 256 entries, that are worth a process of their own


Point = Tuple[int, int, int, int]  # noqa: UP006 - extended coordinates (RFC 8032, 5.1.4); runs on Python 3.9


class Tampered(Exception):
    """Something is not what was signed."""


class Unverifiable(Exception):
    """Something is missing that the check needs."""


class WrongUse(Exception):
    """The arguments make no sense."""


# ------------------------------------------------------------------- Ed25519 (RFC 8032), verification only
P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT_OF_MINUS_ONE = pow(2, (P - 1) // 4, P)


def _add(a: Point, b: Point) -> Point:
    m, n = (a[1] - a[0]) * (b[1] - b[0]) % P, (a[1] + a[0]) * (b[1] + b[0]) % P
    c, d = 2 * a[3] * b[3] * D % P, 2 * a[2] * b[2] % P
    e, f, g, h = n - m, d - c, d + c, n + m
    return e * f % P, g * h % P, f * g % P, e * h % P


def _point(data: bytes) -> Point | None:
    """The point that 32 bytes stand for, None when they stand for none."""
    number = int.from_bytes(data, "little")
    sign, y = number >> 255, number & (1 << 255) - 1
    if y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * ROOT_OF_MINUS_ONE % P
    if (x * x - square) % P or (x == 0 and sign):
        return None
    if x & 1 != sign:
        x = P - x
    return x, y, 1, x * y % P


BASE: Point = _point((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))  # type: ignore[assignment]


def _sum_of_multiples(first: int, one: Point, second: int, other: Point) -> Point:
    """first * one + second * other, in one pass over the bits of both."""
    either = (None, one, other, _add(one, other))
    total = (0, 1, 1, 0)
    for bit in range(max(first.bit_length(), second.bit_length()) - 1, -1, -1):
        total = _add(total, total)
        addend = either[(first >> bit & 1) | (second >> bit & 1) << 1]
        if addend:
            total = _add(total, addend)
    return total


def ed25519_verifies(key: bytes, message: bytes, signature: bytes) -> bool:
    if len(key) != 32 or len(signature) != 64:
        return False
    public = _point(key)
    scalar = int.from_bytes(signature[32:], "little")
    if public is None or scalar >= L:
        return False
    challenge = int.from_bytes(hashlib.sha512(signature[:32] + key + message).digest(), "little") % L
    minus = (P - public[0], public[1], 1, P - public[3])
    x, y, z, _ = _sum_of_multiples(scalar, BASE, challenge, minus)
    inverse = pow(z, P - 2, P)
    encoded = y * inverse % P | (x * inverse % P & 1) << 255
    return encoded.to_bytes(32, "little") == signature[:32]


# --------------------------------------------------------------------------------------------------- notes, checkpoints
def from_base64(text: str) -> bytes:
    """Bytes of canonical base64: one text for one value, so that no character can be changed unseen."""
    try:
        raw = base64.b64decode(text, validate=True)
    except ValueError:
        raise Tampered("not base64") from None
    if base64.b64encode(raw).decode() != text:
        raise Tampered("base64 that is not canonical")
    return raw


class Key:
    """A trusted verifier key `name+hash+key` (C2SP signed-note, Ed25519)."""

    def __init__(self, vkey: str) -> None:
        try:
            self.name, stated, data = vkey.strip().split("+", 2)
            raw = from_base64(data)
        except (ValueError, Tampered):
            raise WrongUse("--vkey has the form ORIGIN+HASH+KEY") from None
        self.hash = hashlib.sha256(self.name.encode() + b"\n" + raw).digest()[:4]
        if raw[:1] != b"\x01" or len(raw) != 33 or stated != self.hash.hex():
            raise WrongUse("--vkey is mistyped: its hash does not fit, or it is no Ed25519 key")
        self.public, self.vkey = raw[1:], vkey.strip()

    def signed(self, note: bytes) -> bool:
        """Whether the last line of a note claims to be this key's signature."""
        line = note.rstrip(b"\n").rpartition(b"\n")[2].rpartition(b" ")[2]
        try:
            return base64.b64decode(line)[:4] == self.hash
        except ValueError:
            return False

    def open(self, note: bytes, what: str) -> str:
        """The signed text of a note with exactly one signature, ours."""
        try:
            text, separator, signatures = note.decode().rpartition("\n\n")
        except UnicodeDecodeError:
            raise Tampered(f"{what}: not text") from None
        start = f"\u2014 {self.name} "
        if not separator or not re.fullmatch(re.escape(start) + r"[A-Za-z0-9+/=]+\n", signatures):
            raise Tampered(f"{what}: not a note with exactly one signature, by {self.name}")
        raw = from_base64(signatures[len(start) : -1])
        if raw[:4] != self.hash or not ed25519_verifies(self.public, (text + "\n").encode(), raw[4:]):
            raise Tampered(f"{what}: not signed by the key you trust")
        return text + "\n"

    def checkpoint(self, note: bytes, what: str) -> tuple[int, bytes]:
        """(size, root) of a signed checkpoint of this log."""
        lines = self.open(note, what).split("\n")
        if len(lines) != 4 or lines[0] != self.name or not re.fullmatch(r"[1-9][0-9]{0,18}", lines[1]):
            raise Tampered(f"{what}: not a checkpoint of {self.name}")
        root = from_base64(lines[2])
        if len(root) != 32:
            raise Tampered(f"{what}: the root is not 32 bytes")
        return int(lines[1]), root


class Ring:
    """The trusted key, and the keys that rotation notes lead to and from. A note is signed with the old and the new key
    and says at which size: the old one signs nothing larger, the new one nothing smaller."""

    def __init__(self, trusted: Key, notes: list[bytes]) -> None:
        self.name, self.keys = trusted.name, [trusted]
        self.changes: list[tuple[int, bytes, str]] = []  # size, root, new vkey
        self._checked: dict[bytes, tuple[int, bytes]] = {}
        for number, note in enumerate(notes, 1):
            old, new = self._change(note, number, f"keys/rotations/{number}")
            if number == 1:
                self.keys = [old]
            elif old.vkey != self.keys[-1].vkey:
                raise Tampered(f"keys/rotations/{number}: does not follow the change before it")
            self.keys.append(new)
        if trusted.vkey not in [key.vkey for key in self.keys]:
            raise Tampered("keys/rotations: no change of key leads from the key you trust")

    def _change(self, note: bytes, number: int, what: str) -> tuple[Key, Key]:
        text, separator, signatures = note.decode("utf-8", "replace").rpartition("\n\n")
        lines, signed = (text + "\n").split("\n"), signatures.split("\n")
        if not separator or len(lines) != 8 or len(signed) != 3 or signed[2]:
            raise Tampered(f"{what}: not a note about a change of key")
        if lines[:3] != ["mizan.rotation/v1", self.name, str(number)] or not SIZE.fullmatch(lines[3]):
            raise Tampered(f"{what}: a change of another log, or out of order")
        try:
            old, new = Key(lines[5]), Key(lines[6])
        except WrongUse:
            raise Tampered(f"{what}: not a verifier key") from None
        for key, line in ((old, signed[0]), (new, signed[1])):
            if key.name != self.name:
                raise Tampered(f"{what}: a key of another log")
            key.open(f"{text}\n\n{line}\n".encode(), what)
        root, size = from_base64(lines[4]), int(lines[3])
        if len(root) != 32 or (self.changes and size < self.changes[-1][0]) or old.vkey == new.vkey:
            raise Tampered(f"{what}: not a change that can be")
        self.changes.append((size, root, new.vkey))
        return old, new

    def checkpoint(self, note: bytes, what: str) -> tuple[int, bytes]:
        """(size, root) of a checkpoint, signed with the key that was in use at its size. A signature takes some
        milliseconds here, so each note is checked once."""
        if note not in self._checked:
            self._checked[note] = self._checkpoint(note, what)
        return self._checked[note]

    def _checkpoint(self, note: bytes, what: str) -> tuple[int, bytes]:
        at = next((at for at, key in enumerate(self.keys) if key.signed(note)), len(self.keys) - 1)
        size, root = self.keys[at].checkpoint(note, what)
        after, before = (self.changes[at - 1][0] if at else 0), [change[0] for change in self.changes[at : at + 1]]
        if size < after or any(size > limit for limit in before):
            raise Tampered(f"{what}: signed with a key that was not in use at {size} entries")
        return size, root


class Cosigner:
    """A witness that the auditor knows (C2SP tlog-cosignature, Ed25519)."""

    def __init__(self, vkey: str) -> None:
        try:
            self.name, stated, data = vkey.strip().split("+", 2)
            raw = from_base64(data)
        except (ValueError, Tampered):
            raise WrongUse("--witness has the form NAME+HASH+KEY") from None
        self.hash = hashlib.sha256(self.name.encode() + b"\n" + raw).digest()[:4]
        if raw[:1] != b"\x04" or len(raw) != 33 or stated != self.hash.hex():
            raise WrongUse("--witness is mistyped: its hash does not fit, or it is no key of a witness")
        self.public = raw[1:]

    def time(self, note: bytes, lines: bytes, what: str) -> int | None:
        """When it saw the note, in seconds since 1970; None when it says nothing of it."""
        text, start = note.decode().rpartition("\n\n")[0] + "\n", f"\u2014 {self.name} "
        for line in lines.decode("utf-8", "replace").splitlines():
            raw = from_base64(line[len(start) :]) if line.startswith(start) else b""
            if raw[:4] == self.hash and len(raw) == 76:
                moment = int.from_bytes(raw[4:12], "big")
                if not ed25519_verifies(self.public, f"cosignature/v1\ntime {moment}\n{text}".encode(), raw[12:]):
                    raise Tampered(f"{what}: not what {self.name} signed")
                return moment
        return None


# ------------------------------------------------------------------------- time stamps (RFC 3161), as far as DER goes
def der(data: bytes) -> list[tuple[int, bytes]]:
    """The (tag, content) of one DER element after another."""
    found, at = [], 0
    while at < len(data):
        tag, length, at = data[at], data[at + 1], at + 2
        if length & 0x80:
            size = length & 0x7F
            length, at = int.from_bytes(data[at : at + size], "big"), at + size
        if at + length > len(data):
            raise ValueError("cut off")
        found.append((tag, data[at : at + length]))
        at += length
    return found


def time_stamp(token: bytes, what: str) -> tuple[bytes, str]:
    """(SHA-256 that was stamped, time as YYYY-MM-DDTHH:MM:SS). The signature is OpenSSL's to check."""
    try:
        status, content = der(der(token)[0][1])
        signed = der(der(der(content[1])[1][1])[0][1])
        info = der(der(der(der(signed[2][1])[1][1])[0][1])[0][1])
        algorithm, digest = der(info[2][1])
        moment = info[4][1].decode("ascii")
        if der(status[1])[0][1] != b"\0" or der(algorithm[1])[0][1] != SHA256 or not STAMPED.fullmatch(moment):
            raise ValueError("not granted, not SHA-256, or not UTC")
    except (ValueError, IndexError, TypeError, UnicodeDecodeError):
        raise Tampered(f"{what}: not a time stamp") from None
    year, rest = moment[:4], [moment[at : at + 2] for at in range(4, 14, 2)]
    return digest[1], f"{year}-{rest[0]}-{rest[1]}T{rest[2]}:{rest[3]}:{rest[4]}"


SHA256 = bytes.fromhex("608648016503040201")
STAMPED = re.compile(r"[0-9]{14}(\.[0-9]+)?Z")
SIZE = re.compile(r"0|[1-9][0-9]{0,18}")


# ----------------------------------------------------------------------------------- the tree (RFC 9162, 2.1)
def leaf_hash(entry: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def root_of(row: list[bytes]) -> bytes:
    sha256 = hashlib.sha256
    while len(row) > 1:
        odd = row[len(row) - len(row) % 2 :]
        pairs = zip(row[::2], row[1::2])  # noqa: B905 - Python 3.9; an odd one is not paired
        row = [sha256(b"\x01%b%b" % pair).digest() for pair in pairs] + odd
    return row[0]


def included(leaf: bytes, index: int, size: int, proof: list[bytes], root: bytes) -> bool:
    if not 0 <= index < size:
        return False
    at, last, found = index, size - 1, leaf
    for step in proof:
        if last == 0:
            return False
        if at & 1 or at == last:
            found = node_hash(step, found)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            found = node_hash(found, step)
        at, last = at >> 1, last >> 1
    return last == 0 and found == root


def consistent(old: int, new: int, old_root: bytes, new_root: bytes, proof: list[bytes]) -> bool:
    if not 0 < old <= new:
        return False
    if old == new:
        return not proof and old_root == new_root
    steps = ([old_root] if old & (old - 1) == 0 else []) + list(proof)
    if not steps:
        return False
    at, last = old - 1, new - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    first = second = steps[0]
    for step in steps[1:]:
        if last == 0:
            return False
        if at & 1 or at == last:
            first, second = node_hash(step, first), node_hash(step, second)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            second = node_hash(second, step)
        at, last = at >> 1, last >> 1
    return last == 0 and first == old_root and second == new_root


class Growing:
    """The root over whole tiles of 256 leaves that come one after another; keeps one hash for each bit of the count."""

    def __init__(self) -> None:
        self.tiles = 0
        self._complete: list[bytes] = []

    def add(self, tile: bytes) -> None:
        count = self.tiles
        while count & 1:
            tile, count = node_hash(self._complete.pop(), tile), count >> 1
        self._complete.append(tile)
        self.tiles += 1

    def root(self, rest: list[bytes]) -> bytes:
        """With `rest`, the leaves after the last whole tile."""
        row = [*self._complete, *([root_of(rest)] if rest else [])]
        found = row.pop()
        while row:
            found = node_hash(row.pop(), found)
        return found


# ----------------------------------------------------------------------- canonical JSON (RFC 8785, no floats)
def _no_float(text: str) -> NoReturn:
    raise ValueError(text)


_encoder = json.JSONEncoder(ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"))
_scan = json.JSONDecoder(parse_float=_no_float, parse_constant=_no_float).scan_once  # type: ignore[attr-defined]
# Making an encoder for each entry, as `encode` does, takes longer than encoding it.
_maker = getattr(json.encoder, "c_make_encoder", None)
_make = _maker and _maker(None, _encoder.default, json.encoder.encode_basestring, None, ":", ",", True, False, False)


def _encode(value: Any) -> str:
    return "".join(_make(value, 0)) if _make else _encoder.encode(value)


def canonical(value: Any) -> bytes:
    return _encode(value).encode()


def parsed(data: bytes, what: str) -> Any:
    """The value of canonical JSON. What a lenient reader would also take is refused, because it does not come back
    byte for byte: other spacing, order or escapes, a key given twice; and floats, and text that is not NFC."""
    try:
        text = data.decode()
        value, end = _scan(text, 0)
        if end != len(text) or _encode(value) != text or not (text.isascii() or unicodedata.is_normalized("NFC", text)):
            raise ValueError("form")
    except (ValueError, RecursionError, StopIteration):
        raise Tampered(f"{what}: not canonical JSON") from None
    return value


class Shapes:
    """Reads most entries of a long log at a glance: those that are like one that was read in full, but for values.

    What was read is canonical. Its text becomes a pattern: all that lies between the values as it is, a string as any
    printable ASCII without quote and backslash, a number as any short integer. Whatever fits the pattern is canonical
    too: the same nesting, the same keys in the same order, strings that need no escape, integers in their one form.
    The action, the log and the version stay as they are; what does not fit is read in full.
    """

    START = b'{"action":"'
    TOKEN = re.compile(r'"[ !#-\[\]-~]*"|-?[0-9]+|[\[\]{},:]|true|false|null')
    TEXT, NUMBER = '"[ !#-\\[\\]-~]*"', "(?:0|-?[1-9][0-9]{0,14})"
    # A UUID of version 7 ends in 64 random bits; those, and the time, are what the checks ask for.
    ASKED = {
        "id": '"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-([0-9a-f]{4})-([0-9a-f]{12})"',
        "mac": '"[A-Za-z0-9_-]{43}"',
        "ts": '"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{6}Z)"',
    }
    AS_IT_IS = ("action", "log", "v")
    MOST = 64  # patterns of one action

    def __init__(self) -> None:
        self._known: dict[bytes, list[re.Pattern[bytes]]] = {}

    def read(self, raw: bytes) -> tuple[bytes, bytes, bytes] | None:
        """Two parts of the id and the time; None for what must be read in full."""
        known = self._known.get(raw[: raw.find(b'"', 11)], [])
        for at, pattern in enumerate(known):
            found = pattern.fullmatch(raw)
            if found:
                if at:
                    known[0], known[at] = pattern, known[0]
                return found.groups()  # type: ignore[return-value]
        return None

    def learn(self, raw: bytes) -> None:
        """From an entry that was read in full and is one of this log, and of an action that nothing is asked about."""
        action = raw[: raw.find(b'"', 11)]
        known = self._known.get(action, [])
        room = len(known) < self.MOST and len(self._known) < 100 * self.MOST
        if room and raw.startswith(self.START) and raw.isascii() and (made := self.pattern(raw)):
            self._known[action] = [*known, made]

    def pattern(self, raw: bytes) -> re.Pattern[bytes] | None:
        tokens = self.TOKEN.findall(raw.decode())
        if "".join(tokens) != raw.decode():
            return None  # an escape
        found, depth, key = [], 0, ""
        for token, after in zip(tokens, [*tokens[1:], ""]):  # noqa: B905 - Python 3.9
            depth += (token in "{[") - (token in "}]")
            if after == ":":
                key = token[1:-1] if depth == 1 else ""
            elif key in self.ASKED and token[0] == '"':
                token = self.ASKED[key]  # noqa: PLW2901
                found.append(token)
                continue
            elif key not in self.AS_IT_IS and token[0] in '"-0123456789':
                found.append(self.TEXT if token[0] == '"' else self.NUMBER)
                continue
            found.append(re.escape(token))
        made = re.compile("".join(found).encode())
        return made if made.groups == 3 and made.fullmatch(raw) else None


# --------------------------------------------------------------------------------------------------- the bundle's files
NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*")
LAST = ("manifest.json", "manifest.note")


class Folder:
    def __init__(self, path: str) -> None:
        self._path = path
        self.names: set[str] = set()
        for folder, folders, files in os.walk(path):
            for name in folders + files:
                full = os.path.join(folder, name)
                if os.path.islink(full):
                    raise Tampered(f"{os.path.relpath(full, path)}: a link")
            self.names |= {os.path.relpath(os.path.join(folder, name), path).replace(os.sep, "/") for name in files}

    def read(self, name: str) -> bytes:
        with open(os.path.join(self._path, *name.split("/")), "rb") as file:
            return file.read()


class Zip:
    """A ZIP in the one form of exports (stored, sorted, no times): every byte of the container is checked too."""

    HEAD, ENTRY, END = struct.Struct("<4s5H3I2H"), struct.Struct("<4s6H3I5H2I"), struct.Struct("<4s4H2IH")

    def __init__(self, path: str) -> None:
        self._path = path
        self._at: dict[str, tuple[int, int, int]] = {}
        with open(path, "rb") as self._file:
            self._read_directory()

    def _read_directory(self) -> None:
        directory, offset = b"", 0
        while self._file.read(4) == b"PK\x03\x04":
            self._file.seek(offset)
            head = self._file.read(self.HEAD.size)
            if len(head) < self.HEAD.size:
                raise Tampered("the ZIP is cut off")
            crc, size, length = (self.HEAD.unpack(head)[at] for at in (6, 7, 9))
            name = self._file.read(length)
            text = name.decode("ascii", "replace")
            if (
                head != self.HEAD.pack(b"PK\x03\x04", 20, 0x800, 0, 0, 0x21, crc, size, size, length, 0)
                or text in self._at
            ):
                raise Tampered(f"the ZIP is not in the form of an export at {text!r}")
            self._at[text] = (offset + self.HEAD.size + length, size, crc)
            directory += (
                self.ENTRY.pack(
                    b"PK\x01\x02",
                    0x314,
                    20,
                    0x800,
                    0,
                    0,
                    0x21,
                    crc,
                    size,
                    size,
                    length,
                    0,
                    0,
                    0,
                    0,
                    0o100644 << 16,
                    offset,
                )
                + name
            )
            offset += self.HEAD.size + length + size
            self._file.seek(offset)
        self._file.seek(offset)
        count = len(self._at)
        end = self.END.pack(b"PK\x05\x06", 0, 0, count, count, len(directory), offset, 0)
        if self._file.read(len(directory) + len(end) + 1) != directory + end:
            raise Tampered("the ZIP's directory does not fit its files, or something follows it")
        self.names = set(self._at)
        order = sorted(self.names.difference(LAST)) + [name for name in LAST if name in self.names]
        if list(self._at) != order:
            raise Tampered("the ZIP's files are not in order")

    def read(self, name: str) -> bytes:
        at, size, crc = self._at[name]
        with open(self._path, "rb") as file:  # anew: several processes may read
            file.seek(at)
            data = file.read(size)
        if len(data) != size or zlib.crc32(data) != crc:
            raise Tampered(f"{name}: its checksum in the ZIP does not fit")
        return data


class Bundle:
    """The files that the signed manifest lists; reading one checks its digest."""

    def __init__(self, source: Folder | Zip, trusted: Key) -> None:
        self._source = source
        for name in source.names:
            if not NAME.fullmatch(name):
                raise Tampered(f"{name!r}: not a name that exports use")
        for name in LAST:
            if name not in source.names:
                raise Unverifiable(f"{name} is missing")
        # The notes stand for themselves: they lead from the trusted key, or nowhere. The manifest lists them too.
        changes = [name for name in source.names if name.startswith("keys/rotations/")]
        ordered = [f"keys/rotations/{number}" for number in range(1, len(changes) + 1)]
        if set(ordered) != set(changes):
            raise Tampered("keys/rotations: not numbered one after another")
        self.ring = Ring(trusted, [source.read(name) for name in ordered])
        key = self.ring.keys[-1]
        raw = source.read("manifest.json")
        lines = key.open(source.read("manifest.note"), "manifest.note").split("\n")
        digest = hashlib.sha256(raw).hexdigest()
        if len(lines) != 5 or lines[:2] != ["mizan.bundle/v1", key.name] or not lines[2].isdigit():
            raise Tampered("manifest.note: not a statement about an export of this log")
        if lines[3] != digest:
            raise Tampered("manifest.json: not the one that was signed")
        self.export_seq = int(lines[2])
        self.manifest = parsed(raw, "manifest.json")
        if self.manifest.get("v") != 1 or self.manifest.get("origin") != key.name:
            raise Tampered("manifest.json: another version or origin")
        self._files = self.manifest["files"]
        missing = sorted(set(self._files) - source.names)
        extra = sorted(source.names.difference(self._files, LAST))
        if extra:
            raise Tampered(f"{extra[0]}: a file that the manifest does not list")
        if missing:
            raise Unverifiable(f"{missing[0]} is missing, and {len(missing) - 1} others")
        self._unread = set(self._files)

    def read(self, name: str) -> bytes:
        if name not in self._files:
            raise Unverifiable(f"{name} is not in the bundle")
        data = self._source.read(name)
        said = self._files[name]
        if len(data) != said["bytes"] or hashlib.sha256(data).hexdigest() != said["sha256"]:
            raise Tampered(f"{name}: not the file that the manifest lists")
        self._unread.discard(name)
        return data

    def was_read(self, names: list[str]) -> None:
        """By another process, which would have said if something were wrong."""
        self._unread.difference_update(names)

    def names(self, start: str) -> list[str]:
        return sorted(name for name in self._files if name.startswith(start))

    def read_rest(self) -> None:
        for name in sorted(self._unread):
            self.read(name)


# --------------------------------------------------------------------------------------------------- the checks
class Ids:
    """The 64 random bits of each id, to find one that is there twice: 8 bytes an entry, on disk where they are many."""

    HELD = 1 << 20

    def __init__(self, file: IO[bytes] | None = None) -> None:
        self.rows = [array.array("Q") for _ in range(256)]
        self._file, self.pieces = file, []  # type: IO[bytes] | None, list[list[int]]

    def spill(self, above: int = HELD) -> None:
        if sum(map(len, self.rows)) <= above:
            return
        self._file = self._file or tempfile.TemporaryFile()  # noqa: SIM115 - to the end of the program
        self._file.seek(0, os.SEEK_END)
        self.pieces.append([self._file.tell(), *map(len, self.rows)])
        for row in self.rows:
            row.tofile(self._file)
            del row[:]
        self._file.flush()

    def bucket(self, number: int) -> array.array[int]:
        found = self.rows[number][:]
        for start, *counts in self.pieces:
            assert self._file is not None
            self._file.seek(start + 8 * sum(counts[:number]))
            found.fromfile(self._file, counts[number])
        return found


def ensure_all_differ(all_ids: list[Ids]) -> None:
    for number in range(256):
        found = array.array("Q")
        for ids in all_ids:
            found.extend(ids.bucket(number))
        if len(set(found)) != len(found):
            raise Tampered("two entries have the same id")


class Part:
    """What a run of entries tells; of a long log several processes read one each."""

    FACTS = (
        "entries",
        "first",
        "last",
        "latest",
        "earliest",
        "told",
        "announced",
        "foreign",
        "flagged",
        "back",
        "outside",
    )

    def __init__(self, log: str, bounds: list[tuple[int, int]], latest: str = "", ids: IO[bytes] | None = None) -> None:
        self._log, self._bounds, self._between = log, bounds, (-1, "", "")
        self._shapes, self.ids = Shapes(), Ids(ids)
        self.tiles: list[bytes] = []  # the hash of each whole tile
        self.entries, self.first, self.last = 0, None, None  # type: int, int | None, int | None
        self.latest, self.earliest = latest, "~"
        self.told: list[dict[str, Any]] = []
        self.announced: dict[str, int] = {}
        self.foreign: list[int] = []  # indexes of entries without the form that the product's writer gives them
        self.flagged: list[int] = []  # and those that the log names
        self.back: list[dict[str, Any]] = []  # entries whose time lies before that of one before them
        self.outside: list[dict[str, Any]] = []  # or outside of what the anchors allow
        self.sealed: dict[int, str] = {}  # digests of the sealed parts, where entries are read one by one

    def read(self, start: int, entries: list[bytes]) -> None:
        """Entries that follow one another."""
        if not entries:
            return
        rows, read, latest = self.ids.rows, self._shapes.read, self.latest
        for seq, raw in enumerate(entries, start):
            found = read(raw)
            if found is None:
                self.latest = latest
                self.entry(seq, raw, parsed(raw, f"entry {seq}"))
                latest = self.latest
                continue
            chance, text = int(found[0] + found[1], 16), found[2].decode()
            rows[chance & 255].append(chance)
            if seq < self._between[0] and latest <= text and self._between[1] <= text <= self._between[2]:
                latest = text
            else:
                self.latest = latest
                self.time(seq, text)
                latest = self.latest
        self.latest = latest
        self._count(start, len(entries))
        self.ids.spill()

    def _count(self, start: int, count: int) -> None:
        self.entries += count
        self.first = start if self.first is None else self.first
        self.last = start + count - 1

    def one(self, seq: int, raw: bytes, facts: Any) -> None:
        """An entry of a case or a customer."""
        self.entry(seq, raw, facts)
        self._count(seq, 1)
        if "sealed" in facts:
            self.sealed[seq] = facts["sealed"]["h"]

    def entry(self, seq: int, raw: bytes, facts: Any) -> None:
        """What every entry must be, and what it tells."""
        if len(raw) > 65535 or not isinstance(facts, dict) or facts.get("v") != 1 or facts.get("log") != self._log:
            raise Tampered(f"entry {seq}: not an entry of this log")
        ours = isinstance(facts.get("mac"), str) and MAC.fullmatch(facts["mac"])
        if not ours:
            self.foreign.append(seq)
        chance = int(facts["id"][19:].replace("-", ""), 16)  # the 64 random bits of a UUID of version 7
        self.ids.rows[chance & 255].append(chance)
        if facts["action"] in TOLD:
            self.told.append({"seq": seq, "action": facts["action"], "data": facts.get("data")})
        if facts["action"] == "audit.announce_key":
            self.announced.setdefault(facts["data"]["vkey"], seq)
        if facts["action"] == "audit.flag":
            self.flagged.append(int(facts["data"]["seq"]))
        self.time(seq, facts["ts"])
        if ours and facts["action"] not in ASKED:
            self._shapes.learn(raw)

    def time(self, seq: int, text: str) -> None:
        """Times of one form compare as text; only one that lies before another is looked at closer."""
        if seq >= self._between[0]:
            self._between = self._between_anchors(seq)
        if not TIME.fullmatch(text):
            raise Tampered(f"entry {seq}: its time is not UTC with microseconds")
        if not self._between[1] <= text <= self._between[2]:
            self.outside.append({"seq": seq, "ts": text, "between": list(self._between[1:])})
        self.earliest = min(self.earliest, text)
        if text >= self.latest:
            self.latest = text
            return
        back = epoch_seconds(self.latest) - epoch_seconds(text)
        if back > SKEW_SECONDS:
            self.back.append({"seq": seq, "ts": text, "seconds_back": back})
            self.latest = text

    def _between_anchors(self, seq: int) -> tuple[int, str, str]:
        """(index of the next anchor, earliest, latest time): who was in the tree by then, or was not yet."""
        after = max((moment for size, moment in self._bounds if size <= seq), default=None)
        before = min((moment for size, moment in self._bounds if size > seq), default=None)
        ends = min((size for size, _ in self._bounds if size > seq), default=1 << 63)
        earliest = "" if after is None else as_text(after - SKEW_SECONDS)
        return ends, earliest, "~" if before is None else as_text(before + SKEW_SECONDS)

    # To be told to the process that started this one

    def as_json(self) -> bytes:
        self.ids.spill(above=0)
        told = {name: getattr(self, name) for name in self.FACTS}
        return json.dumps({**told, "tiles": b"".join(self.tiles).hex(), "ids": self.ids.pieces}).encode()

    def take(self, told: bytes) -> Part:
        found = json.loads(told)
        hashes, self.ids.pieces = bytes.fromhex(found.pop("tiles")), found.pop("ids")
        self.tiles = [hashes[at : at + 32] for at in range(0, len(hashes), 32)]
        for name in self.FACTS:
            setattr(self, name, found[name])
        return self


def side_by_side(work: Callable[[int], bytes], count: int) -> list[bytes | None]:
    """`work(0)` to `work(count - 1)`, each in a process of its own; None where one ended without an answer."""
    running = []
    for number in range(count):
        reader, writer = os.pipe()
        child = os.fork()
        if not child:
            status = 1
            try:
                with open(writer, "wb") as out:
                    out.write(work(number))
                status = 0
            finally:  # nothing of the parent's is flushed or closed here, and nothing printed
                os._exit(status)
        os.close(writer)
        running.append((child, open(reader, "rb")))  # noqa: SIM115 - closed below
    answers: list[bytes | None] = []
    for child, told in running:
        with told:
            answer = told.read()
        status = os.waitpid(child, 0)[1]
        answers.append(None if status else answer)
    return answers


class Check:
    def __init__(self, bundle: Bundle, witnesses: list[Cosigner] | None = None, jobs: int = 1) -> None:
        self.bundle, self.key, self.witnesses, self.jobs = bundle, bundle.ring, witnesses or [], jobs
        self.size, self.root = self.key.checkpoint(bundle.read("checkpoint"), "checkpoint")
        manifest = bundle.manifest
        if (manifest["size"], from_base64(manifest["root"])) != (self.size, self.root):
            raise Tampered("manifest.json: not about this checkpoint")
        self.report: dict[str, Any] = {
            "ok": True,
            "origin": self.key.name,
            "keys": [key.vkey for key in self.key.keys],
            "log": manifest["log"],
            "kind": manifest["kind"],
            "of": manifest.get("of"),
            "made_at": manifest["made_at"],
            "tree_size": self.size,
            "root": manifest["root"],
            "export_recorded_at": bundle.export_seq,
            "entries": 0,
            "first": None,
            "last": None,
            "complete": manifest["kind"] == "full",
            "complete_from_to": [0, self.size - 1] if manifest["kind"] == "full" else None,
            "sealed": 0,
            "continues_checkpoint": None,
            "anchored": False,
            "anchored_to": 0,
            "anchors": [],
            "time_anomalies": [],
            "told_by_the_log": [],
        }
        self._bounds: list[tuple[int, int]] = []  # size of the tree, and when somebody outside saw it
        self._parts: list[Part] = []

    def run(self, earlier: tuple[int, bytes] | None = None) -> dict[str, Any]:
        self.anchors(earlier)
        if self.report["kind"] == "full":
            self.full(earlier)
        else:
            self.period() if self.report["kind"] == "period" else self.selection()
            self.earlier_by_proof(earlier)
        self.report_parts()
        if self.report["entries"] != self.bundle.manifest["entries"]:
            raise Tampered("the manifest states another number of entries")
        for name in self.bundle.names("checkpoints/"):
            size, _ = self.key.checkpoint(self.bundle.read(name), name)
            if name != f"checkpoints/{size}":
                raise Tampered(f"{name}: a checkpoint of another size")
        if SEALED in self.bundle.names("sealed/"):
            self.sealed_parts()
        self.bundle.read_rest()
        flagged = [int(row["seq"]) for row in self.bundle.manifest.get("flagged", [])]
        if foreign := sorted({*flagged, *(seq for part in self._parts for seq in part.foreign + part.flagged)}):
            raise Tampered(f"not written by the product: {' '.join(f'entry {seq}' for seq in foreign[:100])}")
        return self.report

    def report_parts(self) -> None:
        ensure_all_differ([part.ids for part in self._parts])
        report = self.report
        for part in self._parts:
            report["entries"] += part.entries
            report["first"] = part.first if report["first"] is None else report["first"]
            report["last"] = report["last"] if part.last is None else part.last
            report["told_by_the_log"] += part.told
            report["time_anomalies"] += sorted(part.outside + part.back, key=lambda row: int(row["seq"]))

    def part(self, latest: str = "", ids: IO[bytes] | None = None) -> Part:
        return Part(self.report["log"], self._bounds, latest, ids)

    def selection(self) -> None:
        """Entries of a case or a customer, each with its proof."""
        part, before = self.part(), -1
        self._parts.append(part)
        for number, line in enumerate(self.bundle.read("entries.jsonl").split(b"\n")[:-1], 1):
            where = f"entries.jsonl, line {number}"
            row = parsed(line, where)
            if not isinstance(row, dict) or set(row) != {"entry", "proof", "seq"} or row["seq"] <= before:
                raise Tampered(f"{where}: not an entry after the one before it")
            before = row["seq"]
            entry = canonical(row["entry"])
            if not included(
                leaf_hash(entry), row["seq"], self.size, [from_base64(step) for step in row["proof"]], self.root
            ):
                raise Tampered(f"entry {row['seq']}: not in the signed tree ({where})")
            part.one(row["seq"], entry, row["entry"])

    def period(self) -> None:
        """Every entry from one index to another: whole tiles of entries, held against the level above, and that against
        the root. What else lies in the first and last tile is hashed, and not counted."""
        first, last = self.bundle.manifest["first"], self.bundle.manifest["last"]
        if not 0 <= first <= last < self.size:
            raise Tampered("manifest.json: a range that the tree does not have")
        above = self.level_above()
        for index, found in enumerate(self.tiles(first, last), first // 256):
            if found != above[index]:
                raise Tampered(f"{tile_path(0, index, self.width(index))}: not in the signed tree")
        self.report["complete_from_to"] = [first, last]

    def width(self, index: int) -> int:
        return min(256, self.size - index * 256)

    def tiles(self, first: int, last: int) -> list[bytes]:
        """Read every entry from `first` to `last`; the hash of each of their tiles. Long logs are read by several
        processes; what one found wrong, or could not tell, is read again here, in order, so the first is named."""
        runs = self.shared_out(first // 256, last // 256 + 1)
        kept = [tempfile.TemporaryFile() if len(runs) > 1 else None for _ in runs]  # noqa: SIM115 - to the end
        answers: list[bytes | None] = [None]
        if len(runs) > 1:
            answers = side_by_side(lambda at: self.read_tiles(runs[at], first, last, "", kept[at]).as_json(), len(runs))
        latest = ""
        for run, answer, ids in zip(runs, answers, kept):  # noqa: B905 - Python 3.9
            part = self.part(ids=ids).take(answer) if answer else None
            if part is None or (latest and (part.back or goes_back(latest, part))):
                part = self.read_tiles(run, first, last, latest, None)
            self.bundle.was_read([tile_path(what, at, self.width(at)) for at in run for what in ("entries", 0)])
            latest = max(latest, part.latest) if not part.back else part.latest
            self._parts.append(part)
        return [tile for part in self._parts for tile in part.tiles]

    def shared_out(self, first: int, end: int) -> list[range]:
        jobs = min(self.jobs, (end - first) // FEWEST_TILES) if hasattr(os, "fork") else 1
        each = -(-(end - first) // max(jobs, 1))
        return [range(start, min(start + each, end)) for start in range(first, end, each)]

    def read_tiles(self, run: range, first: int, last: int, latest: str, ids: IO[bytes] | None) -> Part:
        part, sha256 = self.part(latest, ids), hashlib.sha256
        for index in run:
            entries = self.entry_tile(index, self.width(index))
            leaves = [sha256(b"\x00" + entry).digest() for entry in entries]
            self.compare_tile(0, index, leaves)
            part.tiles.append(root_of(leaves))
            start = index * 256
            part.read(max(first, start), entries[max(first - start, 0) : last + 1 - start])
        return part

    def level_above(self) -> list[bytes]:
        """The hash of each 256 leaves, the last perhaps of fewer; they make the signed root."""
        full, rest = divmod(self.size, 256)
        row: list[bytes] = []
        for index in range((full + 255) // 256):
            row += self.hash_tile(1, index, min(256, full - index * 256))
        if rest:
            row.append(root_of(self.hash_tile(0, full, rest)))
        if root_of(row) != self.root:
            raise Tampered("the tiles do not make the signed root")
        return row

    def hash_tile(self, level: int, index: int, count: int) -> list[bytes]:
        name = tile_path(level, index, count)
        data = self.bundle.read(name)
        if len(data) != 32 * count:
            raise Tampered(f"{name}: {len(data)} bytes instead of {32 * count}")
        return [data[at : at + 32] for at in range(0, len(data), 32)]

    def sealed_parts(self) -> None:
        """The ciphertexts that came along are those that the entries name by their SHA-256."""
        sealed = {seq: digest for part in self._parts for seq, digest in part.sealed.items()}
        for number, line in enumerate(self.bundle.read(SEALED).split(b"\n")[:-1], 1):
            row = parsed(line, f"{SEALED}, line {number}")
            found = hashlib.sha256(from_base64(row["ciphertext"])).digest()
            said = base64.urlsafe_b64encode(found).decode().rstrip("=")
            if sealed.pop(row["seq"], None) != said:
                raise Tampered(f"entry {row['seq']}: its sealed part is not the one that was written")
            self.report["sealed"] += 1

    def full(self, earlier: tuple[int, bytes] | None) -> None:
        """Every entry of the log: the tree is built anew from them."""
        wanted = self.claims(earlier)
        if max(wanted) > self.size:
            raise Unverifiable(f"a checkpoint of {max(wanted)} entries lies beyond this bundle of {self.size}")
        tiles, tree = self.tiles(0, self.size - 1), Growing()
        for size in sorted(wanted):
            while tree.tiles < size // 256:
                tree.add(tiles[tree.tiles])
            rest = self.hash_tile(0, tree.tiles, self.width(tree.tiles))[: size % 256] if size % 256 else []
            root = tree.root(rest)
            for what, claimed in wanted[size]:
                if claimed != root:
                    raise Tampered(f"the first {size} entries are not those of {what}")
        self.upper_tiles(tiles[: self.size // 256])
        announced: dict[str, int] = {}
        for part in self._parts:
            announced = {**part.announced, **announced}
        for size, _, vkey in self.key.changes:
            if announced.get(vkey, size) >= size:
                raise Tampered(f"the change of key at {size} entries was not announced before")
        if earlier:
            self.report["continues_checkpoint"] = earlier[0]

    def upper_tiles(self, row: list[bytes]) -> None:
        """Compare the tiles above the leaves with what those make, level by level."""
        level = 1
        while row:
            tiles = [row[at : at + 256] for at in range(0, len(row), 256)]
            for index, tile in enumerate(tiles):
                self.compare_tile(level, index, tile)
            row, level = [root_of(tile) for tile in tiles if len(tile) == 256], level + 1

    def claims(self, earlier: tuple[int, bytes] | None) -> dict[int, list[tuple[str, bytes]]]:
        """By size: the roots that the tree must have, and who says so."""
        wanted = {self.size: [("the bundle's checkpoint", self.root)]}
        for name in self.bundle.names("checkpoints/"):
            size, root = self.key.checkpoint(self.bundle.read(name), name)
            wanted.setdefault(size, []).append((name, root))
        for size, root, _ in self.key.changes:
            if size:
                wanted.setdefault(size, []).append(("the change of key", root))
        if earlier:
            wanted.setdefault(earlier[0], []).append(("your checkpoint", earlier[1]))
        return wanted

    def anchors(self, earlier: tuple[int, bytes] | None) -> None:
        """What others say of this log: a checkpoint you kept, cosignatures, time stamps. Before the entries, whose
        times they bound; that the tree continues each of these checkpoints is checked with the tree."""
        for name in self.bundle.names("cosignatures/"):
            size, note = self._anchored(name, "cosignatures/")
            for witness in self.witnesses:
                moment = witness.time(note, self.bundle.read(name), name)
                if moment is not None:
                    self._bound(size, moment)
                    self._anchor(size, name, f"cosigned by {witness.name}", moment, holds=True)
        for name in self.bundle.names("anchors/"):
            if name.endswith(".tsr"):
                self._stamp(name)
            elif name.endswith(".jsonl"):
                for line in self.bundle.read(name).split(b"\n")[:-1]:
                    row = parsed(line, name)
                    self._anchor(row["size"], name, f"lies with {row['anchor']} since {row['at']}: ask there", None)
        if earlier:
            self._anchor(earlier[0], "--checkpoint", "you kept it", None, holds=True)

    def _anchored(self, name: str, start: str) -> tuple[int, bytes]:
        size = name[len(start) :].partition("-")[0]
        return int(size), self.bundle.read(f"checkpoints/{size}")

    def _stamp(self, name: str) -> None:
        """A stamp over a checkpoint, or a newer one over the stamp before it."""
        size, note = self._anchored(name, "anchors/")
        base, renewed, number = name[: -len(".tsr")].partition(".renewed")
        data = f"checkpoints/{size}"
        if renewed:
            data = f"{base}.tsr" if number == "1" else f"{base}.renewed{int(number) - 1}.tsr"
            note = self.bundle.read(data)
        digest, moment = time_stamp(self.bundle.read(name), name)
        if digest != hashlib.sha256(note).digest():
            raise Tampered(f"{name}: a time stamp over something else")
        if not renewed:
            self._bound(size, epoch_seconds(f"{moment}.000000Z") - EPOCH)
        chain = f"{name[: -len('.tsr')]}.pem"
        command = f"openssl ts -verify -data {data} -in {name} -CAfile YOUR-TSA-ROOT.pem -untrusted {chain}"
        self._anchor(size, name, f"its digest fits, of {moment}Z; its signature: {command}", None)

    def _bound(self, size: int, moment: int) -> None:
        self._bounds.append((size, moment + EPOCH))

    def _anchor(self, size: int, file: str, says: str, moment: int | None, *, holds: bool = False) -> None:
        self.report["anchors"].append({"size": size, "file": file, "says": says, "time": moment, "holds": holds})
        if holds and size <= self.size:
            self.report["anchored"], self.report["anchored_to"] = True, max(self.report["anchored_to"], size)

    def entry_tile(self, index: int, count: int) -> list[bytes]:
        name = tile_path("entries", index, count)
        data, at, found = self.bundle.read(name), 0, []
        while at < len(data):
            end = at + 2 + int.from_bytes(data[at : at + 2], "big")
            entry = data[at + 2 : end]
            if end > len(data):
                raise Tampered(f"{name}: cut off")
            found.append(entry)
            at = end
        if len(found) != count:
            raise Tampered(f"{name}: {len(found)} entries instead of {count}")
        return found

    def compare_tile(self, level: int, index: int, row: list[bytes]) -> None:
        name = tile_path(level, index, len(row))
        if self.bundle.read(name) != b"".join(row):
            raise Tampered(f"{name}: not what its leaves make")

    def earlier_by_proof(self, earlier: tuple[int, bytes] | None) -> None:
        """Hold the bundle's checkpoint against the one the auditor kept."""
        rows = [parsed(line, "consistency.jsonl") for line in self.bundle.read("consistency.jsonl").split(b"\n")[:-1]]
        proofs = {row["from"]: [from_base64(step) for step in row["proof"]] for row in rows}
        for name in self.bundle.names("checkpoints/"):
            size, root = self.key.checkpoint(self.bundle.read(name), name)
            if size not in proofs or not consistent(size, self.size, root, self.root, proofs[size]):
                raise Tampered(f"{name}: the bundle's checkpoint does not continue it")
        for size, root, _ in self.key.changes:
            if 0 < size <= self.size and not consistent(size, self.size, root, self.root, proofs.get(size, [])):
                raise Tampered(f"the bundle's checkpoint does not continue the change of key at {size} entries")
        if earlier is None:
            return
        size, root = earlier
        if size > self.size:
            raise Unverifiable(f"your checkpoint of {size} entries is newer than this bundle of {self.size}")
        if size not in proofs and size != self.size:
            raise Unverifiable(
                f"the bundle holds no proof from your checkpoint of {size}: ask for an export that states it"
            )
        if not consistent(size, self.size, root, self.root, proofs.get(size, [])):
            raise Tampered(f"the log was rewritten: it does not continue your checkpoint of {size} entries")
        self.report["continues_checkpoint"] = size


def one_entry(file: str, proof_file: str, key: Key) -> dict[str, Any]:
    """That an entry is in the signed tree, by its own proof."""
    with open(file, "rb") as entry_file, open(proof_file, "rb") as proof:
        entry, (head, _, note) = entry_file.read(), proof.read().partition(b"\n\n")
    lines = head.decode("ascii", "replace").split("\n")
    if (
        len(lines) < 2
        or lines[0] != "c2sp.org/tlog-proof@v1"
        or not re.fullmatch(r"index (0|[1-9][0-9]{0,18})", lines[1])
    ):
        raise Tampered(f"{proof_file}: not a tlog-proof")
    seq, (size, root) = int(lines[1][6:]), key.checkpoint(note, proof_file)
    if not included(leaf_hash(entry), seq, size, [from_base64(line) for line in lines[2:]], root):
        raise Tampered(f"{file}: not entry {seq} of the signed tree of {size}")
    return {"ok": True, "origin": key.name, "seq": seq, "tree_size": size, "entry": parsed(entry, file)}


def continues(file: str, earlier: tuple[int, bytes], key: Key) -> dict[str, Any]:
    """That a newer checkpoint continues the one the auditor kept."""
    with open(file, "rb") as proof:
        head, _, note = proof.read().partition(b"\n\n")
    lines, (size, root) = head.decode("ascii", "replace").split("\n"), key.checkpoint(note, file)
    if lines[0] != f"old {earlier[0]}":
        raise Unverifiable(f"{file}: not a proof from your checkpoint of {earlier[0]} entries")
    if not consistent(earlier[0], size, earlier[1], root, [from_base64(line) for line in lines[1:]]):
        raise Tampered(f"{file}: the checkpoint of {size} entries does not continue yours of {earlier[0]}")
    return {"ok": True, "origin": key.name, "tree_size": size, "continues_checkpoint": earlier[0]}


def tile_path(level: int | str, index: int, count: int) -> str:
    groups = [f"{index % 1000:03d}"]
    while index >= 1000:
        index //= 1000
        groups.insert(0, f"x{index % 1000:03d}")
    return f"tile/{level}/{'/'.join(groups)}" + ("" if count == 256 else f".p/{count}")


def goes_back(latest: str, part: Part) -> bool:
    """Whether a time of `part` lies further before `latest` than a clock may be off."""
    return epoch_seconds(latest) - epoch_seconds(min(part.earliest, part.latest)) > SKEW_SECONDS


SEALED = "sealed/ciphertexts.jsonl"
MAC = re.compile(r"[A-Za-z0-9_-]{43}")  # base64url of 32 bytes; only the operator can recompute it
TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z")


def epoch_seconds(text: str) -> int:
    """Whole seconds since a day far back, of a text that TIME matches."""
    year, month, day, hour, minute, second = (int(part) for part in re.findall(r"[0-9]+", text)[:6])
    year, month = (year - 1, month + 12) if month < 3 else (year, month)
    days = 365 * year + year // 4 - year // 100 + year // 400 + (153 * (month - 3) + 2) // 5 + day
    return ((days * 24 + hour) * 60 + minute) * 60 + second


EPOCH = epoch_seconds("1970-01-01T00:00:00.000000Z")


def as_text(seconds: int) -> str:
    """The inverse of epoch_seconds, on its scale, in the form of entries."""
    moment = datetime(1970, 1, 1) + timedelta(seconds=seconds - EPOCH)  # noqa: DTZ001 - UTC throughout
    return moment.strftime("%Y-%m-%dT%H:%M:%S.000000Z")


def in_words(report: dict[str, Any]) -> str:
    if "seq" in report:
        size = report["tree_size"]
        return f"OK: this is entry {report['seq']} of the log {report['origin']}, as it was signed at {size} entries."
    if "entries" not in report:
        return f"OK: the log {report['origin']} of {report['tree_size']} entries continues your checkpoint."
    size, of = report["tree_size"], f" of {report['kind']} {report['of']}" if report["of"] else ""
    lines = [
        f"OK: {report['entries']} entries{of} are in the log {report['origin']} of {size} entries, as it was signed.",
        f"The export is itself recorded as entry {report['export_recorded_at']}.",
    ]
    if report["sealed"]:
        lines.append(f"{report['sealed']} sealed parts came along; they are the ones that were written.")
    if report["kind"] == "period":
        first, last = report["complete_from_to"]
        lines.append(f"Complete from entry {first} to entry {last}: none between them was left out.")
    elif not report["complete"]:
        lines.append(
            "Complete: not shown by this kind of bundle (an entry may have been left out); a full export shows it."
        )
    if report["continues_checkpoint"]:
        lines.append(
            f"It continues your checkpoint of {report['continues_checkpoint']} entries: nothing before was rewritten."
        )
    lines += [f"Outside, {row['size']} entries ({row['file']}): {row['says']}." for row in report["anchors"]]
    if report["anchored"]:
        lines.append(
            f"Anchored from 0 to {report['anchored_to']}. The {size - report['anchored_to']} entries since rest on the "
            "operator's word alone."
        )
    else:
        lines.append(
            "Unanchored: without a checkpoint that you kept, or a witness that you know (--witness), nothing outside "
            "the operator speaks for this history, but for time stamps that you check as said above."
        )
    if len(report["keys"]) > 1:
        lines.append(f"The log changed its key {len(report['keys']) - 1} times. Pin the newest: {report['keys'][-1]}")
    for row in report["time_anomalies"]:
        if "between" in row:
            lines.append(f"Time: entry {row['seq']} says {row['ts']}, outside of what its anchors allow.")
        else:
            lines.append(f"Time: entry {row['seq']} is {row['seconds_back']} s earlier than one before.")
    lines += [
        f"The log says of itself: {row['action']} at entry {row['seq']}: {row['data']}"
        for row in report["told_by_the_log"]
    ]
    return "\n".join(lines)


def checked(options: argparse.Namespace, key: Key, witnesses: list[Cosigner]) -> dict[str, Any]:
    if options.proof:
        return one_entry(options.bundle, options.proof, key)
    alone = options.bundle.endswith(".continues")
    ring = Ring(key, [])
    if not alone:
        bundle = Bundle(Folder(options.bundle) if os.path.isdir(options.bundle) else Zip(options.bundle), key)
        ring = bundle.ring
    earlier = None
    if options.checkpoint:
        try:
            with open(options.checkpoint, "rb") as file:
                earlier = ring.checkpoint(file.read(), options.checkpoint)
        except (OSError, Tampered) as error:
            raise WrongUse(f"--checkpoint: {error}") from None
    if not alone:
        return Check(bundle, witnesses, options.jobs or min(cores(), 4)).run(earlier)
    if earlier is None:
        raise WrongUse("a proof of continuation needs --checkpoint, the one that you kept")
    return continues(options.bundle, earlier, key)


def cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundle")
    parser.add_argument("--vkey", required=True)
    parser.add_argument("--checkpoint")
    parser.add_argument("--witness", action="append", default=[])
    parser.add_argument("--proof")
    parser.add_argument("--jobs", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    try:
        options = parser.parse_args(arguments)
    except SystemExit as stopped:
        return 3 if stopped.code else 0
    report: dict[str, Any] = {"ok": False}
    code = 0
    try:
        key, witnesses = Key(options.vkey), [Cosigner(vkey) for vkey in options.witness]
        if not os.path.exists(options.bundle):
            raise WrongUse(f"{options.bundle} does not exist")
        report = checked(options, key, witnesses)
    except Tampered as error:
        report["problem"], code = str(error), 1
    except Unverifiable as error:
        report["problem"], code = str(error), 2
    except (WrongUse, OSError) as error:
        report["problem"], code = str(error), 3
    except (KeyError, TypeError, ValueError, AttributeError, struct.error) as error:
        report["problem"], code = f"not in the form of an export ({type(error).__name__})", 1
    report["exit"] = code
    words = {1: "REFUSED", 2: "CANNOT BE CHECKED", 3: "usage"}
    if options.json:
        print(json.dumps(report, indent=1, ensure_ascii=False))
    elif code:
        print(f"{words[code]}: {report['problem']}", file=sys.stderr)
    else:
        print(in_words(report))
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
