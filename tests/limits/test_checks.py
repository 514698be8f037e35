"""How much is possible now, over the API as the platform asks: from events, with room set aside, and never twice."""

import json
from datetime import timedelta

import pytest
from django.utils import timezone

from audit.models import Entry
from cases.types.gaming.limits.models import MoneyEvent, Reservation
from compliance.people.services import restrict
from tests.limits.conftest import a_key, a_player

pytestmark = pytest.mark.django_db


class Platform:
    """The operator's platform about one account."""

    def __init__(self, client, account, headers, currency="EUR"):
        self.client, self.account, self.headers, self.currency = client, account, headers, currency

    def post(self, path, body, **headers):
        address = f"/api/v1/accounts/{self.account.reference}/{path}"
        return self.client.post(
            address, json.dumps(body), content_type="application/json", headers=self.headers | headers
        )

    def limit(self, amount, measure="deposit", span="month", **more):
        currency = "" if measure == "session" else self.currency
        body = {"measure": measure, "span": span, "amount": amount, "currency": currency} | more
        answer = self.post("limits", body)
        assert answer.status_code == 201, answer.content
        return answer.json()

    def check(self, act="deposit", **more):
        answer = self.post("limit-checks", {"act": act, "currency": self.currency} | more)
        assert answer.status_code == 200, answer.content
        return answer.json()

    def report(self, *events, **headers):
        now = timezone.now()
        body = [
            {"source_id": source, "kind": kind, "amount": amount, "at": (now - ago).isoformat()}
            for source, kind, amount, ago in events
        ]
        return self.post("money-events", {"currency": self.currency, "events": body}, **headers)


NOW, OLD = timedelta(0), timedelta(days=40)


@pytest.fixture
def at(world, client):
    """`at("DE")`: a platform of a licensee there, with one account."""

    def at(jurisdiction="MT", **facts):
        account, _player = a_player(jurisdiction, **facts)
        world.licensee = account.licensee
        _key, headers = a_key(world)
        return Platform(client, account, headers)

    return at


def test_the_lowest_of_all_limits_in_force_counts_and_says_why(at, django_assert_num_queries):
    platform = at()
    assert platform.check()["allowed"] is None
    platform.limit(50_000)
    platform.limit(20_000, span="day", window="rolling")
    platform.report(("a", "deposit", 5_000, NOW), ("b", "deposit", 40_000, OLD), ("c", "withdrawal", 5_000, NOW))
    with django_assert_num_queries(6):  # the key, the account, what stands, the rules, what is used, the gate
        found = platform.check(amount=15_001)
    assert (found["allowed"], found["code"], found["fits"]) == (15_000, "limit", False)
    assert {(why["span"], why["limit"], why["used"], why["left"]) for why in found["why"]} == {
        ("month", 50_000, 5_000, 45_000),
        ("day", 20_000, 5_000, 15_000),
    }
    assert platform.check(amount=15_000)["fits"] is True
    platform.report(("d", "deposit", 16_000, NOW))
    assert (platform.check()["allowed"], platform.check()["code"]) == (0, "limit_reached")


def test_losses_stakes_and_time_of_play(at):
    platform = at()
    platform.limit(10_000, measure="loss", span="day", window="rolling")
    platform.limit(50_000, measure="wager", span="day", window="rolling")
    platform.limit(3_600, measure="session", span="day", window="rolling")
    platform.report(("a", "bet", 8_000, NOW), ("b", "win", 5_000, NOW), ("c", "bet_void", 1_000, NOW))
    found = {why["measure"]: (why["used"], why["left"]) for why in platform.check("wager")["why"]}
    assert found == {"loss": (2_000, 8_000), "wager": (7_000, 43_000), "session": (0, 3_600)}
    assert platform.check("wager")["allowed"] == 8_000
    # Of a session that began before the stretch only what lies in it counts.
    platform.report(("s", "session", 7_200, timedelta(hours=24) - timedelta(minutes=30)))
    session = next(why for why in platform.check("wager")["why"] if why["measure"] == "session")
    assert 1_799 <= session["used"] <= 1_801
    platform.report(("t", "session", 3_000, NOW))
    assert (platform.check("wager")["allowed"], platform.check("wager")["code"]) == (0, "limit_reached")
    assert platform.check("deposit")["allowed"] is None


def test_room_is_set_aside_until_it_is_reported_given_back_or_over(at):
    platform = at()
    platform.limit(10_000)
    first = platform.check(amount=6_000, reserve=True, source_id="PAY-1")
    assert (first["fits"], first["reservation"]["amount"]) == (True, 6_000)
    again = platform.check(amount=6_000, reserve=True, source_id="PAY-1")
    assert again["reservation"] == first["reservation"], "asked again it is the same room"
    assert platform.check(amount=6_000, reserve=True, source_id="PAY-2")["reservation"] is None
    assert platform.check()["allowed"] == 4_000
    assert platform.report(("PAY-1", "deposit", 6_000, NOW)).json() == {"taken": 1, "known": 0}
    assert platform.check()["why"][0] | {"used": 6_000, "reserved": 0} == platform.check()["why"][0]
    assert platform.check(amount=4_000, reserve=True, source_id="PAY-3")["fits"] is True
    assert platform.post("reservations/PAY-3/release", {}).json() == {"released": True}
    assert platform.post("reservations/PAY-3/release", {}).json() == {"released": False}
    assert platform.check(amount=4_000, reserve=True, source_id="PAY-4")["fits"] is True
    Reservation.objects.filter(source_id="PAY-4").update(expires_at=timezone.now())
    assert platform.check()["allowed"] == 4_000
    other = platform.post(
        "limit-checks", {"act": "deposit", "currency": "EUR", "amount": 1, "reserve": True, "source_id": "PAY-4"}
    )
    assert other.status_code == 422, "the same id for another amount"
    written = set(Entry.objects.filter(actor_kind="key").values_list("action", flat=True))
    assert {"limits.reserve", "limits.release", "limits.take_events"} <= written


