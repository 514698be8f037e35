"""Care that becomes due: follow-ups, contacts that a rule asks for, a decision, a platform that does not confirm."""

import secrets
from datetime import date, timedelta
from unittest import mock

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from audit.models import Entry
from audit.perform import ConditionsNotMet
from cases.clocks.models import Clock
from cases.clocks.sweeping import sweep as sweep_clocks
from cases.contacts.models import Task
from cases.contacts.services import open_tasks
from cases.contacts.services import settle as settle_task
from cases.notices import sweeping
from cases.notices.models import Notice
from cases.types.gaming import acts, orders, services
from cases.types.gaming.limits import ledger
from cases.types.gaming.limits import services as limits
from cases.types.gaming.models import GamingRequest, StopOrder
from compliance.people.exclusions import clock
from compliance.proposals.services import confirm, propose
from tests.gaming.kept_out import a_player, excluded, stopped
from tests.gaming.test_requests import a_return, kept_out

HOUR, DAY, MINUTE = timedelta(hours=1), timedelta(days=1), timedelta(minutes=1)


def told(user, kind):
    return Notice.objects.filter(user=user, kind=kind).count()


# ---------------------------------------------------------------------------------------------------------- follow-up
def test_a_follow_up_becomes_due_on_its_day_though_the_case_is_closed(house):
    account = a_player(house, "Ada Su")
    _exclusion, case = kept_out(house, account)
    day = house.licensee.today() + timedelta(days=3)
    noted = {"signs": ["losses"], "advice": ["help_line"], "outcome": "thinking"}
    services.write_interaction(case, by=house.grace, follow_up_on=day, **noted)
    order = StopOrder.objects.get(account=account)
    orders.confirm(order, order.parts, by=house.key)
    services.settle(case, by=house.grace)
    starts = house.licensee.day_starts(day)
    sweeping.sweep(now=starts - MINUTE)
    assert told(house.grace, "contact") == 0
    sweeping.sweep(now=starts + MINUTE)
    sweeping.sweep(now=starts + HOUR)
    assert told(house.grace, "contact") == 1
    [task] = open_tasks(house.grace)
    assert (task.kind, task.due_at, task.made_by) == ("contact", starts, house.grace)
    assert settle_task(task, by=house.grace, outcome="reached").state == "closed"


def test_a_follow_up_lies_in_the_future_and_its_words_tell_nothing_of_health(house):
    account = a_player(house, "Ada Su")
    _exclusion, case = kept_out(house, account)
    noted = {"signs": ["self_harm"], "advice": ["help_line"], "outcome": "thinking"}
    today = house.licensee.today()
    for day in (today, today - DAY):
        with pytest.raises(ConditionsNotMet, match="still to come"):
            services.write_interaction(case, by=house.grace, follow_up_on=day, **noted)
    assert not case.interactions.exists()
    grace, alice = Client(), Client()
    grace.force_login(house.grace)
    alice.force_login(house.alice)
    page = f"/cases/{case.number}/interaction/"
    assert grace.post(page, noted | {"follow_up_on": str(today)}).status_code == 422
    assert grace.post(page, noted | {"follow_up_on": str(today + DAY)}).status_code == 302
    seen = alice.get("/due/").content.decode() + alice.get(f"/cases/{case.number}/").content.decode()
    assert "Contact the player" in seen
    for word in ("self-harm", "self_harm", "Distress", "help line"):
        assert word not in seen


# ------------------------------------------------------------------------------------------- contacts of the law
def asked(account, player, amount, currency, **more):
    facts = {"measure": "deposit", "span": "month", "amount": amount, "currency": currency, "by": player}
    return limits.ask(account, **facts | more)


