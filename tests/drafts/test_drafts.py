"""What is typed is never lost: not by another case, a lost session, a reassignment or a closed browser."""

from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from cases import services as engine
from cases.drafts import services
from cases.drafts.models import Draft

pytestmark = pytest.mark.django_db
WORDS = "Oyuncu pasaportunu yarın"


@pytest.fixture
def case(world):
    return world.verification("L1")


@pytest.fixture
def alice(world, client):
    client.force_login(world.alice)
    return client


def typing(client, case, text=WORDS, place="note"):
    data = {services.PLACES[place]: text}
    return client.post(reverse("cases:draft", args=[case.number, place]), data, headers={"HX-Request": "true"})


def page(client, case):
    return client.get(reverse("cases:case", args=[case.number])).content.decode()


@pytest.mark.parametrize("place", services.PLACES)
def test_the_text_is_back_whatever_happened_meanwhile(world, alice, case, place):
    assert b"Draft kept" in typing(alice, case, place=place).content
    page(alice, world.verification("L1"))  # another case
    assert WORDS in page(alice, case)
    alice.logout()  # the session is lost
    engine.assign(case, to=world.erin, by=world.bob)  # reassigned by somebody else
    other_browser = Client()
    other_browser.force_login(world.alice)
    assert WORDS in page(other_browser, case)


def test_nobody_else_sees_it(world, alice, case):
    typing(alice, case)
    for user in (world.bob, world.carol):
        other = Client()
        other.force_login(user)
        assert WORDS not in page(other, case)
    assert WORDS.encode() not in bytes(Draft.objects.get().text_sealed)


def test_it_goes_when_the_text_is_saved_and_only_that_one(world, alice, case):
    typing(alice, case)
    typing(alice, case, place="contact")
    alice.post(reverse("cases:note", args=[case.number]), {"text": WORDS})
    assert list(Draft.objects.values_list("place", flat=True)) == ["contact"]
    facts = {"channel": "phone", "direction": "in", "category": "other", "outcome": "answered", "language": "tr"}
    alice.post(reverse("cases:contact", args=[case.number]), facts | {"summary": WORDS})
    assert not Draft.objects.exists()


def test_a_note_that_was_refused_keeps_its_draft(world, alice, case):
    typing(alice, case)
    assert alice.post(reverse("cases:note", args=[case.number]), {"text": "x" * 5000}).status_code == 422
    assert services.text_of(case, "note", user=world.alice) == WORDS


def test_card_data_is_removed_before_it_is_kept(world, alice, case):
    typing(alice, case, "kart 4111 1111 1111 1111 cvv 123")
    assert services.text_of(case, "note", user=world.alice) == "kart •••• 1111 cvv •••"


def test_typing_on_keeps_one_and_deleting_everything_keeps_none(world, alice, case):
    typing(alice, case)
    typing(alice, case, WORDS + " getirecek")
    assert services.text_of(case, "note", user=world.alice) == WORDS + " getirecek"
    assert Draft.objects.count() == 1
    assert b"Draft kept" not in typing(alice, case, "  ").content
    assert not Draft.objects.exists()


def test_who_may_not_write_keeps_nothing(world, client, case):
    for user, status in [(world.carol, 403), (world.mallory, 404)]:
        client.force_login(user)
        assert typing(client, case).status_code == status
    client.force_login(world.alice)
    assert client.post(reverse("cases:draft", args=[case.number, "elsewhere"]), {"text": "x"}).status_code == 404
    client.logout()
    assert typing(client, case).status_code == 204  # htmx goes to the sign-in
    assert not Draft.objects.exists()


def test_what_nobody_comes_back_to_is_forgotten(world, alice, case):
    typing(alice, case)
    assert services.forget_old() == 0
    with time_machine.travel(timezone.now() + timedelta(days=31)):
        assert services.forget_old() == 1
