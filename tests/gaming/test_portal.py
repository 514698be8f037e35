"""The player takes a break: three screens, the effect told before the act, in their own language."""

import pytest
from django.test import Client
from django.utils import translation

from cases.types.gaming.limits.player import COOKIE, visit_token
from cases.types.gaming.models import GamingRequest
from tests.gaming.kept_out import a_player, stopped

SCREENS = {
    "en": ("Self-exclusion: 6 months", "cannot be shortened", ("survey", "bonus", "stay")),
    "tr": ("Kendini dışlama: 6 ay", "Kısaltılamaz.", ("anket", "bonus", "kal")),
}


@pytest.fixture
def own_language():
    """A page of the player's leaves its language to whoever comes next in this thread."""
    with translation.override(None):
        yield


@pytest.mark.parametrize("language", SCREENS)
def test_three_screens_in_turkish_and_english(house, own_language, language):
    offered, warned, never = SCREENS[language]
    account, client = a_player(house, "Ada Su"), Client()
    assert client.get("/my/break/").status_code == 403
    client.cookies[COOKIE] = visit_token(account)
    client.cookies["django_language"] = language
    first = client.get("/my/break/").content.decode()
    assert offered in first
    assert "checked" not in first
    assert client.post("/my/break/effect/", {"offer": "for ever"}).status_code == 422
    second = client.post("/my/break/effect/", {"offer": "self_exclusion:6:month"}).content.decode()
    assert warned in second
    assert stopped(account) == set(), "nothing happens before the button"
    answer = client.post("/my/break/start/", {"offer": "self_exclusion:6:month"})
    assert stopped(account) == {"deposit", "play", "marketing"}
    assert client.post("/my/break/start/", {"offer": "self_exclusion:6:month"})["Location"] == answer["Location"]
    case = GamingRequest.objects.get()
    third = client.get(answer["Location"]).content.decode()
    assert case.number in third
    assert case.opened_by == f"player:{account.pk}"
    assert case.messages.get().language == "tr"
    for screen in (first, second, third):
        assert f'<html lang="{language}"' in screen
    for word in never:
        assert word not in third.lower()
