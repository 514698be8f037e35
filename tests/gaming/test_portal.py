"""The player takes a break: three screens, the effect told before the act, in their own language."""

from datetime import date

import pytest
from django.test import Client
from django.utils import translation
from pydantic import ValidationError

from cases.types.gaming import offers, orders, services
from cases.types.gaming.limits.player import COOKIE, visit_token
from cases.types.gaming.models import GamingRequest, StopOrder
from compliance.platform.webhooks.models import Event
from compliance.policy import policy_for
from compliance.policy.schema import Exclusions
from compliance.rulebook.queries import policy_of
from tests.gaming.kept_out import a_player, stopped
from tests.gaming.test_requests import deliver

# What each offer is called, what is told of its end before the act, and what no page may say.
SCREENS = {
    ("en", "self_exclusion:6:month"): ("Self-exclusion: 6 months", "To play again you have to ask, wait, and confirm."),
    ("tr", "self_exclusion:6:month"): ("Kendini dışlama: 6 ay", "Yeniden oynamak için istemeniz, beklemeniz"),
    ("en", "time_out:24:hour"): ("Time-out: 24 hours", "Then it ends by itself."),
    ("tr", "time_out:24:hour"): ("Mola: 24 saat", "Sonra kendiliğinden biter."),
}
SAID = {
    "en": (
        "It cannot be shortened.",
        "deposits, play and advertising.",
        "You can still withdraw",
        "what they win is yours",
    ),
    "tr": ("Kısaltılamaz.", "para yatırma, oyun ve reklam.", "Paranızı çekebilirsiniz.", "kazancı sizindir"),
}
NEVER = {"en": ("survey", "bonus", "stay", "come back"), "tr": ("anket", "bonus", "kalın", "geri dön")}


@pytest.fixture
def own_language():
    """A page of the player's leaves its language to whoever comes next in this thread."""
    with translation.override(None):
        yield


@pytest.mark.parametrize(("language", "offer"), SCREENS)
def test_three_screens_in_turkish_and_english(house, own_language, language, offer):
    title, its_end = SCREENS[language, offer]
    account, client = a_player(house, "Ada Su"), Client()
    assert client.get("/my/break/").status_code == 403
    client.cookies[COOKIE] = visit_token(account)
    client.cookies["django_language"] = language
    first = client.get("/my/break/").content.decode()
    assert title in first
    assert "checked" not in first, "none is recommended"
    assert client.post("/my/break/effect/", {"offer": "for ever"}).status_code == 422
    second = client.post("/my/break/effect/", {"offer": offer}).content.decode()
    assert [words for words in (title, its_end, *SAID[language]) if words not in second] == []
    assert stopped(account) == set() and not GamingRequest.objects.exists(), "nothing happens before the button"
    answer = client.post("/my/break/start/", {"offer": offer})
    assert stopped(account) == {"deposit", "play", "marketing"}
    assert client.post("/my/break/start/", {"offer": offer})["Location"] == answer["Location"], "a second click"
    case = GamingRequest.objects.get()
    third = client.get(answer["Location"]).content.decode()
    assert case.number in third, "the receipt"
    assert SAID[language][2] in third
    assert case.opened_by == f"player:{account.pk}"
    assert case.messages.get().language == "tr"
    for screen in (first, second, third):
        assert f'<html lang="{language}"' in screen
        assert [word for word in NEVER[language] if word in screen.lower()] == []


def test_what_the_policy_stops_is_told_before_the_act_and_nothing_else_is_promised(house, own_language, monkeypatch):
    """EXC.STOPS, EXC.ENDED_NOW and EXC.WITHDRAWALS reach the page, the gate and the platform alike."""
    account, client = a_player(house, "Ada Su"), Client()
    policy = policy_of(account.licensee, on=account.licensee.today())
    rules = policy.exclusions

    def saying(**values):
        changed = {
            name: value and getattr(rules, name).model_copy(update={"value": value}) for name, value in values.items()
        }
        return policy.model_copy(update={"exclusions": rules.model_copy(update=changed)})

    everything = ("deposit", "play", "withdraw", "marketing")
    other = saying(stops=everything, ended_now=("sessions", "open_bets"), withdrawals=None)
    for module in (services, orders, offers):
        monkeypatch.setattr(module, "policy_of", lambda *about, **on: other)
    client.cookies[COOKIE] = visit_token(account)
    client.cookies["django_language"] = "en"
    offer = {"offer": "time_out:24:hour"}
    second = client.post("/my/break/effect/", offer).content.decode()
    assert "deposits, play, withdrawals and advertising." in second
    assert "Bets that run are void, and you get the stake back." in second
    third = client.post("/my/break/start/", offer, follow=True).content.decode()
    for page in (client.get("/my/break/").content.decode(), second, third):
        assert "withdraw your money" not in page
    assert stopped(account) == set(everything)
    deliver(StopOrder.objects.get())
    said = Event.objects.get(type="account.stop").data
    assert said["ends"] == ["sessions", "open_bets", "marketing"]
    assert (said["open_bets"], said["withdrawals"]) == ("void", "stopped")


def test_a_policy_that_would_keep_the_players_money_is_refused():
    rules = policy_for("MT", on=date(2026, 11, 23)).exclusions.model_dump(exclude_none=True)
    with pytest.raises(ValidationError, match="write true, or leave it out"):
        Exclusions(**rules | {"withdrawals": rules["withdrawals"] | {"value": False}})
