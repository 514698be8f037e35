"""A request about play: done first, then a case that closes only when the platform confirmed."""

import json
import time
from datetime import timedelta
from types import SimpleNamespace
from unittest import mock

import pytest
from django.db import connection
from django.db.models.functions import Now
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from audit.actors import system
from audit.models import Entry
from audit.perform import ConditionsNotMet, Denied
from cases.oversight import delays
from cases.types.gaming import acts, orders, services
from cases.types.gaming.limits.models import Ledger
from cases.types.gaming.models import GamingRequest, StopOrder
from compliance.people.exclusions import clock
from compliance.people.exclusions import services as exclusions
from compliance.people.exclusions.models import Duplicate, Exclusion
from compliance.people.models import Customer
from compliance.people.restrictions import in_force
from compliance.people.services import create_brand, create_licensee, create_user, open_account
from compliance.platform.webhooks.models import Event
from compliance.policy.records import Period
from compliance.proposals.queries import SecondPersonNeeded
from compliance.proposals.services import SamePerson, confirm, propose
from documents.keeping import reach
from tests.gaming.kept_out import a_player, excluded, stopped

HALF_A_YEAR = Period(amount=6, unit="month")
OUT = {"deposit", "play", "marketing"}


def kept_out(world, account, **more):
    given = {
        "kind": "self_exclusion",
        "period": HALF_A_YEAR,
        "by": world.alice,
        "via": "phone",
        "words": "I lost it all",
    }
    return services.keep_out(account, **given | more)


def deliver(order):
    """What a worker does with the row."""
    orders.tell(mock.Mock(payload={"order_id": str(order.pk)}))


def test_the_act_comes_first_and_the_case_waits_for_the_platform(house):
    account = a_player(house, "Ada Su")
    exclusion, case = kept_out(house, account)
    assert stopped(account) == OUT
    assert case.number.startswith("GAM-")
    order = StopOrder.objects.get(account=account)
    assert order.left == ["sessions", "scheduled_deposits", "bonuses", "marketing"]
    deliver(order)
    event = Event.objects.get(type="account.stop")
    assert event.data == {
        "account": account.reference,
        "brand": "brand",
        "order": str(order.pk),
        "ends": order.left,
        "open_bets": "stand",
        "withdrawals": "open",
    }
    services.review(case, by=house.grace)
    services.write_interaction(
        case, by=house.grace, signs=["losses"], advice=["help_line"], outcome="accepted", note="She will call"
    )
    with pytest.raises(ConditionsNotMet, match="did not confirm"):
        services.settle(case, by=house.grace)
    with pytest.raises(ConditionsNotMet, match="was not ordered"):
        orders.confirm(order, ["everything"], by=house.key)
    orders.confirm(order, ["sessions", "marketing"], by=house.key)
    # Told again what is left, until nothing is.
    StopOrder.objects.update(next_at=Now() - timedelta(seconds=1))
    assert services.sweep()["told_again"] == 1
    assert services.sweep()["told_again"] == 0
    order.refresh_from_db()
    assert (order.sent, order.left) == (2, ["scheduled_deposits", "bonuses"])
    orders.confirm(order, order.left, by=house.key)
    assert services.settle(case, by=house.grace).outcome == "kept_out"
    assert exclusion.is_live
    assert stopped(account) == OUT
    measured = {name: how_long(name, house.carol) for name in delays.delays() if name.startswith(("gaming", "stop"))}
    assert [(name, len(rows), rows[0].seconds is not None) for name, rows in measured.items()] == [
        ("gaming_opened_to_review", 1, True),
        ("gaming_opened_to_settled", 1, True),
        ("stop_order_to_confirmation", 1, True),
    ]
    assert {(row.number, row.player) for row in measured["stop_order_to_confirmation"]} == {
        ("", str(account.customer_id))
    }
    assert [row.number for row in measured["gaming_opened_to_settled"]] == [case.number]
    stranger = create_user(email="nobody@example.com", name="Nobody", by=system())
    assert how_long("stop_order_to_confirmation", stranger) == []


def how_long(name, user):
    now = timezone.now()
    return list(delays.taken(delays.delays()[name], now - timedelta(days=1), now + timedelta(days=1), user=user))