def test_SE_RG_LIMIT_CONTACT_opens_a_case_with_a_contact_that_is_due(house, under):
    account, player = under("SE")
    asked(account, player, 1_000_000, "SEK")
    assert not GamingRequest.objects.exists(), "not above the threshold"
    other, hers = under("SE")
    asked(other, hers, 1_000_001, "SEK")
    case = GamingRequest.objects.get()
    assert (case.account, case.gaming_facts.rule, case.gaming_facts.exclusion) == (other, "SE.RG.LIMIT.CONTACT", None)
    sweeping.sweep()
    assert told(house.grace, "contact") == 1
    # Another window for it, and still above: the same case.
    asked(other, hers, 1_000_001, "SEK", window="rolling")
    assert GamingRequest.objects.count() == 1
    page = Client()
    page.force_login(house.grace)
    shown = page.get(f"/cases/{case.number}/").content.decode()
    assert "SE.RG.LIMIT.CONTACT" in shown
    assert "10,000.01" in shown and "10,000.00" in shown
    for path in ("return/", "return/refuse/", "return/confirm/", "protection/annul/"):
        assert page.get(f"/cases/{case.number}/{path}").status_code == 404
    services.review(case, by=house.grace)
    with pytest.raises(ConditionsNotMet, match="Nobody noted"):
        services.settle(case, by=house.grace)
    services.write_interaction(case, by=house.grace, signs=["none_seen"], advice=["limits"], outcome="accepted")
    assert services.settle(case, by=house.grace).outcome == "cared_for"
    assert Task.objects.get(case=case).state == "open", "who closes a case has not called yet"
    [opened] = Entry.objects.filter(action="gaming.open")
    assert b"SE.RG.LIMIT.CONTACT" not in bytes(opened.entry), "why a player is talked to is sealed"


def test_a_raise_asks_for_the_contact_when_it_takes_effect_not_when_it_is_asked_for(house, under):
    account, player = under("SE")
    now = timezone.now()
    asked(account, player, 900_000, "SEK", now=now)
    change = asked(account, player, 1_100_000, "SEK", now=now)
    assert not GamingRequest.objects.exists()
    limits.confirm(change, by=player, now=change.confirmable_at)
    assert GamingRequest.objects.get().gaming_facts.reckoning == {
        "of": "limit",
        "measure": "deposit",
        "span": "month",
        "amount": 1_100_000,
        "currency": "SEK",
        "threshold": 1_000_000,
    }


def test_NL_RG_LIMIT_CONTACT_opens_a_case_earlier_for_the_young(house, under):
    old, his = under("NL")
    asked(old, his, 20_000, "EUR")
    assert not GamingRequest.objects.exists()
    born = date(timezone.now().year - 20, 1, 1)
    young, hers = under("NL", born=born)
    asked(young, hers, 20_000, "EUR")
    assert GamingRequest.objects.get().gaming_facts.reckoning["threshold"] == 15_000


def test_without_a_queue_the_limit_holds_all_the_same(house, under):
    account, player = under("SE", queue=False)
    assert asked(account, player, 1_000_001, "SEK").state == "effective"
    assert not GamingRequest.objects.exists()


# ------------------------------------------------------------------------------------------- financial vulnerability
def paid(house, account, kind, amount, ago=timedelta(0), currency="GBP"):
    event = ledger.Reported(f"{kind}-{secrets.token_hex(4)}", kind, amount, timezone.now() - ago)
    return ledger.take(account, currency, [event], by=house.key)


def test_GB_FVC_counts_net_deposits_of_thirty_days_and_somebody_looks(house, under):
    account, _player = under("GB")
    paid(house, account, "deposit", 90_000, ago=timedelta(days=31))
    assert not GamingRequest.objects.exists(), "more than thirty days ago"
    paid(house, account, "deposit", 20_000, ago=timedelta(days=20))
    case = GamingRequest.objects.get()
    assert case.gaming_facts.reckoning == {
        "of": "net_deposits",
        "threshold": 15_000,
        "threshold_currency": "GBP",
        "paid_in": 20_000,
        "paid_out": 0,
        "net": 20_000,
        "currency": "GBP",
    }
    assert stopped(account) == set(), "nothing is refused by itself"
    sweeping.sweep()
    assert told(house.grace, "contact") == 1
    page = Client()
    page.force_login(house.grace)
    shown = page.get(f"/cases/{case.number}/").content.decode()
    for words in ("GB.FVC", "£200.00 − £0.00 = £200.00", "£150.00"):
        assert words in shown
    services.write_interaction(case, by=house.grace, signs=["none_seen"], advice=["limits"], outcome="accepted")
    services.settle(case, by=house.grace)
    paid(house, account, "deposit", 5_000)
    assert GamingRequest.objects.count() == 1, "once in a window"


