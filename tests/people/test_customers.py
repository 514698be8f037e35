"""Registering a player."""

from datetime import date, timedelta

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from audit.actors import system
from audit.models import Entry
from audit.perform import Denied
from compliance.keys.models import SubjectKey
from compliance.keys.services import IndexPurpose, blind_index, open_sealed
from compliance.people import services as people
from compliance.people.models import Customer, Person
from compliance.policy import PolicyMissing
from tests.people.conftest import IDENTITY_NUMBER


def registered(house, by, **facts):
    given = {"full_name": "Deniz Ak", "birth_date": date(1990, 1, 2), "nationality": "TR"}
    return people.register_customer(licensee=house.licensee, by=by, **given | facts)


def test_a_player_gets_a_person_and_a_key_of_their_own(isil):
    assert isil.person.customers.get() == isil
    assert SubjectKey.objects.filter(kind="customer", subject_id=str(isil.pk), wrapped__isnull=False).count() == 1
    assert (isil.level, isil.risk) == ("L0", "medium")


def test_the_national_id_is_sealed_under_the_players_key(isil):
    isil = Customer.objects.get(pk=isil.pk)
    assert IDENTITY_NUMBER.encode() not in bytes(isil.national_id_sealed)
    opened = open_sealed(isil.audit_subject, "national_id", bytes(isil.national_id_sealed), aad=isil.pk.bytes)
    assert opened.decode() == IDENTITY_NUMBER
    assert bytes(isil.national_id_index) == blind_index(IndexPurpose.NATIONAL_ID, IDENTITY_NUMBER)


def test_the_log_holds_no_personal_data_in_the_clear(isil, entries):
    [entry] = entries("people.register_customer")
    assert entry["subject"] == {"t": "customer", "id": str(isil.pk)}
    assert entry["data"] == {"licensee": "anadolu"}
    assert entry["sealed"]["n"] > 0
    written = b"".join(bytes(entry.entry) for entry in Entry.objects.all())
    for secret in (IDENTITY_NUMBER, "Yıldırım", "Işıl", "1991-", "Çınar"):
        assert secret.encode() not in written


def test_a_name_is_found_whatever_its_letters(isil):
    for typed in ("IŞIL", "ışıl", "isil yildirim", "YILDIRIM"):
        assert list(Customer.objects.named_like(typed)) == [isil]


def test_without_its_entry_nothing_is_registered(house, alice, monkeypatch):
    def refuses(*args, **kwargs):
        raise RuntimeError("the log is full")

    before = (Customer.objects.count(), Person.objects.count(), SubjectKey.objects.count())
    monkeypatch.setattr(people, "record", refuses)
    with pytest.raises(RuntimeError):
        registered(house, alice)
    assert (Customer.objects.count(), Person.objects.count(), SubjectKey.objects.count()) == before


def test_the_same_number_is_one_player(house, isil, alice):
    people_before = Person.objects.count()
    with pytest.raises(ValidationError) as refused:
        registered(house, alice, national_id="172 917 160 60")
    assert list(refused.value.message_dict) == ["national_id"]
    assert Person.objects.count() == people_before


def test_the_same_number_of_another_country_is_another_player(house, isil, alice):
    assert registered(house, alice, nationality="BG", national_id=IDENTITY_NUMBER).pk != isil.pk


def test_two_players_may_have_no_number(house, alice):
    assert registered(house, alice).pk != registered(house, alice).pk


@pytest.mark.parametrize(
    ("facts", "field"),
    [
        ({"full_name": "   "}, "full_name"),
        ({"full_name": "x" * 201}, "full_name"),
        ({"full_name": "Deniz \u202eKA"}, "full_name"),
        ({"full_name": "Deniz\u0000Ak"}, "full_name"),
        ({"birth_date": timezone.localdate() - timedelta(days=121 * 366)}, "birth_date"),
        ({"birth_date": timezone.localdate() + timedelta(days=2)}, "birth_date"),
        ({"birth_date": "1990-01-02"}, "birth_date"),
        ({"nationality": "XX"}, "nationality"),
        ({"nationality": "TUR"}, "nationality"),
        ({"nationality": "EU"}, "nationality"),
        ({"national_id": "17291716061"}, "national_id"),
        ({"national_id": "1729171606"}, "national_id"),
        ({"national_id": "07291716092"}, "national_id"),
        ({"nationality": "DE", "national_id": "A1"}, "national_id"),
        ({"address": "x" * 401}, "address"),
    ],
)
def test_what_is_wrong_is_named(house, alice, facts, field):
    with pytest.raises(ValidationError) as refused:
        registered(house, alice, **facts)
    assert list(refused.value.message_dict) == [field]
    assert not Customer.objects.exists()


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("Işıl  Yıldırım ", "Işıl Yıldırım"),
        ("I\u0307nci", "İnci"),
        ("孫悟空", "孫悟空"),
        ("نور", "نور"),
        ("O'Neill-Şen", "O'Neill-Şen"),
    ],
)
def test_names_of_every_script_are_kept_as_on_the_document(house, alice, typed, kept):
    assert registered(house, alice, full_name=typed).full_name == kept


def test_a_child_is_registered_and_found_out_later(house, alice):
    """Refusing here would hide that a child tried; the verification has its own script for it."""
    assert registered(house, alice, birth_date=timezone.localdate()).pk


def test_somebody_who_left_registers_nobody(house, alice, entries):
    people.deactivate_user(alice, by=system())
    alice.refresh_from_db()
    with pytest.raises(Denied):
        registered(house, alice)
    [refusal] = entries("people.register_customer", using="log")
    assert (refusal["out"], refusal["reason"]) == ("refused", {"code": "inactive"})


def test_a_licensee_needs_a_policy(here):
    with pytest.raises(PolicyMissing, match="'FR'"):
        people.create_licensee(name="Paris", slug="paris", jurisdiction="FR", time_zone="Europe/Paris", by=system())


def test_the_level_rises_and_never_falls(isil, bob, entries):
    assert people.reach_level(isil, "L2", by=bob).level == "L2"
    assert people.reach_level(isil, "L1", by=bob).level == "L2"
    assert [entry["diff"] for entry in entries("people.reach_level")] == [{"level": ["L0", "L2"]}]


def test_an_unknown_level_is_named(isil, bob):
    with pytest.raises(ValidationError, match="There is no level L9. Known: L0, L1, L2, L3"):
        people.reach_level(isil, "L9", by=bob)
