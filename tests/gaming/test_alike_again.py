"""Who resembles somebody kept out and comes to agree in more: nobody clears what they did not see."""

import pytest

from audit.actors import system
from audit.models import Entry
from cases.types.gaming import acts
from compliance.people import correcting
from compliance.people.exclusions.models import Duplicate
from compliance.people.models import Customer
from compliance.people.sameness import services as sameness
from compliance.people.sameness.models import Link
from compliance.people.services import open_account, register_customer
from compliance.proposals.models import Proposal
from compliance.proposals.services import EvidenceChanged, confirm, propose
from tests.gaming.kept_out import a_player, excluded, stopped

OUT = "Mehmet Demirkan"


@pytest.fixture
def out(house):
    account = a_player(house, OUT)
    excluded(account)
    return account


@pytest.fixture
def alike(house, out):
    """Declared under a wrong name, with the e-mail of somebody who is kept out."""
    customer = register_customer(
        licensee=house.licensee,
        full_name="Ada Su",
        birth_date=Customer.objects.get(pk=out.customer_id).birth_date,
        nationality="TR",
        by=house.alice,
    )
    email = f"{out.reference}@example.com"
    account = open_account(customer=customer, brand=house.brand, reference="P-alike", email=email, by=house.alice)
    assert Duplicate.objects.get().by == ["email"]
    return account


def correct(account, name):
    facts = {"reason": "typed_wrongly", "matter": "KYC", "evidence": "1", "by": system()}
    correcting.correct(account.customer, {"full_name": name}, **facts)


def proposed(house, duplicate):
    return propose(acts.CLEAR, duplicate, by=house.alice, reason="another_person", note="Passport seen")


def cleared(house, account):
    confirm(proposed(house, Duplicate.objects.get(customer=account.customer_id, state="open")), by=house.bob)
    assert stopped(account) == set()


def test_what_agrees_anew_voids_what_was_proposed_on_less(house, alike):
    waits = proposed(house, Duplicate.objects.get())
    correct(alike, OUT)
    with pytest.raises(EvidenceChanged):
        confirm(waits, by=house.bob)
    assert Proposal.objects.get(pk=waits.pk).state == "voided"
    found = Duplicate.objects.get()
    assert (found.state, found.by) == ("open", ["email", "name_birth"])
    assert Entry.objects.filter(action="duplicate.find", object_id=str(found.pk)).count() == 2
    assert "play" in stopped(alike)
    cleared(house, alike)


def test_who_was_cleared_under_a_wrong_name_is_stopped_by_the_right_one_and_cleared_anew(house, alike):
    cleared(house, alike)
    correct(alike, OUT)
    assert "play" in stopped(alike)
    states = Duplicate.objects.order_by("found_at").values_list("state", "by")
    assert list(states) == [("cleared", ["email"]), ("open", ["email", "name_birth"])]
    cleared(house, alike)
    correct(alike, "Ada Su")
    correct(alike, OUT)
    assert stopped(alike) == set(), "two persons looked at all of this"


def test_who_was_cleared_is_stopped_when_the_name_of_who_is_kept_out_is_put_right(house, out, alike):
    cleared(house, alike)
    correct(out, "Ada Su")
    assert "play" in stopped(alike)


def test_a_dismissed_link_and_a_cleared_pair_hold_no_longer_where_a_name_nearly_agrees(house, alike):
    cleared(house, alike)
    sameness.dismiss(Link.objects.get(), by=house.bob, reason="relative")
    correct(alike, "Mehmet Demirkam")
    assert Link.objects.get().state == "dismissed"
    assert "play" in stopped(alike)
