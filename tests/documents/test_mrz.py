"""ICAO 9303: what a zone says, and that its check digits notice a change."""

from datetime import date
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from documents.mrz import check_digit, find, read

TODAY = date(2026, 1, 1)
VECTORS = sorted((Path(__file__).parents[1] / "vectors" / "mrz").glob("*.txt"))
CHARACTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ<"


def _said(zone, name):
    value = getattr(zone, name)
    if name == "checks":
        return " ".join(sorted(check for check, held in value.items() if held))
    return value.isoformat() if isinstance(value, date) else value or ""


@pytest.mark.parametrize("path", VECTORS, ids=lambda path: path.stem)
def test_vectors(path):
    lines, expected = path.read_text().split("\n\n")
    zone = read(lines.splitlines(), today=TODAY)
    for line in expected.splitlines():
        name, _, value = line.partition(":")
        assert _said(zone, name) == value.strip(), name


def test_there_are_vectors():
    assert len(VECTORS) >= 5


# ------------------------------------------------------------------------------------ our own writer of zones
def _weighed(text):
    """The check digit, written down a second time: the standard's table instead of its formula."""
    table = {character: value for value, character in enumerate("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ")} | {"<": 0}
    weights = [7, 3, 1] * len(text)
    return str(sum(table[character] * weight for character, weight in zip(text, weights, strict=False)) % 10)


def a_zone(shape, number, birth, expires, names):
    born, ends = f"{birth:%y%m%d}", f"{expires:%y%m%d}"
    number = number.ljust(9, "<")
    if shape == "TD1":
        first = f"I<UTO{number}{_weighed(number)}".ljust(30, "<")
        second = f"{born}{_weighed(born)}F{ends}{_weighed(ends)}UTO".ljust(29, "<")
        second += _weighed(first[5:] + second[:7] + second[8:15] + second[18:])
        return [first, second, names.ljust(30, "<")]
    width = {"TD2": 36, "TD3": 44}[shape]
    second = f"{number}{_weighed(number)}UTO{born}{_weighed(born)}F{ends}{_weighed(ends)}"
    second = second.ljust(width - 1, "<") if shape == "TD2" else second + "<" * 14 + "0"
    second += _weighed(second[:10] + second[13:20] + second[21:])
    return [("I<UTO" if shape == "TD2" else "P<UTO") + names.ljust(width - 5, "<"), second]


zones = st.builds(
    lambda *parts: (parts, a_zone(*parts)),
    st.sampled_from(["TD1", "TD2", "TD3"]),
    st.text("0123456789ABCDEFGHJKLMNPRSTUVWXYZ", min_size=5, max_size=9),
    st.dates(date(1930, 1, 1), date(2025, 12, 31)),
    st.dates(date(2005, 1, 1), date(2045, 12, 31)),
    st.sampled_from(["YILDIRIM<<ISIL", "SMITH<<ALICE<MAY", "O<BRIEN<<BOB"]),
)


@given(zones)
def test_what_was_written_is_read(made):
    (shape, number, birth, expires, names), lines = made
    zone = read(lines, today=TODAY)
    assert (zone.format, zone.number, zone.expires_on, zone.valid) == (shape, number, expires, True)
    assert (zone.birth_on.month, zone.birth_on.day) == (birth.month, birth.day)
    assert zone.surname == names.partition("<<")[0].replace("<", " ")


@given(zones, st.data())
def test_a_changed_character_is_noticed_unless_it_weighs_the_same(made, data):
    (shape, *_rest), lines = made
    row = 0 if shape == "TD1" else 1
    start = 5 if shape == "TD1" else 0
    at = data.draw(st.integers(start, start + 8))
    other = data.draw(st.sampled_from(CHARACTERS))
    assume(_weighed(other) != _weighed(lines[row][at]))
    lines[row] = lines[row][:at] + other + lines[row][at + 1 :]
    zone = read(lines, today=TODAY)
    assert zone is None or not zone.checks["number"]


@given(st.text(CHARACTERS, max_size=50))
def test_the_check_digit_is_the_tables(text):
    assert check_digit(text) == _weighed(text)


@given(st.text(max_size=400))
def test_any_text_is_looked_through_without_harm(text):
    find(text, today=TODAY)


def test_a_long_number_goes_on_in_the_optional_data():
    number = "D23145890734"
    rest = number[9:] + check_digit(number) + "<"
    first = f"I<UTO{number[:9]}<{rest}".ljust(30, "<")
    zone = read([first, "7408122F1204159UTO<<<<<<<<<<<6", "ERIKSSON<<ANNA<MARIA<<<<<<<<<<"], today=TODAY)
    assert (zone.number, zone.checks["number"]) == (number, True)


@pytest.mark.parametrize("shape", ["TD1", "TD2", "TD3"])
def test_misread_letters_and_lost_fillers_are_set_right(shape):
    lines = a_zone(shape, "A12B34560", date(1991, 3, 14), date(2031, 9, 2), "YILDIRIM<<ISIL")
    read_as = [line.replace("0", "O").replace("<<<<<<", "<<<<<", 1) for line in lines]
    zone = find("REPUBLIC OF UTOPIA\n\n" + "\n".join(read_as) + "\nnoise", today=TODAY)
    assert (zone.number, zone.valid, zone.birth_on) == ("A12B34560", True, date(1991, 3, 14))


def test_ordinary_text_holds_no_zone():
    assert find("STATEMENT OF ACCOUNT\n" + "TRANSFER FROM 12345 TO 67890 <<<<<<<<<\n" * 9, today=TODAY) is None