def test_an_event_counts_once_and_one_that_differs_refuses_them_all(at):
    platform = at()
    platform.limit(10_000)
    event = ("a", "deposit", 1_000, NOW)
    moment = timezone.now().isoformat()
    body = {"currency": "EUR", "events": [{"source_id": "a", "kind": "deposit", "amount": 1_000, "at": moment}]}
    assert platform.post("money-events", body).json() == {"taken": 1, "known": 0}
    assert platform.post("money-events", body).json() == {"taken": 0, "known": 1}
    refused = platform.report(("b", "deposit", 1, NOW), event)
    assert (refused.status_code, refused.json()["code"]) == (409, "event_differs")
    assert MoneyEvent.objects.filter(account=platform.account).count() == 1
    wrong = platform.report(("c", "deposit", 5, -timedelta(hours=1)), ("c", "deposit", 5, NOW))
    assert wrong.status_code == 422
    assert "events[0].at" in wrong.content.decode() and "twice" in wrong.content.decode()
    other = platform.post("limit-checks", {"act": "deposit", "currency": "TRY"})
    assert (other.status_code, other.json()["code"]) == (422, "other_currency")


def test_a_lowering_counts_what_was_there_before(at):
    platform = at()
    platform.limit(10_000, window="fixed")
    platform.report(("a", "deposit", 4_000, NOW))
    platform.limit(5_000)
    assert platform.check()["allowed"] == 1_000, "a new limit begins no new stretch"


def test_what_the_law_says_counts_beside_the_players_limit(at):
    """DE: no deposit without a limit, 1,000 EUR for everybody; NL: 300 EUR net for the young; ES: defaults."""
    germany = at("DE")
    assert (germany.check()["allowed"], germany.check()["code"]) == (0, "limit_needed")
    assert germany.check("wager")["code"] == "limit_needed"
    germany.limit(90_000)
    assert germany.check()["allowed"] == 90_000
    assert {why["ref"] for why in germany.check()["why"]} >= {"DE.RG.LIMIT.CAP"}
    spain = at("ES")
    assert {(why["ref"], why["span"], why["left"]) for why in spain.check()["why"]} == {
        ("ES.RG.LIMIT.DEFAULTS", "day", 60_000),
        ("ES.RG.LIMIT.DEFAULTS", "week", 150_000),
        ("ES.RG.LIMIT.DEFAULTS", "month", 300_000),
    }
    young = at("NL", born=(timezone.now() - timedelta(days=20 * 365)).date())
    assert young.check()["code"] == "limit_needed"
    young.limit(30_000)
    assert young.check("wager")["code"] == "limit_needed", "time of play is asked for as well"
    young.limit(7_200, measure="session", span="day")
    assert young.check("wager")["allowed"] is None
    young.report(("a", "deposit", 30_000, NOW), ("b", "withdrawal", 10_000, NOW))
    net = next(why for why in young.check()["why"] if why["source"] == "law" and why["limit"] == 30_000)
    assert (net["used"], net["left"], young.check()["allowed"]) == (20_000, 10_000, 0)  # their own limit is gross


def test_what_the_gate_stops_leaves_nothing(at, world):
    platform = at()
    facts = {"cover_code": "play_stopped", "source": "protection", "by": world.alice}
    restrict(platform.account, stops=["play"], **facts)
    assert (platform.check("wager")["allowed"], platform.check("wager")["code"]) == (0, "play_stopped")
    assert platform.check("deposit")["allowed"] is None


def test_limits_over_the_api_from_the_first_to_a_raise_withdrawn(at, client):
    platform = at()
    first = platform.limit(10_000)
    raised = platform.limit(20_000)
    assert (raised["state"], raised["raises"]) == ("waiting", True)
    read = client.get(f"/api/v1/accounts/{platform.account.reference}/limits", headers=platform.headers).json()
    assert [one["receipt"] for one in read["in_force"]] == [first["receipt"]]
    assert [one["receipt"] for one in read["asked"]] == [raised["receipt"]]
    early = platform.post(f"limits/{raised['receipt']}/confirm", {})
    assert (early.status_code, early.json()["code"]) == (422, "conditions_not_met")
    assert platform.post(f"limits/{raised['receipt']}/withdraw", {}).json()["state"] == "cancelled"
    assert platform.post(f"limits/{raised['receipt']}/confirm", {}).status_code == 409
    assert platform.post("limits/LIM-NOTHING/confirm", {}).status_code == 404
    once = {"Idempotency-Key": "k1"}
    body = {"measure": "deposit", "span": "day", "amount": 5, "currency": "EUR"}
    assert platform.post("limits", body, **once).json() == platform.post("limits", body, **once).json()
    elsewhere = at("GB")
    assert elsewhere.post("limits", body).status_code == 201
    platform.headers = elsewhere.headers
    assert platform.post("limits", body).status_code == 404, "another licensee's key"
