"""A contact with somebody whose case is not at hand: from what they say to the place where it is logged."""

import pytest
from django.urls import reverse

from audit.models import Entry
from cases.types.verification import services

pytestmark = pytest.mark.django_db


def start(client, user, words):
    client.force_login(user)
    return client.get(reverse("cases:contact-start"), {"q": words})


def test_the_player_number_leads_to_the_open_case_and_the_search_is_recorded(world, client):
    case, done = world.verification("L1"), world.verification("L1", full_name="Someone Else")
    services.withdraw(done, by=world.alice)
    said = start(client, world.alice, case.account.reference).content.decode()
    assert reverse("cases:contact", args=[case.number]) in said
    assert Entry.objects.filter(action="cases.search", actor_id=str(world.alice.pk)).count() == 1
    said = start(client, world.alice, done.account.reference).content.decode()
    assert reverse("cases:contact", args=[done.number]) not in said
    assert reverse("cases:case", args=[done.number]) in said
    assert reverse("cases:verification-new") in said


def test_who_has_a_similar_name_stands_apart(world, client):
    case = world.verification("L1", full_name="Zeynep Karahan")
    done = world.verification("L1", full_name="Zeynep Karahanlı")
    services.withdraw(done, by=world.alice)
    said = start(client, world.alice, "Zeynep Karahn").content.decode()
    assert "Nobody was found" not in said
    similar = said.partition("Similar names")[2].partition("</section>")[0]
    assert reverse("cases:contact", args=[case.number]) in similar
    assert reverse("cases:contact", args=[done.number]) not in similar
    assert reverse("cases:case", args=[done.number]) in similar
    assert case.number not in said.partition("Similar names")[0]


def test_a_tracking_number_goes_straight_there(world, client):
    case = world.verification("L1")
    assert start(client, world.alice, case.number.lower()).url == reverse("cases:contact", args=[case.number])
    assert start(client, world.carol, case.number).url == reverse("cases:case", args=[case.number])
    assert "No open case" not in start(client, world.mallory, case.number).content.decode()


def test_a_case_that_is_hidden_and_none_are_answered_alike(world, client):
    hidden = world.verification("L1")
    reference = hidden.account.reference
    type(hidden).objects.filter(pk=hidden.pk).update(restricted=True)
    with_case = start(client, world.alice, reference).content.decode()
    assert hidden.number not in with_case
    assert hidden.customer.full_name not in with_case
    assert "You see no case of theirs." in with_case


def test_the_page_alone_looks_for_nothing(world, client):
    client.force_login(world.alice)
    assert client.get(reverse("cases:contact-start")).status_code == 200
    assert not Entry.objects.filter(action="cases.search").exists()
    assert reverse("cases:contact-start") in client.get(reverse("cases:queue")).content.decode()
