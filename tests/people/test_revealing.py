"""Masked fields: who may see them, and that the log knows who did."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.actors import system
from audit.perform import Denied
from compliance.keys.services import NotOpened, Shredded, shred_subject
from compliance.people import contacts
from compliance.people import services as people
from tests.people.conftest import IDENTITY_NUMBER


@pytest.fixture
def shown(isil, her_account):
    def show(field, by, purpose="case"):
        return people.reveal(isil, field, by=by, purpose=purpose, matter="KYC-26-004813-9", account=her_account)

    return show


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("national_id", IDENTITY_NUMBER),
        ("birth_date", "1991-03-14"),
        ("phone", "+905321234567"),
        ("email", "isil@example.com"),
    ],
)
def test_an_agent_sees_the_value_and_the_log_says_so(shown, alice, entries, field, value):
    assert shown(field, alice) == value
    [entry] = entries("audit.read")
    assert entry["actor"]["id"] == str(alice.pk)
    assert entry["matter"] == "KYC-26-004813-9"
    assert entry["data"] == {"purpose": f"case:{field}"}


def test_looking_twice_is_one_entry_and_another_field_another(shown, alice, bob, entries):
    shown("national_id", alice)
    shown("national_id", alice)
    assert len(entries("audit.read")) == 1
    shown("phone", alice)
    shown("national_id", bob)
    assert len(entries("audit.read")) == 3


def test_an_auditor_sees_nothing_and_the_refusal_stays(shown, carol, entries):
    with pytest.raises(Denied):
        shown("national_id", carol)
    assert entries("audit.read") == []
    [refusal] = entries("people.reveal", using="log")
    assert (refusal["out"], refusal["reason"], refusal["actor"]["id"]) == (
        "refused",
        {"code": "no_right"},
        str(carol.pk),
    )


def test_somebody_who_left_sees_nothing(shown, alice):
    people.deactivate_user(alice, by=system())
    alice = type(alice).objects.get(pk=alice.pk)
    with pytest.raises(Denied):
        shown("national_id", alice)


@pytest.mark.parametrize("field", ["full_name", "national_id_sealed", "password", ""])
def test_only_what_is_masked_can_be_revealed(isil, alice, field):
    with pytest.raises(ValueError, match="one of national_id"):
        people.reveal(isil, field, by=alice, purpose="case")


def test_a_contact_needs_the_players_own_account(house, isil, her_account, alice):
    other = people.register_customer(
        licensee=house.licensee, full_name="Deniz Ak", birth_date=date(1990, 1, 2), nationality="TR", by=alice
    )
    with pytest.raises(ValueError, match="the customer's own account"):
        people.reveal(other, "phone", by=alice, purpose="case", account=her_account)


def test_a_number_moved_to_another_player_does_not_open(house, isil, alice):
    other = people.register_customer(
        licensee=house.licensee, full_name="Deniz Ak", birth_date=date(1990, 1, 2), nationality="TR", by=alice
    )
    other.national_id_sealed, other.national_id_index = isil.national_id_sealed, b"another"
    with pytest.raises(NotOpened):
        people.reveal(other, "national_id", by=alice, purpose="case")


def test_after_a_shred_nobody_reads_it(shown, isil, alice):
    shred_subject(isil.audit_subject, by=system(), reason="erasure")
    with pytest.raises(Shredded):
        shown("national_id", alice)


def test_a_page_shows_enough_to_tell_two_apart(isil, her_account, entries):
    assert people.masked(isil, "national_id") == "•••••••••60"
    assert people.masked(isil, "birth_date") == "1991-••-••"
    assert people.masked(her_account, "phone") == "+90••••••••67"
    assert people.masked(her_account, "email") == "i•••@example.com"
    assert entries("audit.read") == []


@given(st.text(alphabet="0123456789ABCDEF", min_size=4, max_size=32))
def test_a_mask_keeps_two_characters_of_a_number(number):
    masked = contacts.mask("national_id", number)
    assert len(masked) == len(number)
    assert masked[-2:] == number[-2:]
    assert set(masked[:-2]) == {"•"}


def test_a_field_without_a_mask_is_never_shown():
    with pytest.raises(ValueError, match="there is no mask"):
        contacts.mask("full_name", "Işıl")