def test_the_account_is_held_before_a_number_is_taken(house):
    """A reported deposit goes the same way: account, then number. The other way round the two would wait for ever."""
    account = a_player(house, "Ali Veli")
    with CaptureQueriesContext(connection) as said:
        kept_out(house, account)
    asked = [query["sql"] for query in said]
    held = next(at for at, sql in enumerate(asked) if Ledger._meta.db_table in sql and "FOR UPDATE" in sql)
    numbered = next(at for at, sql in enumerate(asked) if "last = series.last" in sql)
    assert held < numbered


def test_a_second_click_is_the_same_request_and_without_a_queue_the_player_is_out_all_the_same(house):
    account = a_player(house, "Ada Su")
    first, case = kept_out(house, account)
    assert kept_out(house, account) == (first, case)
    with mock.patch.object(services.engine, "open_case", side_effect=services.engine.NoQueue):
        other = a_player(house, "Nil Su")
        exclusion, nothing = kept_out(house, other)
    assert (nothing, stopped(other)) == (None, OUT)
    assert exclusion.matter == ""


def test_more_than_a_moment_ago_is_no_second_click(house):
    account = a_player(house, "Ada Su")
    first, _case = kept_out(house, account)
    longer, _case = kept_out(house, account, period=Period(amount=5, unit="year"))
    assert longer.pk != first.pk and longer.term_ends_at > first.term_ends_at
    assert kept_out(house, account)[0] == longer


def test_what_another_licensee_agreed_on_for_itself_is_not_told_here(house, client):
    account = a_player(house, "Ada Su")
    other = create_licensee(name="M", slug=f"m-{house.team.slug}", jurisdiction="MT", time_zone="UTC", by=system())
    brand = create_brand(licensee=other, name="M", slug="m", by=system())
    there = a_player(SimpleNamespace(licensee=other, brand=brand, alice=house.alice), "Nil Su")
    Customer.objects.filter(pk=there.customer_id).update(person=account.customer.person_id)
    there.refresh_from_db()
    path = f"/api/v1/accounts/{account.reference}/exclusions"
    own = excluded(there, scope="licensee", matter="GAM-26-000001-1")
    assert client.get(path, headers=house.headers).json()["running"] == []
    back = client.post(
        f"{path}/{own.pk}/return", {}, content_type="application/json", headers=house.headers | {"Idempotency-Key": "k"}
    )
    assert back.status_code == 404
    shared = excluded(there, scope="group", term="5 year", matter="GAM-26-000002-2")
    [row] = client.get(path, headers=house.headers).json()["running"]
    assert (row["id"], row["number"]) == (str(shared.pk), None)


def test_a_time_out_closes_by_itself_once_confirmed(house):
    account = a_player(house, "Ada Su")
    _exclusion, case = kept_out(house, account, kind="time_out", period=Period(amount=24, unit="hour"))
    assert services.sweep()["settled"] == 0
    order = StopOrder.objects.get(account=account)
    orders.confirm(order, order.parts, by=house.key)
    assert services.sweep()["settled"] == 1
    assert GamingRequest.objects.get(pk=case.pk).outcome == "kept_out"


def test_accounts_that_come_later_are_ordered_to_stop_too(house):
    account = a_player(house, "Ada Su")
    kept_out(house, account)
    new = open_account(customer=account.customer, brand=house.brand, reference="P-later", by=house.alice)
    assert orders.sweep()["ordered"] == 1
    assert orders.sweep()["ordered"] == 0
    assert StopOrder.objects.filter(account=new).count() == 1


# ----------------------------------------------------------------------------------------------------- the compartment
def test_what_was_said_and_noticed_is_for_responsible_gaming_officers(house):
    account = a_player(house, "Ada Su")
    _exclusion, case = kept_out(house, account)
    services.write_interaction(
        case, by=house.grace, signs=["distress"], advice=["break"], outcome="thinking", note="He sounded tired"
    )
    assert services.words_of(case, by=house.grace) == "I lost it all"
    [(row, note)] = services.interactions_of(case, by=house.grace)
    assert (row.signs, note) == (["distress"], "He sounded tired")
    for person in (house.alice, house.bob, house.carol):
        with pytest.raises(Denied):
            services.words_of(case, by=person)
        with pytest.raises(Denied):
            services.interactions_of(case, by=person)
    entries = " ".join(bytes(entry).decode("latin-1") for entry in Entry.objects.values_list("entry", flat=True))
    for word in ("lost it all", "tired", "distress", "self_exclusion"):
        assert word not in entries
    reach.empty(account.customer)
    assert not case.interactions.exclude(signs=[], note_sealed=None).exists()


