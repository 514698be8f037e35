"""Card data never stays: any grouping, any script, over the ends of lines; what is no card survives."""

import string

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from audit import cards
from audit.cards import passes_luhn, without_cards

NUMBERS = [  # test numbers that the schemes and processors publish
    "4111111111111111",
    "4222222222222",
    "5555555555554444",
    "2223003122003222",
    "378282246310005",
    "30569309025904",
    "6011111111111117",
    "3530111333300000",
    "6200000000000005",
    "6759649826438453",
    "9792030394440796",
]
FULL_WIDTH = str.maketrans(string.digits, "０１２３４５６７８９")
ARABIC = str.maketrans(string.digits, "٠١٢٣٤٥٦٧٨٩")
GAPS = st.sampled_from(["", " ", "-", ".", "\n", "\r\n   ", " - ", "\u00a0", "\u200b", "_", "/", "\t", "\n> "])
WORDS = st.text(alphabet=string.ascii_letters + "çğıİöşü ,.;\n", max_size=20)


@pytest.fixture(autouse=True, scope="module")
def nothing_known():
    """Which references are ours is asked of the database; here nobody knows any."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cards, "_known", [])
        yield


def plain(text):
    """The digits of a text, whatever script they are in."""
    return "".join(str(int(letter)) for letter in text if letter.isdecimal())


def with_check_digit(digits):
    return next(digits + last for last in string.digits if passes_luhn(digits + last))


@st.composite
def written(draw):
    """A number as somebody may write it, and the number."""
    number = draw(st.sampled_from(NUMBERS))
    script = draw(st.sampled_from([{}, FULL_WIDTH, ARABIC]))
    gaps = draw(st.lists(GAPS, min_size=len(number) - 1, max_size=len(number) - 1))
    return "".join(digit + gap for digit, gap in zip(number.translate(script), [*gaps, ""], strict=True)), number


@given(before=WORDS, one=written(), after=WORDS)
def test_no_number_survives_however_it_is_written(before, one, after):
    text, number = one
    kept = without_cards(before + text + after)
    assert number not in plain(kept)
    assert plain(kept) == number[-4:]
    assert kept.startswith(before) and kept.endswith(after)


@given(st.lists(st.one_of(written().map(lambda one: one[0]), WORDS, st.text(max_size=12)), max_size=6).map(" ".join))
def test_a_second_pass_changes_nothing(text):
    assert without_cards(without_cards(text)) == without_cards(text)


@given(st.text(alphabet=string.digits, min_size=16, max_size=16), WORDS)
@example("1234567890123456", "ref ")
def test_a_reference_that_is_no_card_survives(digits, words):
    assume(not passes_luhn(digits))
    assert without_cards(f"{words} {digits} {words}") == f"{words} {digits} {words}"


@given(st.integers(min_value=12, max_value=18), st.data())
def test_any_number_with_a_right_check_digit_goes(length, data):
    first = data.draw(st.sampled_from("123456789"))
    digits = with_check_digit(
        first + data.draw(st.text(alphabet=string.digits, min_size=length - 1, max_size=length - 1))
    )
    assert without_cards(digits) == f"•••• {digits[-4:]}"


@pytest.mark.parametrize(
    "text",
    [
        "TR33 0006 1005 1978 6457 8413 26",
        "DE89370400440532013000",
        "+90 532 123 45 67, 12.05.1990",
        "21.11.2026 10:45, 5.000,00 TL, 250 TL",
        "KYC-26-004813-9",
        "T.C. 10000000146",
        "",
        "0000 0000 0000 0000",
    ],
)
def test_what_looks_a_little_like_a_card_survives(text):
    assert without_cards(text) == text


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("4111 1111 1111 1111 123", "•••• 1111 •••"),
        ("4111 1111 1111 1111, 12/27, 123.", "•••• 1111, 12/27, •••."),
        ("378282246310005 06-29 1234", "•••• 0005 06-29 •••"),
        ("cvv: 123", "cvv: •••"),
        ("CVV2'si 456", "CVV2'si •••"),
        ("kartımın güvenlik kodu 987 idi", "kartımın güvenlik kodu ••• idi"),
        ("CVC ist ４５６", "CVC ist •••"),
        ("123 (cvv)", "••• (cvv)"),
        ("4111111111111111 cvv 123", "•••• 1111 cvv •••"),
        ("4111 1111 1111 1111 ile 500 TL", "•••• 1111 ile 500 TL"),
        ("4111111111111111 500 TL", "•••• 1111 500 TL"),
        ("5678 9012 3456 4111 1111 1111 1111", "5678 9012 3456 •••• 1111"),
    ],
)
def test_the_code_beside_the_number_goes_and_an_amount_stays(text, kept):
    assert without_cards(text) == kept


def test_a_reference_that_is_known_survives_and_a_card_beside_it_does_not(monkeypatch):
    monkeypatch.setattr(cards, "_known", [lambda asked: [one for one in asked if one == "5555555555554444"]])
    assert without_cards("ref 5555 5555 5555 4444, 4111111111111111") == "ref 5555 5555 5555 4444, •••• 1111"
