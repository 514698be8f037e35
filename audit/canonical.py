"""The bytes that are hashed: JSON in the form of RFC 8785, narrowed so that there is nothing to interpret.

Keys are ASCII, strings NFC, integers within ±(2^53-1). No floats: a decimal is a string. A time is UTC with
microseconds, `2026-11-21T07:42:18.000000Z`; bytes are base64url without padding. An absent value is an absent key.
"""

import base64
import json
import unicodedata
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

from django.utils.functional import Promise

LARGEST = 2**53 - 1

_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":")).encode


class NotCanonical(ValueError):
    """A value that has no single form as text, such as a float. Hand in a string, an integer or a Decimal."""


def canonical(value: Any) -> bytes:
    """The one byte string for `value`, after `plain`."""
    return dumps(plain(value))


def dumps(value: Any) -> bytes:
    """The one byte string for a value that `plain` returned."""
    try:
        return _encode(value).encode()
    except UnicodeEncodeError as error:
        raise NotCanonical("a half surrogate is not text") from error


def plain(value: Any) -> Any:
    """`value` as strings, integers, booleans, None, lists and dicts with ASCII keys; raises NotCanonical."""
    kind = type(value)
    if kind is str:
        return value if value.isascii() else unicodedata.normalize("NFC", value)
    if kind is bool or value is None:
        return value
    if kind is int:
        return _within(value)
    if kind is dict:
        return {_key(key): plain(item) for key, item in value.items()}
    if kind is list or kind is tuple:
        return [plain(item) for item in value]
    return _plain_rare(value)


def _plain_rare(value: Any) -> Any:
    match value:
        case Enum():
            return plain(value.value)
        case datetime():
            return timestamp(value)
        case date():
            return value.isoformat()
        case UUID() | Promise():
            return plain(str(value))
        case Decimal() if value.is_finite():
            return format(value, "f")
        case bytes() | bytearray() | memoryview():
            return base64url(bytes(value))
        case bool() | int():
            return _within(int(value))
        case str():
            return plain(str(value))
        case Mapping():
            return plain(dict(value))
        case list() | tuple():
            return [plain(item) for item in value]
        case set() | frozenset():
            return sorted((plain(item) for item in value), key=dumps)
    raise NotCanonical(f"{type(value).__name__} has no canonical form. Hand in a string, an integer or a Decimal.")


def timestamp(moment: datetime) -> str:
    """A moment with a zone, in UTC with microseconds."""
    if moment.tzinfo is None:
        raise NotCanonical("a time without a zone")
    if moment.tzinfo is not UTC:
        moment = moment.astimezone(UTC)
    return (
        moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        if moment.year >= 1000
        else f"{moment.replace(tzinfo=None).isoformat(timespec='microseconds')}Z"
    )


def moment(text: str) -> datetime:
    """The inverse of `timestamp`."""
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)


def base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def from_base64url(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _key(key: Any) -> str:
    if isinstance(key, Enum):
        key = key.value
    if not isinstance(key, str) or not key.isascii():
        raise NotCanonical(f"the key {key!r} is not ASCII text")
    return key


def _within(number: int) -> int:
    if not -LARGEST <= number <= LARGEST:
        raise NotCanonical(f"{number} is beyond 2^53-1. Hand in a string.")
    return number
