"""How the database keeps an entry: its canonical bytes, packed to a third. What is hashed and exported is never this.

    plain    the canonical bytes themselves, which begin with a brace: entries of before, and what SQL inserted
    packed   0x01, then raw DEFLATE (RFC 1951) of the text with the preset dictionary of that version, then the bytes
             of the ids and digests that were taken out of the text

In the text a control character stands for a value that was taken out, in its order. Canonical JSON holds none by
itself.

    0x01     a UUID                      16 bytes
    0x02     32 hexadecimal digits       16 bytes
    0x03     16 hexadecimal digits        8 bytes
    0x04     43 digits of base64url      32 bytes
    0x05     64 hexadecimal digits       32 bytes

Every version's dictionary is kept for ever and never changed (a test holds its digest): rows on disk need it. To pack
better, add a version: 1. put its file beside the others; 2. add it to DICTIONARIES; 3. write with it.
"""

import re
import zlib
from base64 import urlsafe_b64decode
from binascii import b2a_base64
from pathlib import Path

LARGEST = 65_535  # bytes of an entry: what a leaf of tlog-tiles may have
DICTIONARIES = {1: (Path(__file__).parent / "dictionaries" / "1.bin").read_bytes()}

_VERSION = 1  # what is written now
_WINDOW = -13  # 8 KiB, without header and checksum: the entry's hash in the tree is that
_DIGITS = re.compile(rb'":"([0-9a-f-]{36}|[0-9a-f]{64}|[0-9a-f]{32}|[0-9a-f]{16}|[A-Za-z0-9_-]{43})"')
_KINDS = {36: b"\x01", 32: b"\x02", 16: b"\x03", 43: b"\x04", 64: b"\x05"}  # by number of digits
_BYTES = {b"\x01": 16, b"\x02": 16, b"\x03": 8, b"\x04": 32, b"\x05": 32}
_STAND_FOR = b"".join(_BYTES)
_SPLIT = re.compile(rb"([\x01-\x05])").split
_LAST = frozenset(b"AEIMQUYcgkosw048")  # of 43 digits: the others have two bits to spare
_URL = bytes.maketrans(b"+/", b"-_")
# Made once and copied: taking in the dictionary costs more than packing an entry.
# It looks back 4 KiB, half of what may be read: a smaller copy, 3 bytes an entry more.
_packer = zlib.compressobj(6, zlib.DEFLATED, -12, 4, zlib.Z_DEFAULT_STRATEGY, DICTIONARIES[_VERSION])


def pack(entry: bytes) -> bytes:
    """What is stored for an entry's canonical bytes: packed, or as they are where that is no shorter."""
    taken: list[bytes] = []

    def take(found: re.Match[bytes]) -> bytes:
        digits = found[1]
        kind = _KINDS[len(digits)]
        if kind == b"\x01":
            if digits.count(b"-") != 4 or digits[8:24:5] != b"----":
                return found[0]
            digits = digits.replace(b"-", b"")
        elif kind == b"\x04":
            if digits[-1] not in _LAST:
                return found[0]
            taken.append(urlsafe_b64decode(digits + b"="))
            return b'":' + kind
        taken.append(bytes.fromhex(digits.decode()))
        return b'":' + kind

    text = _DIGITS.sub(take, entry)
    if len(text) - len(text.translate(None, _STAND_FOR)) != len(taken):
        return entry  # it held such characters itself: not canonical JSON
    packer = _packer.copy()
    packed = b"".join((bytes((_VERSION,)), packer.compress(text), packer.flush(), *taken))
    return packed if len(packed) < len(entry) else entry


def unpack(stored: bytes) -> bytes:
    """The entry's canonical bytes. What is in no form of ours is an entry as it stands, for others to refuse."""
    dictionary = DICTIONARIES.get(stored[0]) if stored else None
    if dictionary is None:
        return stored
    unpacker = zlib.decompressobj(_WINDOW, dictionary)
    try:
        text = unpacker.decompress(stored[1:], LARGEST)
    except zlib.error:
        return stored
    entry = _put_back(text, unpacker.unused_data) if unpacker.eof else None
    return stored if entry is None else entry


def _put_back(text: bytes, taken: bytes) -> bytes | None:
    """None unless `taken` is exactly what the text asks for."""
    parts, at, digits = _SPLIT(text), 0, taken.hex().encode()
    for place in range(1, len(parts), 2):
        kind = parts[place]
        end = at + _BYTES[kind]
        if kind == b"\x04":
            parts[place] = b'"%b"' % b2a_base64(taken[at:end], newline=False).translate(_URL, b"=")
        else:
            piece = digits[2 * at : 2 * end]
            if kind == b"\x01":
                piece = b"-".join((piece[:8], piece[8:12], piece[12:16], piece[16:20], piece[20:]))
            parts[place] = b'"%b"' % piece
        at = end
    entry = b"".join(parts)
    return entry if at == len(taken) and len(entry) <= LARGEST else None
