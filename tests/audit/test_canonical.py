"""One value, one byte string: held against another implementation of RFC 8785."""

import json
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum
from uuid import UUID

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as some

from audit.canonical import LARGEST, NotCanonical, base64url, canonical, from_base64url, moment, plain, timestamp
from audit.verifier import verify as outside

text = some.text(some.characters(exclude_categories=["Cs"]))
keys = some.text(some.characters(max_codepoint=126, min_codepoint=32))
values = some.recursive(
    some.none() | some.booleans() | some.integers(-LARGEST, LARGEST) | text,
    lambda inner: some.lists(inner, max_size=4) | some.dictionaries(keys, inner, max_size=4),
    max_leaves=20,
)


@given(values)
def test_it_is_what_rfc_8785_says(value):
    assert canonical(value) == rfc8785.dumps(plain(value))


@given(values)
def test_it_can_be_read_back_and_is_the_same_again(value):
    once = canonical(value)
    assert canonical(json.loads(once)) == once
    assert outside.canonical(outside.parsed(once, "value")) == once


@given(text)
def test_accents_written_in_two_ways_are_one_text(word):
    assert canonical("e\u0301" + word) == canonical("\u00e9" + word)


class Colour(Enum):
    RED = "red"


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (datetime(2026, 11, 21, 7, 42, 18, 5, UTC), "2026-11-21T07:42:18.000005Z"),
        (datetime(2026, 11, 21, 10, 42, 18, tzinfo=timezone(timedelta(hours=3))), "2026-11-21T07:42:18.000000Z"),
        (date(2026, 11, 21), "2026-11-21"),
        (Decimal("10.50"), "10.50"),
        (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (b"\xff\xfe", "__4"),
        (Colour.RED, "red"),
        ({"b", "a"}, ["a", "b"]),
        ((1, True, None), [1, True, None]),
    ],
)
def test_what_has_a_plain_form(value, written):
    assert plain(value) == written


@pytest.mark.parametrize(
    "value",
    [1.5, float("nan"), 2**53, -(2**53), {"ä": 1}, {1: 2}, datetime(2026, 1, 1), object(), "\ud800", Decimal("NaN")],  # noqa: DTZ001
)
def test_what_has_none_is_refused(value):
    with pytest.raises(NotCanonical):
        canonical(value)


@given(some.datetimes(timezones=some.just(UTC)))
def test_a_time_comes_back(value):
    assert moment(timestamp(value)) == value
    assert outside.TIME.fullmatch(timestamp(value))


@given(some.binary(max_size=40))
def test_bytes_come_back(value):
    assert from_base64url(base64url(value)) == value


@pytest.mark.parametrize(
    "written",
    [
        b'{"a": 1}',
        b'{"b":1,"a":2}',
        b'{"a":1,"a":1}',
        b'{"a":1.0}',
        b'{"a":NaN}',
        b'"\\u0061"',
        b'{"a":1}\n',
        b"[",
        b"\xff",
        '"e\u0301"'.encode(),
    ],
)
def test_the_verifier_refuses_what_is_not_canonical(written):
    with pytest.raises(outside.Tampered):
        outside.parsed(written, "value")
