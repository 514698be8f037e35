"""The example platform: what it does at a stop, with a webhook that comes twice or is forged, without an answer."""

import json
import random
import sys
import time

import pytest
from django.conf import settings
from hypothesis import given
from hypothesis import strategies as st

from compliance.platform.webhooks import signing

sys.path.insert(0, str(settings.BASE_DIR / "clients" / "python"))
from mizan_client import Problem  # noqa: E402
from mizan_client.simulator import Platform  # noqa: E402

SECRET = signing.new_secret()
EFFECTS = ("sign_in", "deposit", "play", "withdraw", "marketing")


class Mizan:
    """Says what the test wants; remembers what it was told."""

    def __init__(self):
        self.stopped, self.fails, self.asked, self.confirmed, self.feed = False, None, 0, [], []
        self.state, self.item = "received", "missing"
        self.fits, self.no_limits, self.deaf, self.money, self.rows = None, False, False, [], []

    def register_customer(self, **facts):
        return "c-1"

    def open_account(self, **facts):
        pass

    def gate(self, account):
        self.asked += 1
        if self.fails:
            raise self.fails
        one = {"allowed": not self.stopped, "code": "play_stopped" if self.stopped else None, "until": None}
        return {"account": account, "stop": self.stopped, **dict.fromkeys(EFFECTS, one)}

    def check_limits(self, account, **facts):
        if self.no_limits:
            raise OSError
        return {"fits": self.fits}

    def report_money(self, account, *, currency, events):
        if self.deaf:
            raise OSError
        self.money += [(one["source_id"], one["kind"], one["amount"]) for one in events]

    def report_transactions(self, rows):
        self.rows += [(row["source_id"], row["kind"], row["amount"]) for row in rows]

    def confirm_stop(self, order, done):
        self.confirmed.append((order, done))

    def case(self, number):
        return {"state": self.state, "items": [{"purpose": "identity_front", "status": self.item}]}

    def customer(self, id):
        return {"id": id, "level": "L1"}

    def events(self, after=""):
        return iter([event for event in self.feed if event["id"] > after])


@pytest.fixture
def platform():
    platform = Platform(Mizan(), brand="lale", secret=SECRET)
    platform.player = platform.open("P-1")
    platform.player.playing = True
    return platform


def event(name="evt_1", type="account.gate.changed", account="P-1", **more):
    moment = "2026-11-22T06:04:11Z"
    return {"id": name, "type": type, "timestamp": moment, "licensee": "l", "data": {"account": account, **more}}


def tell(platform, sent, secret=SECRET):
    body = json.dumps(sent).encode()
    status = platform.hear(signing.headers([secret], sent["id"], int(time.time()), body), body)
    platform.settle()
    return status


def test_a_stop_ends_the_session_once(platform):
    assert tell(platform, event()) == 204
    assert platform.player.playing  # the gate allows: nothing to end
    platform._mizan.stopped = True
    assert [tell(platform, event("evt_2")) for _time in range(3)] == [204, 204, 204]
    assert not platform.player.playing
    counted = platform.counted
    assert (counted["stopped"], counted["heard"], counted["repeats"]) == (1, 2, 2)
    assert platform.report(1.0)["ok"] is True


def test_an_order_to_stop_is_obeyed_and_confirmed(platform):
    tell(platform, event(type="account.stop", order="o-1", ends=["sessions", "bonuses"]))
    assert not platform.player.playing
    assert platform._mizan.confirmed == [("o-1", ["sessions", "bonuses"])]


def test_what_a_case_asks_for_is_read_and_shown_until_it_is_over(platform):
    told = {"account": "P-1", "brand": "lale", "case": "K-1"}

    def hears(name, type):
        tell(platform, {**event(name, type), "data": told})
        return platform.player.to_bring["K-1"]

    assert hears("evt_1", "case.opened") == ["identity_front"]
    platform._mizan.item = "pending"
    assert hears("evt_2", "case.asked") == []  # the file came meanwhile: what is read is true
    platform._mizan.item = "returned"
    assert hears("evt_3", "case.document.refused") == ["identity_front"]
    platform._mizan.state = "finished"
    assert hears("evt_4", "case.ended") == []
    assert platform.counted["cases_read"] == 4 and platform._mizan.asked == 0