# ------------------------------------------------------------------------------------------------------------ returns
def a_return(house, account):
    exclusion = excluded(account, ago=timedelta(days=400))
    exclusions.sweep()
    return services.ask_return(exclusion, account, channel="phone", words="I feel better", by=house.alice)


def test_a_return_takes_two_officers_time_and_the_players_own_word(house):
    account = a_player(house, "Ada Su")
    asked, case = a_return(house, account)
    with pytest.raises(SecondPersonNeeded):
        acts.accept_return(asked, by=house.bob, reason="player_asked")
    proposal = propose(acts.ACCEPT, asked, by=house.alice, reason="player_asked")
    with pytest.raises(SamePerson):
        confirm(proposal, by=house.alice)
    soon = clock.now() + timedelta(seconds=1)
    with mock.patch.object(exclusions, "reflecting", return_value=(soon, None)):
        confirm(proposal, by=house.bob)
    cooling = Exclusion.objects.get(pk=asked.pk)
    assert cooling.state == "cooling"
    assert stopped(account) == OUT
    with pytest.raises(ConditionsNotMet, match="reflect"):
        services.confirm_return(cooling, by=house.key)
    time.sleep(1.1)
    over = services.confirm_return(cooling, by=house.key)
    assert over.state == "ended"
    assert stopped(account) == {"marketing"}, "marketing stays off until the player asks"
    assert [row.cover_code for row in in_force(account.customer)] == ["marketing_off"]
    assert services.settle(case, by=house.grace).outcome == "let_back"


def test_a_player_who_thinks_better_of_it_stays_out(house):
    account = a_player(house, "Ada Su")
    asked, _case = a_return(house, account)
    proposal = propose(acts.ACCEPT, asked, by=house.alice, reason="player_asked")
    back = exclusions.take_back_return(asked, by=house.key)
    assert (back.state, back.return_asked_at) == ("active", None)
    with pytest.raises(Exception, match="evidence changed|has not asked"):
        confirm(proposal, by=house.bob)
    assert stopped(account) == OUT


def test_the_wrong_person_is_let_go_by_two(house):
    account = a_player(house, "Ada Su")
    exclusion, case = kept_out(house, account)
    proposal = propose(acts.ANNUL, exclusion, by=house.alice, reason="wrong_person", note="Another Ada")
    assert stopped(account) == OUT
    confirm(proposal, by=house.bob)
    assert stopped(account) == set()
    assert Exclusion.objects.get(pk=exclusion.pk).state == "annulled"
    assert not in_force(account.customer).exists()


def test_a_duplicate_is_cleared_by_two_and_stays_cleared(house):
    account = house.account()
    kept_out(house, account)
    other = house.account(full_name="Can Er")
    duplicate = Duplicate.objects.get(customer=other.customer)
    assert stopped(other) == OUT
    assert orders.sweep()["ordered"] == 1
    proposal = propose(acts.CLEAR, duplicate, by=house.alice, reason="another_person", note="Passport seen")
    confirm(proposal, by=house.bob)
    assert stopped(other) == set()
    kept_out(house, account, kind="time_out", period=Period(amount=24, unit="hour"))
    assert stopped(other) == set(), "two persons looked at this pair"


# --------------------------------------------------------------------------------------------------------- the doors
def test_the_platform_keeps_a_player_out_and_confirms(house):
    account, client = a_player(house, "Ada Su"), Client()
    base = f"/api/v1/accounts/{account.reference}/exclusions"

    def post(path, body, key):
        headers = {**house.headers, "Idempotency-Key": key}
        return client.post(path, json.dumps(body), content_type="application/json", headers=headers)

    offers = client.get(base, headers=house.headers).json()["offers"]
    assert [offer["code"] for offer in offers][:1] == ["time_out:24:hour"]
    short = post(base, {"kind": "self_exclusion", "period": {"amount": 1, "unit": "month"}}, "a")
    assert short.status_code == 422
    assert "at least 6 months" in short.content.decode()
    made = post(base, {"kind": "self_exclusion", "period": {"amount": 6, "unit": "month"}}, "b")
    assert made.status_code == 201, made.content
    gate = client.get(f"/api/v1/accounts/{account.reference}/gate", headers=house.headers).json()
    assert gate["stop"] is True
    assert gate["play"] == {"allowed": False, "code": "self_excluded", "until": None}
    assert gate["withdraw"]["allowed"] is True
    early = post(f"{base}/{made.json()['id']}/return", {"words": "please"}, "c")
    assert early.status_code == 422
    [order] = client.get("/api/v1/stop-orders", headers=house.headers).json()
    done = post(f"/api/v1/stop-orders/{order['id']}/confirmations", {"done": order["ends"]}, "d")
    assert done.json()["ends"] == []
    assert client.get("/api/v1/stop-orders", headers=house.headers).json() == []
    assert client.delete(f"{base}/{made.json()['id']}", headers=house.headers).status_code in (404, 405)


