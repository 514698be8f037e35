"""Passwords: long, not expected, any signs, kept as typed."""

import pytest
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st

from audit.actors import system
from compliance.people import services as people


@pytest.mark.parametrize(
    "password",
    [
        "fourteen chars",
        "aaaaaaaaaaaaaaaaaaaa",
        "abcabcabcabcabcabc",
        "passwordpasswordpassword",
        "Password 123456789",
        "123456789012345678",
        "qwertyuiopasdfghjkl",
        "abcdefghijklmnopqrs",
        "mizan-casino-2026!!",
        "Galatasaray 1905 1905",
        "x" * 1025,
    ],
)
def test_what_anybody_would_guess_is_refused(password):
    with pytest.raises(ValidationError):
        validate_password(password)


@pytest.mark.parametrize(
    "password",
    [
        "correct horse battery staple",  # no capital, no digit, no sign: length does it
        "kırmızı traktör yavaş gider",
        "水は百度で沸騰するものである、たぶん",
        "VmK7tQ-p2_xWz9aR",
        "a sentence of more than sixty-four characters is as good as any other one, and kept whole",
    ],
)
def test_any_signs_will_do(password):
    validate_password(password)


@given(st.text(st.characters(categories=["L", "N"]), min_size=18, max_size=64).filter(lambda text: len(set(text)) > 12))
def test_what_has_many_different_signs_is_never_called_easy(text):
    """No rule about kinds of signs has slipped in."""
    try:
        validate_password(text)
    except ValidationError as error:
        assert "easy to guess" in str(error) and _looks_typed(text), text


def _looks_typed(text):
    return sum(abs(ord(a) - ord(b)) == 1 for a, b in zip(text, text[1:], strict=False)) > len(text) // 2


def test_a_password_is_kept_as_typed_with_spaces_and_all(house):
    long = "  spaces at both ends, and " + "sixty-four and more characters " * 3 + " "
    user = people.create_user(email="dan@example.com", name="Dan", password=long, by=system())
    assert user.check_password(long)
    assert not user.check_password(long.strip())
    assert not user.check_password(long[:72])


def test_what_is_near_ones_own_name_is_refused(house):
    with pytest.raises(ValidationError):
        people.create_user(email="daniel.marlow@example.com", name="D", password="daniel.marlow@example", by=system())
