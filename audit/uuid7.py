"""UUIDs of version 7 (RFC 9562, 5.7), ordered by time. The standard library has none before Python 3.14."""

import os
import time
from uuid import UUID


def uuid7(nanoseconds: int | None = None) -> UUID:
    """A new id; `nanoseconds` since 1970 is the present when not given. 48 bits of milliseconds, 74 bits of chance."""
    milliseconds = (time.time_ns() if nanoseconds is None else nanoseconds) // 1_000_000
    chance = int.from_bytes(os.urandom(10), "big")
    value = (milliseconds & 0xFFFF_FFFF_FFFF) << 80
    value |= 0x7 << 76 | (chance >> 62 & 0xFFF) << 64
    value |= 0b10 << 62 | chance & 0x3FFF_FFFF_FFFF_FFFF
    return UUID(int=value)