def test_orders_to_stop_are_read_to_their_end(house):
    for name in ("Ada Su", "Bora Taş", "Cem Kum"):
        kept_out(house, a_player(house, name))
    client = Client()

    def read(query=""):
        return client.get(f"/api/v1/stop-orders{query}", headers=house.headers)

    everything = [one["id"] for one in read().json()]
    assert len(everything) == 3
    first = [one["id"] for one in read("?limit=2").json()]
    # The cursor is a place: what is confirmed meanwhile moves nothing.
    StopOrder.objects.filter(pk=first[-1]).update(confirmed_at=timezone.now())
    assert first + [one["id"] for one in read(f"?limit=2&after={first[-1]}").json()] == everything
    unknown = read("?after=00000000-0000-0000-0000-000000000000")
    assert (unknown.status_code, unknown.json()["code"]) == (400, "bad_cursor")


def test_the_pages_of_staff(house):
    account = a_player(house, "Ada Su")
    alice, grace = Client(), Client()
    alice.force_login(house.alice)
    grace.force_login(house.grace)
    assert alice.get("/cases/new/gaming/").status_code == 200
    typed = {
        "reference": account.reference,
        "offer": "self_exclusion:6:month",
        "asked_by": "third_party",
        "via": "phone",
        "words": "My brother asks you to stop him",
    }
    assert "no player with this number" in alice.post("/cases/new/gaming/", typed | {"reference": "x"}).content.decode()
    answer = alice.post("/cases/new/gaming/", typed)
    case = GamingRequest.objects.get()
    assert answer["Location"] == f"/cases/{case.number}/"
    assert stopped(account) == OUT
    assert not case.messages.exists(), "who asks for somebody else is told nothing, and the player is not surprised"
    shown = alice.get(answer["Location"]).content.decode()
    assert "In force" in shown
    assert "not confirmed yet" in shown
    assert "My brother" not in shown
    assert alice.get(f"/cases/{case.number}/interaction/").status_code == 403
    page = grace.get(f"/cases/{case.number}/interaction/").content.decode()
    assert "My brother asks you to stop him" in page
    noted = {"signs": ["family"], "advice": ["register"], "outcome": "not_reached"}
    assert grace.post(f"/cases/{case.number}/interaction/", noted).status_code == 302
    assert grace.get(f"/cases/{case.number}/return/").status_code == 200
    assert grace.get(f"/cases/{case.number}/return/confirm/").status_code == 200
    assert grace.post(f"/cases/{case.number}/look-after/").status_code == 302
    assert grace.post(f"/cases/{case.number}/settle/").status_code == 422, "the platform has not confirmed"


def test_staff_of_several_licensees_are_offered_the_terms_of_the_players_own(house, under):
    """Two licensees may use one number for two players, and their rules offer different terms."""
    here = a_player(house, "Ada Su")
    there, _player = under("GB")
    type(there).objects.filter(pk=there.pk).update(reference=here.reference)
    there.refresh_from_db()
    alice = Client()
    alice.force_login(house.alice)
    chosen = alice.get("/cases/new/gaming/").content.decode()
    assert "<textarea" not in chosen
    for licensee in (house.licensee, there.licensee):
        assert f"?licensee={licensee.slug}" in chosen
    page = f"/cases/new/gaming/?licensee={there.licensee.slug}"
    offered = alice.get(page).content.decode()
    assert "self_exclusion:12:month" in offered and "self_exclusion:open" not in offered
    typed = {"reference": here.reference, "asked_by": "self", "via": "phone", "words": "Stop me"}
    assert alice.post(page, typed | {"offer": "self_exclusion:open"}).status_code == 422
    assert alice.post("/cases/new/gaming/?licensee=elsewhere", typed).status_code == 200
    assert stopped(there) == stopped(here) == set()
    assert alice.post(page, typed | {"offer": "self_exclusion:12:month"}).status_code == 302
    assert stopped(there) == OUT
    assert stopped(here) == set(), "another player with the same number"