@pytest.mark.parametrize(("amount", "opened"), [(15_000, 0), (15_001, 1)])
def test_GB_FVC_withdrawals_count_and_the_amount_itself_is_not_above(house, under, amount, opened):
    account, _player = under("GB")
    paid(house, account, "withdrawal", 5_000)
    paid(house, account, "deposit", amount + 5_000)
    assert GamingRequest.objects.count() == opened


def test_GB_FVC_in_another_currency_a_person_looks_and_elsewhere_nobody_counts(house, under):
    account, _player = under("GB")
    paid(house, account, "deposit", 100, currency="EUR")
    assert GamingRequest.objects.get().gaming_facts.rule == "GB.FVC"
    elsewhere, _player = under("SE")
    paid(house, elsewhere, "deposit", 900_000, currency="SEK")
    assert GamingRequest.objects.count() == 1


# ------------------------------------------------------------------------------------------------ a decision in time
def test_OP_EXC_DECISION_WITHIN_a_return_is_decided_in_time_or_somebody_hears_of_it(house):
    account = a_player(house, "Ada Su")
    asked_for, case = a_return(house, account)
    running = Clock.objects.get(case=case)
    assert (running.kind, running.rule) == ("statutory", "OP.EXC.DECISION_WITHIN")
    assert case.due_at == running.started_at + running.target
    assert case.due_at - case.opened_at > timedelta(days=7)
    services.review(case, by=house.grace)
    with time_machine.travel(case.due_at + MINUTE):
        sweep_clocks()
    assert told(house.grace, "breached") == 1
    services.refuse_return(asked_for, by=house.bob, reason="not_yet")
    assert Clock.objects.get(pk=running.pk).stopped_at is not None


@pytest.mark.parametrize("answer", ["accepted", "taken_back"])
def test_an_answer_stops_the_clock_of_the_decision(house, answer):
    account = a_player(house, "Ada Su")
    asked_for, case = a_return(house, account)
    if answer == "accepted":
        confirm(propose(acts.ACCEPT, asked_for, by=house.alice, reason="player_asked"), by=house.bob)
    else:
        services.take_back_return(asked_for, by=house.key)
    assert Clock.objects.get(case=case).stopped_at is not None


# ---------------------------------------------------------------------------------------------- a platform that is late
def test_a_platform_that_does_not_confirm_in_time_is_called_out_once(house):
    account = a_player(house, "Ada Su")
    kept_out(house, account)
    order = StopOrder.objects.get(account=account)
    assert orders.sweep()["late"] == 0
    with mock.patch.object(clock, "now", return_value=order.due_at + MINUTE):
        assert orders.sweep()["late"] > 0
        assert orders.sweep()["late"] == 0
    assert told(house.grace, "stop_late") == 1
    assert told(house.carol, "stop_late") == 0, "Carol may not see the case"


def test_a_platform_that_confirmed_is_not_late(house):
    account = a_player(house, "Ada Su")
    kept_out(house, account)
    order = StopOrder.objects.get(account=account)
    orders.confirm(order, order.parts, by=house.key)
    with mock.patch.object(clock, "now", return_value=order.due_at + MINUTE):
        assert orders.sweep()["late"] == 0


def test_GB_EXC_MARKETING_STOP_has_a_time_of_its_own(house, under):
    account, _player = under("GB")
    exclusion = excluded(account)
    [order] = orders.order_for(exclusion.restriction)
    assert order.late(order.due_at + MINUTE) == [part for part in order.parts if part != "marketing"]
    assert "marketing" in order.late(order.marketing_due_at + MINUTE)
    assert timedelta(days=2) <= order.marketing_due_at - exclusion.starts_at < timedelta(days=3) + HOUR
    [plain] = orders.order_for(excluded(a_player(house, "Nil Su")).restriction)
    assert plain.marketing_due_at is None
    assert "marketing" in plain.late(plain.due_at + MINUTE)
