"""What the database holds of an entry gives back its bytes exactly, for ever."""

import json
from hashlib import sha256
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.canonical import canonical
from audit.models import Entry
from audit.packing import DICTIONARIES, LARGEST, pack, unpack

HEX, URL = "0123456789abcdef", "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
# Strings that are taken out, and those that only look alike.
DIGITS = st.one_of(
    st.uuids().map(str),
    st.sampled_from([15, 16, 32, 36, 64]).flatmap(lambda n: st.text(HEX, min_size=n, max_size=n)),
    st.text(HEX + "-", min_size=36, max_size=36),
    st.text(URL, min_size=43, max_size=43),
)
VALUES = st.recursive(
    st.one_of(st.text(), DIGITS, st.integers(-(2**53) + 1, 2**53 - 1), st.booleans()),
    lambda inner: st.lists(inner) | st.dictionaries(st.text("abc", min_size=1), inner),
)
# Written by version 1 and to be read by every later one.
STORED = bytes.fromhex(
    "01a3a490652454c422e56f44690b4d0ab57033b07b065b1e04bb18000b0c9f6e7f0e4f0c9d5e2f5f3c2b1a000123456789ab"
    "cdef000000000000000000000000000000000000000000000000000000000000000001938c3a5a517b0e80000123456789ab"
    "0000000000000000000000000000000000000000000000000000000000000000abababababababababababababababab"
)


@given(st.dictionaries(st.sampled_from(["action", "actor", "id", "mac", "object", "req", "ts"]), VALUES))
def test_what_is_packed_comes_back_byte_for_byte(facts):
    entry = canonical(facts)
    assert unpack(pack(entry)) == entry
    assert len(pack(entry)) <= len(entry)


@given(st.binary(max_size=400), st.booleans())
def test_any_bytes_that_sql_inserted_are_an_entry_as_they_stand(data, packed):
    stored = b"\x01" + data if packed else data
    assert unpack(stored) == unpack(stored)
    assert len(unpack(stored)) <= LARGEST
    if not packed and data[:1] != b"\x01":
        assert unpack(stored) == data


def test_what_would_unfold_beyond_an_entrys_size_is_left_as_it_is():
    for bomb in (
        pack(b'{"a":"' + b"x" * 65_600 + b'"}'),
        pack(b'{"a":[' + b",".join([b'"' + b"0" * 16 + b'"'] * 3_500) + b"]}"),
    ):
        assert bomb[0] == 1
        assert unpack(bomb) == bomb


@pytest.mark.parametrize("cut", [1, 2, 9, 40])
def test_what_is_cut_or_longer_is_left_as_it_is(cut):
    stored = pack(canonical({"id": str(UUID(int=7)), "mac": "A" * 43, "log": "main"}))
    assert unpack(stored)[:1] == b"{"
    assert unpack(stored[:-cut]) == stored[:-cut]
    assert unpack(stored + b"x" * cut) == stored + b"x" * cut


def test_a_row_of_version_one_is_read_by_every_later_one():
    assert sha256(DICTIONARIES[1]).hexdigest() == (
        "cd57713c2ad44a1e1a963e3586e81c92dec7e5722cffdda70dba65bc8f5be876"
    ), "a dictionary is never changed: rows on disk need it. Add a version."
    assert json.loads(unpack(STORED))["action"] == "audit.read"


def test_a_plain_row_of_before_is_read_verified_and_placed(house):
    """Every installation that ran before entries were packed has such rows."""
    house.write(3)
    house.tamper(f"UPDATE audit_entry SET entry = '\\x{house.bytes_of(2).hex()}'::bytea WHERE id = 2")
    stored = dict(house.sql("SELECT id, entry FROM audit_entry"))
    assert stored[1][0:1] == b"\x01"
    assert stored[2][0:1] == b"{"
    house.sequence()
    assert house.verify().ok
    assert [entry.facts["log"] for entry in Entry.objects.order_by("id")[:3]] == ["main"] * 3


def test_an_entry_takes_a_third_of_its_bytes(house):
    house.write(1)
    (stored,) = house.sql("SELECT entry FROM audit_entry WHERE id = 1")[0]
    assert len(stored) < 0.4 * len(house.bytes_of(1))