def test_a_new_level_is_read_and_a_type_that_is_not_known_is_left_alone(platform):
    tell(platform, {**event("evt_1", "customer.level.changed"), "data": {"customer": "c-1"}})
    tell(platform, event("evt_2", "account.sang"))
    tell(platform, {**event("evt_3", "customer.level.changed"), "data": {"customer": "c-2"}})
    assert platform.player.level == "L1" and platform.counted["levels"] == 1
    assert platform.report(1.0)["ok"] is True


class Chance:
    """A player who does what the test wants, with this amount."""

    def __init__(self, act, amount):
        self._act, self._amount = act, amount

    def choices(self, acts, weights):
        assert self._act in acts
        return [self._act]

    def randrange(self, low, high):
        return self._amount


def test_what_a_player_pays_is_asked_before_and_told_after(platform):
    mizan, player = platform._mizan, platform.player
    for fits in (None, True):
        mizan.fits = fits
        platform.visit(player, Chance("deposit", 5000))
    platform.visit(player, Chance("play", 2000))
    assert player.balance == 8000
    assert [told[1:] for told in mizan.money] == [("deposit", 5000), ("deposit", 5000), ("bet", 2000)]
    assert mizan.rows == mizan.money and len({told[0] for told in mizan.money}) == 3
    mizan.fits = False
    platform.visit(player, Chance("deposit", 5000))
    mizan.no_limits = True
    platform.visit(player, Chance("deposit", 5000))
    assert player.balance == 8000 and len(mizan.money) == 3


def test_what_could_not_be_told_is_told_later_under_the_same_id(platform):
    mizan, player = platform._mizan, platform.player
    mizan.deaf = True
    platform.visit(player, Chance("deposit", 5000))
    assert player.balance == 5000 and not platform.report(1.0)["ok"]
    mizan.deaf = False
    platform.visit(player, Chance("play", 2000))
    assert [told[1:] for told in mizan.money] == [("deposit", 5000), ("bet", 2000)]
    assert platform.report(1.0)["ok"]


def test_what_could_not_be_told_before_the_end_is_told_at_the_end(platform):
    mizan, player = platform._mizan, platform.player
    mizan.deaf = True
    platform.visit(player, Chance("deposit", 5000))
    mizan.deaf = False
    platform.settle()
    report = platform.report(1.0)
    assert report["ok"] and report["unreported.OSError"] == 1
    assert [told[1:] for told in mizan.money] == [("deposit", 5000)]


def test_what_is_forged_or_of_nobody_here_changes_nothing(platform):
    platform._mizan.stopped = True
    assert tell(platform, event(), secret=signing.new_secret()) == 400
    assert tell(platform, event(account="P-2")) == 204
    assert platform.player.playing and platform._mizan.asked == 0


def test_what_no_webhook_told_is_read(platform):
    platform._mizan.stopped, platform._mizan.feed = True, [event("evt_1"), event("evt_2")]
    tell(platform, event("evt_1", account="P-2"))
    assert platform.catch_up() == 1
    platform.settle()
    assert not platform.player.playing and platform.catch_up() == 0


def test_without_an_answer_nothing_goes_on(platform):
    """The client's own gate fails closed; an account that is not known there is a problem."""
    platform._mizan.fails = Problem(404, {"code": "not_found"})
    assert platform.may(platform.player, "deposit") is False
    assert not platform.player.playing
    assert platform.report(1.0)["problems"] == {"not_found": 1} and not platform.report(1.0)["ok"]


@given(st.integers(0, 10_000), st.lists(st.booleans(), min_size=1, max_size=60))
def test_nothing_happens_that_the_gate_refuses_and_nobody_owes(seed, stops):
    platform = Platform(Mizan(), brand="lale")
    player, chance = platform.open("P-1"), random.Random(seed)
    for stopped in stops:
        platform._mizan.stopped, before = stopped, player.balance
        platform.visit(player, chance)
        assert player.balance >= 0
        if stopped:
            assert player.balance == before
