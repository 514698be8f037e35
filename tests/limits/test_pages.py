"""The player's own pages and the staff's: seen, asked, told before the act, confirmed; and closed to everybody else."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from audit.models import Entry
from cases.types.gaming.limits import services
from cases.types.gaming.limits.models import LimitChange
from cases.types.gaming.limits.player import Player
from tests.limits.conftest import a_key, a_player

pytestmark = pytest.mark.django_db


def text_of(answer):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


def entered(world, account, language="en"):
    """A browser that the platform sent here with a link."""
    account.language = language
    account.save(update_fields=["language"])
    world.licensee = account.licensee
    _key, headers = a_key(world)
    browser = Client()
    made = browser.post(f"/api/v1/accounts/{account.reference}/player-links", headers=headers)
    assert made.status_code == 200, made.content
    path = "/" + made.json()["url"].split("/", 3)[3]
    assert browser.get(path)["Location"] == "/my/limits/"
    return browser, path


def test_a_player_sets_lowers_raises_and_confirms(world):
    account, _player = a_player("TR", "Europe/Istanbul")
    browser, path = entered(world, account)
    assert Client().get(path).status_code == 403, "a link opens once"
    asked = {"measure": "deposit", "span": "month", "amount": "100", "currency": "TRY"}
    effect = browser.post("/my/limits/set/", asked)
    assert "It takes effect now" in text_of(effect)
    assert not LimitChange.objects.exists(), "saying what follows does nothing"
    receipt = browser.post("/my/limits/ask/", asked, follow=True)
    assert "Your limit holds now" in text_of(receipt)
    assert "verified list" not in text_of(receipt), "where nobody verified any, a player reads nothing of it"
    page = text_of(browser.get("/my/limits/"))
    assert "Deposits: TRY 100.00 each month" in page or "100.00" in page
    box = re.search(r"<input[^>]*name=\"amount\"[^>]*>", browser.get("/my/limits/").content.decode()).group(0)
    assert "value=" not in box and "placeholder=" not in box, "an empty box: nothing is suggested"
    higher = asked | {"amount": "200.50"}
    assert "You need to come back then and confirm it" in text_of(browser.post("/my/limits/set/", higher))
    browser.post("/my/limits/ask/", higher)
    change = LimitChange.objects.get(state="waiting")
    assert change.amount == 20_050
    early = browser.post(f"/my/limits/{change.receipt}/confirm/")
    assert (early.status_code, "waiting time is not over" in text_of(early)) == (422, True)
    removal = asked | {"remove": "1", "amount": ""}
    assert "Deposits: no limit each month" in text_of(browser.post("/my/limits/set/", removal))
    wrong = browser.post("/my/limits/ask/", asked | {"amount": "1.005"})
    assert (wrong.status_code, "Write thousands without a point or comma" in text_of(wrong)) == (422, True)
    browser.post(f"/my/limits/{change.receipt}/withdraw/")
    assert LimitChange.objects.get(pk=change.pk).state == "cancelled"
    actors = Entry.objects.filter(action="limits.ask").values_list("actor_kind", "actor_id")
    assert set(actors) == {("player", str(account.pk))}


def test_a_limit_is_set_lowered_and_raised_in_turkish(world):
    account, _player = a_player("TR", "Europe/Istanbul")
    browser, _path = entered(world, account, "tr")
    asked = {"measure": "deposit", "span": "week", "amount": "100,50", "currency": "TRY"}
    said = [
        (asked, "Şimdi geçerli olur.", "Limitiniz şimdi geçerli", "₺100,50"),
        (asked | {"amount": "90"}, "Şimdi geçerli olur.", "Limitiniz şimdi geçerli", "₺90,00"),
        (asked | {"amount": "500"}, "Sizin yerinize kimse onaylayamaz.", "İsteğinizi aldık", "₺500,00"),
    ]
    for given, before, after, amount in said:
        count = LimitChange.objects.count()
        effect = text_of(browser.post("/my/limits/set/", given))
        assert before in effect and amount in effect, "told before the act"
        assert LimitChange.objects.count() == count
        receipt = text_of(browser.post("/my/limits/ask/", given, follow=True))
        assert after in receipt and amount in receipt and "LIM-" in receipt
    for unclear in ("1,000", "1,5,0", "1.0,5.0", "50.000", "1.000.000", "1.5,00", "1.00,50", "1,000.50"):
        assert browser.post("/my/limits/set/", asked | {"amount": unclear}).status_code == 422
    states = dict(LimitChange.objects.values_list("amount", "state"))
    assert states == {10_050: "superseded", 9_000: "effective", 50_000: "waiting"}


def test_a_raise_whose_wait_is_over_is_confirmed_in_turkish(world):
    account, player = a_player("TR", "Europe/Istanbul")
    past = timezone.now() - timedelta(hours=25)
    facts = {"measure": "deposit", "span": "month", "currency": "TRY", "by": player}
    services.ask(account, amount=10_000, now=past, **facts)
    change = services.ask(account, amount=20_000, now=past, **facts)
    browser, _path = entered(world, account, "tr")
    page = browser.get("/my/limits/")
    assert 'lang="tr"' in page.content.decode()
    assert f"/my/limits/{change.receipt}/confirm/" in page.content.decode()
    assert browser.get(f"/my/limits/{change.receipt}/confirm/").status_code == 200
    assert LimitChange.objects.get(pk=change.pk).state == "waiting", "looking confirms nothing"
    assert browser.post(f"/my/limits/{change.receipt}/confirm/").status_code == 302
    assert LimitChange.objects.get(pk=change.pk).state == "effective"


def test_without_a_visit_and_with_another_players_nothing_is_shown(world):
    account, player = a_player()
    change = services.ask(account, measure="deposit", span="day", amount=1, currency="TRY", by=player)
    for path in ("/my/limits/", f"/my/limits/{change.receipt}/", "/my/limits/enter/forged/"):
        assert Client().get(path).status_code == 403
    stranger, _player = a_player("TR", licensee=account.licensee, brand=account.brand)
    browser, _path = entered(world, stranger)
    assert browser.get(f"/my/limits/{change.receipt}/").status_code == 404
    assert browser.post(f"/my/limits/{change.receipt}/withdraw/").status_code == 404
    browser.cookies["mizan_player"] = browser.cookies["mizan_player"].value + "x"
    assert browser.get("/my/limits/").status_code == 403


def test_staff_see_reduce_and_block(world, client):
    case = world.verification()
    account, player = case.account, Player(case.account_id)
    facts = {"measure": "deposit", "span": "month", "currency": "TRY", "by": player}
    services.ask(account, amount=10_000, **facts)
    change = services.ask(account, amount=20_000, **facts)
    client.force_login(world.alice, backend="compliance.people.access.backend.StaffBackend")
    page = client.get(f"/cases/{case.number}/limits/")
    assert page.status_code == 200
    assert change.receipt in page.content.decode()
    client.post(f"/cases/{case.number}/limits/{change.receipt}/block/", {"reason": "signs_of_harm"})
    assert LimitChange.objects.get(pk=change.pk).state == "blocked"
    lower = {"measure": "deposit", "span": "month", "amount": "50", "reason": "affordability"}
    assert client.post(f"/cases/{case.number}/limits/reduce/", lower).status_code == 302
    for unclear in ("5.000", "5,000"):
        refused = client.post(f"/cases/{case.number}/limits/reduce/", lower | {"amount": unclear})
        assert (refused.status_code, "Write thousands without" in text_of(refused)) == (422, True)
    higher = client.post(f"/cases/{case.number}/limits/reduce/", lower | {"amount": "60"})
    assert (higher.status_code, "staff may only reduce" in text_of(higher)) == (422, True)
    assert LimitChange.objects.get(imposed=True).amount == 5_000
    client.force_login(world.mallory, backend="compliance.people.access.backend.StaffBackend")
    assert client.get(f"/cases/{case.number}/limits/").status_code == 404
    client.force_login(world.carol, backend="compliance.people.access.backend.StaffBackend")
    assert client.post(f"/cases/{case.number}/limits/reduce/", lower | {"amount": "1"}).status_code == 403
    assert Entry.objects.filter(action="audit.read", matter=case.number, actor_id=str(world.alice.pk)).exists()
