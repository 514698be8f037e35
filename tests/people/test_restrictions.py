"""Restrictions: one person is enough, and only the cover code leaves the house."""

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from compliance.people import services as people
from compliance.people.models import Restriction


@pytest.mark.parametrize("reaches", ["person", "customer", "account"])
def test_one_person_restricts_at_once(isil, her_account, alice, entries, reaches):
    owner = {"person": isil.person, "customer": isil, "account": her_account}[reaches]
    set_by_alice = people.restrict(owner, stops=["play", "deposit"], cover_code="check", source="gaming", by=alice)
    kept = Restriction.objects.get()
    assert kept == set_by_alice
    assert getattr(kept, reaches) == owner
    assert (kept.stops_play, kept.stops_deposit, kept.stops_withdraw, kept.stops_sign_in) == (True, True, False, False)
    assert kept.starts_at <= timezone.now()
    [entry] = entries("people.restrict")
    assert entry["data"] == {"stops": ["deposit", "play"], "cover_code": "check"}


def test_what_set_it_is_sealed(isil, alice, entries):
    people.restrict(isil, stops=["withdraw"], cover_code="check", source="monitoring", by=alice)
    assert "monitoring" not in str(entries("people.restrict"))


@pytest.mark.parametrize("stops", [[], ["breathing"], ["play", "everything"]])
def test_what_stops_must_be_known(isil, alice, stops):
    with pytest.raises(ValidationError) as refused:
        people.restrict(isil, stops=stops, cover_code="check", source="gaming", by=alice)
    assert list(refused.value.message_dict) == ["stops"]


def test_it_cannot_end_before_it_starts(isil, alice):
    with pytest.raises(ValidationError) as refused:
        people.restrict(
            isil,
            stops=["play"],
            cover_code="check",
            source="gaming",
            by=alice,
            until=timezone.now() - timedelta(seconds=1),
        )
    assert list(refused.value.message_dict) == ["until"]


@pytest.mark.parametrize(
    "facts",
    [
        {"stops_play": False},
        {"person": None},
        {"until": timezone.now() - timedelta(days=400)},
        {"lifted_at": timezone.now()},
    ],
    ids=["stops nothing", "reaches nobody", "ends before it starts", "lifted by nobody"],
)
def test_the_database_refuses_the_impossible(isil, facts):
    whole = {
        "person": isil.person,
        "stops_play": True,
        "cover_code": "check",
        "source": "x",
        "starts_at": timezone.now(),
    }
    Restriction.objects.create(**whole).delete()
    with pytest.raises(IntegrityError), transaction.atomic():
        Restriction.objects.create(**whole | facts)
