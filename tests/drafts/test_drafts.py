"""What is typed is never lost: not by another case, a lost session, a reassignment or a closed browser."""

import re
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from cases import services as engine
from cases.drafts import services
from cases.drafts.models import ClosedForm, Draft
from cases.mail.writing import pickable

pytestmark = pytest.mark.django_db
HX = {"HX-Request": "true"}
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


class TestTwoWindows:
    """Row C6: what one window kept is never written over by another that did not know of it."""

    def keep(self, client, case, text, seen):
        answer = client.post(
            reverse("cases:draft", args=[case.number, "note"]), {"text": text, "seen": seen}, headers=HX
        )
        found = re.search(r'id="seen-note" value="([^"]*)"', answer.content.decode())
        return answer, found[1]

    def test_the_second_window_is_shown_what_the_first_one_kept(self, world, alice, case):
        _answer, first = self.keep(alice, case, "aus dem ersten", "")
        answer, second = self.keep(alice, case, "aus dem zweiten", "")
        assert answer.status_code == 409 and "aus dem ersten" in answer.content.decode() and second == first
        assert services.text_of(case, "note", user=world.alice) == "aus dem ersten"
        answer, _third = self.keep(alice, case, "aus dem zweiten, weiter", second)  # typed on, knowing
        assert answer.status_code == 200
        assert services.text_of(case, "note", user=world.alice) == "aus dem zweiten, weiter"

    def test_an_empty_second_window_wipes_nothing(self, world, alice, case):
        self.keep(alice, case, WORDS, "")
        assert self.keep(alice, case, "", "")[0].status_code == 409
        assert services.text_of(case, "note", user=world.alice) == WORDS

    def test_one_window_that_types_on_is_not_stopped(self, world, alice, case):
        seen = ""
        for text in ("bir", "bir iki", "bir iki üç"):
            answer, seen = self.keep(alice, case, text, seen)
            assert answer.status_code == 200
        assert f'value="{seen}"' in page(alice, case)


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


class TestLateAutosave:
    """What a page sends after its text was saved does not bring the text back."""

    def form_of(self, client, case, place):
        return re.search(rf'name="draft_form" id="form-{place}" value="([^"]+)"', page(client, case))[1]

    def keep(self, client, case, text, form, place="note"):
        data = {services.PLACES[place]: text, "seen": "", "draft_form": form}
        return client.post(reverse("cases:draft", args=[case.number, place]), data, headers=HX)

    def test_it_is_refused_quietly_and_typing_on_goes_on(self, world, alice, case):
        form = self.form_of(alice, case, "note")
        self.keep(alice, case, WORDS, form)
        alice.post(reverse("cases:note", args=[case.number]), {"text": WORDS, "draft_form": form})
        late = self.keep(alice, case, WORDS, form)
        assert (late.status_code, late.headers["HX-Trigger-After-Settle"]) == (200, "again")
        assert "Draft kept" not in late.content.decode() and not Draft.objects.exists()
        assert WORDS not in services.text_of(case, "note", user=world.alice)
        # The browser brought the page back: from the answer on, it has a form of its own.
        fresh = re.search(r'id="form-note" value="([^"]+)" hx-swap-oob', late.content.decode())[1]
        assert "Draft kept" in self.keep(alice, case, "yeni", fresh).content.decode()
        assert services.text_of(case, "note", user=world.alice) == "yeni"

    def test_each_form_closes_by_its_own_token_and_only_when_it_was_saved(self, world, alice, case):
        form, message = self.form_of(alice, case, "contact"), self.form_of(alice, case, "message")
        url = reverse("cases:contact", args=[case.number])
        facts = {"channel": "phone", "direction": "in", "category": "other", "outcome": "answered", "language": "tr"}
        assert alice.post(url, {"summary": WORDS, "draft_form": form}).status_code == 422
        assert "Draft kept" in self.keep(alice, case, WORDS, form, "contact").content.decode()
        alice.post(url, facts | {"summary": WORDS, "draft_form": form})
        self.keep(alice, case, WORDS, form, "contact")
        assert not Draft.objects.exists()
        assert "Draft kept" in self.keep(alice, case, WORDS, message, "message").content.decode()
        write = reverse("cases:write", args=[case.number])
        told = {"code": pickable()[0][0], "line": WORDS, "token": str(uuid4()), "draft_form": message}
        assert message in alice.post(write, told).content.decode()  # the page before sending carries it on
        alice.post(write, told | {"act": "send"})
        self.keep(alice, case, WORDS, message, "message")
        assert not Draft.objects.exists()

    def test_a_token_of_somebody_else_closes_nothing_of_mine(self, world, alice, case):
        form = self.form_of(alice, case, "note")
        services.close(case, "note", by=world.bob, token=UUID(form))
        assert "Draft kept" in self.keep(alice, case, WORDS, form).content.decode()

    def test_closed_forms_are_forgotten_with_old_drafts(self, world, alice, case):
        services.close(case, "note", by=world.alice, token=uuid4())
        services.forget_old()
        assert ClosedForm.objects.count() == 1
        with time_machine.travel(timezone.now() + services.KEEP + timedelta(days=1)):
            services.forget_old()
        assert not ClosedForm.objects.exists()
