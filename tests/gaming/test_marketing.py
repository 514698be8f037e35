"""Marketing after an exclusion: off, until the player wants it and the rules let them."""

import time
from datetime import date, timedelta
from unittest import mock

import pytest
from django.test import Client

from audit.models import Entry
from audit.perform import ConditionsNotMet, Denied
from cases.types.gaming import acts, services
from compliance.people.exclusions import clock
from compliance.people.exclusions import services as exclusions
from compliance.people.exclusions.models import Exclusion
from compliance.people.models import Customer
from compliance.policy.records import Period, Table
from compliance.policy.schema import TwoPersons
from compliance.proposals.acts import lookup
from compliance.proposals.queries import SecondPersonNeeded
from compliance.proposals.services import SamePerson, confirm, propose
from tests.gaming.kept_out import a_player, excluded, stopped
from tests.gaming.test_requests import OUT, a_return, kept_out

WISH = "asked_in_writing"


def over(house, account, **more):
    """An exclusion of a month that ended by itself, and its case."""
    with mock.patch.object(clock, "now", return_value=clock.now() - timedelta(days=100)):
        exclusion, case = kept_out(house, account, **{"period": Period(amount=1, unit="month")} | more)
    exclusions.sweep()
    return Exclusion.objects.get(pk=exclusion.pk), case


def test_the_player_asks_and_two_persons_allow_it(house, under):
    account, _player = under("SE")
    ended, _case = over(house, account)
    assert (ended.state, stopped(account)) == ("ended", {"marketing"})
    with pytest.raises(SecondPersonNeeded):
        acts.allow_marketing(ended, by=house.bob, reason=WISH)
    for stranger in (house.carol, house.mallory):
        with pytest.raises(Denied):
            propose(acts.ALLOW, ended, by=stranger, reason=WISH)
    proposal = propose(acts.ALLOW, ended, by=house.alice, reason=WISH)
    with pytest.raises(SamePerson):
        confirm(proposal, by=house.alice)
    assert stopped(account) == {"marketing"}
    confirm(proposal, by=house.bob)
    assert stopped(account) == set()
    lifted = Entry.objects.filter(action="people.lift_restriction").order_by("id").last()
    assert WISH.encode() in bytes(lifted.entry)
    with pytest.raises(ConditionsNotMet, match="not off"):
        propose(acts.ALLOW, ended, by=house.alice, reason=WISH)


@pytest.fixture
def named(monkeypatch):
    """A policy that asks for two persons where the exclusion was heavy, and else for one."""
    said = {"id": "OP.FOUR_EYES.GAMING_ALLOW_MARKETING", "text": {"en": "After a heavy exclusion.", "tr": "Ağır."}}
    why = {"en": "Two persons: the exclusion was heavy.", "tr": "İki kişi."}
    when = [{"fact": "exclusion", "one_of": ["without_end", "third_party"], "why": why}]
    of = {
        "modality": "operator_default",
        "source": "operator",
        "confidence": "INF",
        "last_verified": date(2026, 11, 22),
    }
    rule = TwoPersons.model_validate(said | of | {"when": when})
    found = acts._today

    def today(licensee):
        policy = found(licensee)
        eyes = policy.four_eyes.model_copy(update={"acts": Table({**policy.four_eyes.acts, acts.ALLOW: rule})})
        return policy.model_copy(update={"four_eyes": eyes})

    monkeypatch.setattr(acts, "_today", today)


def test_one_is_enough_where_the_policy_says_so_and_that_one_may_decide(house, under, named):
    account, _player = under("SE")
    ended, _case = over(house, account)
    for somebody in (house.alice, house.carol, house.mallory):
        with pytest.raises(Denied):
            acts.allow_marketing(ended, by=somebody, reason=WISH)
    with pytest.raises(ConditionsNotMet, match="reason"):
        acts.allow_marketing(ended, by=house.bob, reason="cause_gone")
    assert stopped(account) == {"marketing"}
    acts.allow_marketing(ended, by=house.bob, reason=WISH)
    assert stopped(account) == set()


@pytest.mark.parametrize(
    ("asked", "two"), [({}, False), ({"term": "open"}, True), ({"asked_by": "third_party", "term": "3 month"}, True)]
)
def test_the_policy_knows_how_heavy_the_exclusion_was(house, under, named, asked, two):
    account, _player = under("SE")
    need = lookup(acts.ALLOW).need(excluded(account, **asked))
    assert (need.two, need.rule) == (two, "OP.FOUR_EYES.GAMING_ALLOW_MARKETING")


def test_TR_EXC_MARKETING_AFTER_nobody_can_ask_for_it(house):
    account = a_player(house, "Ada Su")
    asked, _case = a_return(house, account)
    proposal = propose(acts.ACCEPT, asked, by=house.alice, reason="player_asked")
    with mock.patch.object(exclusions, "reflecting", return_value=(clock.now() + timedelta(seconds=0.5), None)):
        confirm(proposal, by=house.bob)
    time.sleep(0.6)
    ended = services.confirm_return(Exclusion.objects.get(pk=asked.pk), by=house.key)
    with pytest.raises(ConditionsNotMet, match="let nobody receive marketing"):
        propose(acts.ALLOW, ended, by=house.alice, reason=WISH)
    assert stopped(account) == {"marketing"}


def test_where_one_licensee_of_the_person_may_not_it_stays_off_for_all(house, under):
    account, _player = under("SE")
    there = a_player(house, "Nil Su")
    Customer.objects.filter(pk=there.customer_id).update(person=account.customer.person_id)
    ended, _case = over(house, account)
    with pytest.raises(ConditionsNotMet, match="let nobody receive marketing"):
        propose(acts.ALLOW, ended, by=house.alice, reason=WISH)
    assert stopped(there) == {"marketing"}


def test_nothing_is_allowed_while_the_player_is_kept_out_again(house, under):
    account, _player = under("SE")
    ended, _case = over(house, account)
    assert acts.unmet_marketing(ended) == []
    kept_out(house, account, period=Period(amount=3, unit="month"))
    with pytest.raises(ConditionsNotMet, match="kept out"):
        propose(acts.ALLOW, ended, by=house.alice, reason=WISH)
    assert stopped(account) == OUT


def test_the_page_submits_it_for_approval(house, under):
    account, _player = under("SE")
    _ended, case = over(house, account)
    alice = Client()
    alice.force_login(house.alice)
    address = f"/cases/{case.number}/protection/marketing/"
    assert "second person confirms" in alice.get(address).content.decode()
    assert alice.post(address, {"reason": WISH, "note": "Letter of today"})["Location"] == f"/cases/{case.number}/"
    assert stopped(account) == {"marketing"}
    assert address not in alice.get(f"/cases/{case.number}/").content.decode(), "it waits already"


def test_the_page_where_one_is_enough(house, under, named):
    account, _player = under("SE")
    _ended, case = over(house, account)
    alice, bob = Client(), Client()
    alice.force_login(house.alice)
    bob.force_login(house.bob)
    address = f"/cases/{case.number}/protection/marketing/"
    assert address in bob.get(f"/cases/{case.number}/").content.decode()
    page = bob.get(address).content.decode()
    assert "without being asked" in page
    assert "second person" not in page
    assert bob.post(address, {"reason": "because"}).status_code == 422
    assert alice.post(address, {"reason": WISH}).status_code == 403
    assert stopped(account) == {"marketing"}
    assert bob.post(address, {"reason": WISH})["Location"] == f"/cases/{case.number}/"
    assert stopped(account) == set()
    assert address not in bob.get(f"/cases/{case.number}/").content.decode()
    assert bob.post(address, {"reason": WISH}).status_code == 422
