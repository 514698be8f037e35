"""Tracking numbers find typing errors and forgive the ways people write them."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cases.numbers import Number, TypingError, check_digit, next_number, parse

numbers = st.builds(Number, st.just("KYC"), st.integers(0, 99), st.integers(1, 9_999_999)).map(str)


@given(numbers)
def test_a_number_is_read_back(number):
    assert parse(number) == number


@given(numbers, st.data())
def test_every_single_wrong_digit_is_found(number, data):
    place = data.draw(st.sampled_from([i for i, c in enumerate(number) if c.isdigit()]))
    wrong = data.draw(st.sampled_from([d for d in "0123456789" if d != number[place]]))
    with pytest.raises(TypingError):
        parse(number[:place] + wrong + number[place + 1 :])


@given(numbers, st.data())
def test_every_swap_of_neighbours_is_found(number, data):
    digits = [i for i, c in enumerate(number) if c.isdigit()]
    pairs = [(a, b) for a, b in zip(digits, digits[1:], strict=False) if b == a + 1 and number[a] != number[b]]
    if not pairs:
        return
    a, b = data.draw(st.sampled_from(pairs))
    swapped = list(number)
    swapped[a], swapped[b] = swapped[b], swapped[a]
    with pytest.raises(TypingError):
        parse("".join(swapped))


def test_the_example_of_the_documents_is_right():
    assert f"KYC-26-004813-{check_digit('26004813')}" == str(Number("KYC", 26, 4813))


@pytest.mark.parametrize("written", ["#{}", "  {} ", "{lower}", "{plain}", "{spaced}"])
def test_spaces_case_and_dashes_are_forgiven(written):
    number = str(Number("KYC", 26, 4813))
    text = written.format(number, lower=number.lower(), plain=number.replace("-", ""), spaced=number.replace("-", " "))
    assert parse(text) == number


@pytest.mark.parametrize("text", ["", "isil@example.com", "0532 123 45 67", "P-88213"])
def test_other_words_are_no_number(text):
    assert parse(text) is None


def test_numbers_count_up_without_a_gap(db):
    at = datetime(2031, 1, 1, tzinfo=UTC)
    assert [next_number("ZZZ", now=at) for _ in range(3)] == [str(Number("ZZZ", 31, n)) for n in (1, 2, 3)]
