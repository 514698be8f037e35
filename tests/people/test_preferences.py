"""Language and time zone follow the user, in every browser; a change is recorded."""

import pytest
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import timezone, translation

from audit.actors import system
from compliance.people import services as people
from compliance.people.keymap import KEYS
from compliance.people.middleware import PreferencesMiddleware
from compliance.people.models import User


@pytest.fixture
def visitor(alice):
    client = Client()
    client.force_login(alice, backend="compliance.people.access.backend.StaffBackend")
    return client


@pytest.fixture(autouse=True)
def _as_before():
    spoken = translation.get_language()
    yield
    translation.activate(spoken)


def answered_to(user):
    """What a view sees when this user asks."""
    seen = {}

    def view(request):
        seen.update(language=translation.get_language(), zone=timezone.get_current_timezone_name())
        return HttpResponse()

    request = RequestFactory().get("/")
    request.user = user
    PreferencesMiddleware(view)(request)
    return seen


def test_a_user_gets_their_own_language_and_zone(alice):
    people.set_preferences(alice, by=alice, language="tr", time_zone="Europe/Istanbul")
    assert answered_to(User.objects.get(pk=alice.pk)) == {"language": "tr", "zone": "Europe/Istanbul"}


def test_the_next_visitor_does_not_get_the_zone_of_the_last(alice):
    alice.time_zone = "Asia/Tokyo"
    answered_to(alice)
    assert timezone.get_current_timezone_name() == "UTC"


def test_a_language_or_zone_that_is_gone_falls_back(alice):
    alice.language, alice.time_zone = "xx", "Mars/Olympus"
    assert answered_to(alice) == {"language": "en", "zone": "UTC"}


def test_the_page_answers_in_the_chosen_language_and_says_so(visitor, alice):
    people.set_preferences(alice, by=alice, language="tr")
    answer = visitor.get(reverse("profile"), HTTP_ACCEPT_LANGUAGE="en")
    assert answer.headers["Content-Language"] == "tr"
    assert '<html lang="tr"' in answer.content.decode()


def test_a_choice_is_kept_and_recorded(visitor, alice, entries):
    chosen = {"language": "tr", "time_zone": "Europe/Istanbul", "theme": "dark"}
    assert visitor.post(reverse("profile"), chosen).status_code == 302
    kept = User.objects.get(pk=alice.pk)
    assert (kept.language, kept.time_zone, kept.theme, kept.keys_on) == ("tr", "Europe/Istanbul", "dark", False)
    [entry] = entries("people.set_preferences")
    assert entry["diff"] == {
        "language": ["en", "tr"],
        "time_zone": ["UTC", "Europe/Istanbul"],
        "theme": ["", "dark"],
        "keys_on": [True, False],
    }


def test_choosing_the_same_again_records_nothing(alice, entries):
    people.set_preferences(alice, by=alice, language="en", time_zone="UTC")
    assert entries("people.set_preferences") == []


def test_a_wrong_choice_is_named_at_its_field(visitor, alice):
    answer = visitor.post(reverse("profile"), {"language": "tr", "time_zone": "Mars/Olympus"})
    assert answer.status_code == 422
    assert User.objects.get(pk=alice.pk).language == "en"


def test_only_preferences_are_set_this_way(alice):
    with pytest.raises(TypeError, match="not a preference: is_active"):
        people.set_preferences(alice, by=system(), is_active=False)


def test_a_stranger_is_sent_to_the_sign_in(db):
    assert Client().get(reverse("profile")).status_code == 302


class TestKeysOfOnesOwn:
    def fields(self, **own):
        return {f"key{place}": own.get(key, key) for place, key in enumerate(KEYS)}

    def test_other_keys_or_none_are_kept_recorded_and_on_every_page(self, visitor, alice, entries):
        assert visitor.post(reverse("keys"), self.fields(n="Y", r="")).status_code == 302
        assert User.objects.get(pk=alice.pk).keys == {"n": "y", "r": ""}
        [entry] = entries("people.set_preferences")
        assert entry["diff"] == {"keys": [{}, {"n": "y", "r": ""}]}
        page = visitor.get(reverse("keys")).content.decode()
        assert 'data-keymap="nyr "' in page
        visitor.post(reverse("keys"), {"defaults": "1"})
        assert User.objects.get(pk=alice.pk).keys == {}
        assert "data-keymap" not in visitor.get(reverse("keys")).content.decode()

    def test_what_cannot_be_a_key_is_named_at_its_field(self, visitor, alice):
        answer = visitor.post(reverse("keys"), self.fields(n="j", x="i"))
        text = answer.content.decode()
        assert answer.status_code == 422
        assert "Two keys cannot be the same: j." in text and "elsewhere on each keyboard" in text
        assert User.objects.get(pk=alice.pk).keys == {}
