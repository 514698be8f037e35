"""The verifier reads most entries at a glance: what that accepts, reading in full accepts too, and it says the same."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.canonical import canonical
from audit.verifier import verify as outside

ENTRY = canonical(
    {
        "v": 1,
        "log": "main",
        "id": "01938c3a-5a51-7b0e-8000-0123456789ab",
        "ts": "2026-11-21T07:42:18.000001Z",
        "action": "cases.view",
        "actor": {"t": "staff", "id": "01938c3a", "auth": "password"},
        "object": {"t": "case", "id": "x", "rev": 3},
        "diff": {"state": [None, "open"], "merged": [True, False], "due": [-7, 0]},
        "out": "done",
        "mac": "A" * 43,
    }
)


@pytest.fixture
def shapes():
    learnt = outside.Shapes()
    learnt.learn(ENTRY)
    assert learnt.read(ENTRY) == (b"8000", b"0123456789ab", b"2026-11-21T07:42:18.000001Z")
    return learnt


def with_values(**values):
    facts = json.loads(ENTRY)
    facts["object"] |= values
    return canonical(facts)


def test_another_entry_of_the_same_shape_is_read_at_a_glance(shapes):
    assert shapes.read(with_values(id="another, with {braces}: [and] such", rev=123456))


@pytest.mark.parametrize(
    ("there", "instead"),
    [
        (b'"rev":3', b'"rev":03'),
        (b'"rev":3', b'"rev":-0'),
        (b'"rev":3', b'"rev":3.0'),
        (b'"rev":3', b'"rev":3e1'),
        (b'"rev":3', b'"rev": 3'),
        (b'"rev":3', b'"rev":"3"'),
        (b'"rev":3', b'"rev":9007199254740993'),
        (b'"id":"x"', b'"id":"\\u0078"'),
        (b'"id":"x"', b'"id":"\\/"'),
        (b'"id":"x"', b'"id":"\x01"'),
        (b'"id":"x"', b'"id":"\xff"'),
        (b'"id":"x"', '"id":"A\u0308"'.encode()),
        (b'"id":"x"', b'"id":"x","id":"y"'),
        (b'"id":"x","rev":3', b'"rev":3,"id":"x"'),
        (b'"log":"main"', b'"log":"aml"'),
        (b'"v":1}', b'"v":2}'),
        (b'"v":1}', b'"v":1}\n'),
        (b'"action":"cases.view"', b'"action":"audit.flag"'),
        (b'"mac":"AAAAA', b'"mac":"A+AAA'),
        (b'"id":"01938c3a-5a51-7', b'"id":"01938C3A-5A51-7'),
        (b"18.000001Z", b"18.00001Z"),
        (b"true", b"True"),
    ],
)
def test_whatever_differs_in_more_than_values_is_not(shapes, there, instead):
    assert ENTRY.count(there) == 1
    assert shapes.read(ENTRY.replace(there, instead)) is None


@given(st.data())
def test_what_is_read_at_a_glance_is_canonical_and_says_the_same(data):
    """Bytes are put in, taken out and changed anywhere."""
    shapes = outside.Shapes()
    shapes.learn(ENTRY)
    raw = bytearray(ENTRY)
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(raw) - 1))
        raw[at : at + data.draw(st.integers(0, 2))] = data.draw(
            st.sampled_from(
                [b"", b'"', b"\\", b",", b":", b"0", b"-", b"7", b"x", b"{", b"}", b"[", b"]", b"\n", b"\xc3\xa4"]
            )
        )
    found = shapes.read(bytes(raw))
    if found is not None:
        facts = outside.parsed(bytes(raw), "entry")
        assert facts["id"][19:] == (found[0] + b"-" + found[1]).decode()
        assert facts["ts"] == found[2].decode()
        assert (facts["log"], facts["action"], facts["v"]) == ("main", "cases.view", 1)
        assert outside.MAC.fullmatch(facts["mac"])


def test_no_pattern_is_made_of_what_needs_an_escape_or_lacks_a_part():
    shapes = outside.Shapes()
    for raw in (with_values(id='"'), with_values(id="\\"), re.sub(rb'"ts":"[^"]*",', b"", ENTRY), with_values(id="ä")):
        shapes.learn(raw)
        assert shapes.read(raw) is None
