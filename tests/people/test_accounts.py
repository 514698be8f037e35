"""Opening an account: the operator's reference and the contacts."""

import pytest
from django.core.exceptions import ValidationError

from audit.actors import system
from audit.models import Entry
from compliance.keys.services import IndexPurpose, blind_index
from compliance.people import services as people
from compliance.people.models import Account


def opened(house, customer, by, **facts):
    return people.open_account(customer=customer, brand=house.brand, by=by, **{"reference": "P-7"} | facts)


def test_contacts_are_sealed_and_found_by_digest(her_account):
    account = Account.objects.get(email_index=blind_index(IndexPurpose.EMAIL, "isil@example.com"))
    assert account == her_account
    assert account == Account.objects.get(phone_index=blind_index(IndexPurpose.PHONE, "+905321234567"))
    assert b"isil" not in bytes(account.email_sealed)
    assert b"532123" not in bytes(account.phone_sealed)
    written = b"".join(bytes(entry.entry) for entry in Entry.objects.all())
    assert b"example.com" not in written
    assert b"532123" not in written


@pytest.mark.parametrize("typed", ["0532 123 45 67", "+90 (532) 123-4567", "532 123 45 67", "0090 532 123 4567"])
def test_a_phone_has_one_spelling(house, isil, alice, typed):
    account = opened(house, isil, alice, phone=typed)
    assert people.contact_of(account, "phone") == "+905321234567"


def test_a_phone_from_abroad_keeps_its_country(house, isil, alice):
    assert people.contact_of(opened(house, isil, alice, phone="+44 7911 123456"), "phone") == "+447911123456"


@pytest.mark.parametrize("typed", ["İSİL@example.com", " isil@EXAMPLE.com "])
def test_an_e_mail_is_kept_in_lower_case(house, isil, alice, typed):
    assert people.contact_of(opened(house, isil, alice, email=typed), "email") == "isil@example.com"


def test_an_account_without_contacts_has_none(house, isil, alice):
    account = opened(house, isil, alice)
    assert people.contact_of(account, "email") is None
    assert people.contact_of(account, "phone") is None
    assert people.masked(account, "email") == ""


@pytest.mark.parametrize(
    ("facts", "field"),
    [
        ({"reference": ""}, "reference"),
        ({"reference": "x" * 65}, "reference"),
        ({"reference": "P-1\u202e7"}, "reference"),
        ({"email": "isil"}, "email"),
        ({"email": "a@b@c"}, "email"),
        ({"phone": "12"}, "phone"),
        ({"phone": "call me"}, "phone"),
        ({"phone": "0532 123 45 678901"}, "phone"),
        ({"language": "klingon"}, "language"),
        ({"time_zone": "Mars/Olympus"}, "time_zone"),
    ],
)
def test_what_is_wrong_is_named(house, isil, alice, facts, field):
    with pytest.raises(ValidationError) as refused:
        opened(house, isil, alice, **facts)
    assert list(refused.value.message_dict) == [field]
    assert not Account.objects.exists()


def test_a_reference_is_used_once_per_licensee(house, isil, her_account, alice):
    with pytest.raises(ValidationError) as refused:
        opened(house, isil, alice, reference="P-1001")
    assert list(refused.value.message_dict) == ["reference"]
    assert Account.objects.count() == 1


def test_a_brand_of_another_licensee_is_refused(house, isil, alice):
    london = people.create_licensee(
        name="London Bets", slug="london", jurisdiction="GB", time_zone="Europe/London", by=system()
    )
    brand = people.create_brand(licensee=london, name="London", slug="london", by=system())
    with pytest.raises(ValidationError) as refused:
        people.open_account(customer=isil, brand=brand, reference="P-7", by=alice)
    assert list(refused.value.message_dict) == ["brand"]


def test_opening_is_recorded_with_the_players_subject(her_account, isil, alice, entries):
    [entry] = entries("people.open_account")
    assert entry["subject"] == {"t": "customer", "id": str(isil.pk)}
    assert entry["actor"]["id"] == str(alice.pk)
    assert entry["data"] == {
        "brand": "anadolu",
        "reference": "P-1001",
        "language": "tr",
        "time_zone": "Europe/Istanbul",
    }
