"""Acts of care between a call and a block: bonuses stopped, and a deposit limit of ours with its arithmetic."""

import secrets
import shutil
from datetime import date, timedelta

import pytest
from django.test import Client
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from audit.actors import system
from audit.models import Entry
from cases import protection
from cases.notices.models import Notice
from cases.types.gaming import care, orders
from cases.types.gaming import services as gaming
from cases.types.gaming.limits import checks, making
from cases.types.gaming.limits import services as limits
from cases.types.gaming.limits.models import LimitChange
from cases.types.gaming.limits.player import Player
from cases.types.gaming.markers import book, services
from cases.types.gaming.markers.models import LASTING, CareAction
from cases.types.gaming.models import StopOrder
from compliance.people import restrictions
from compliance.people.models import Restriction
from compliance.people.services import open_account
from compliance.platform.webhooks.models import Event
from compliance.policy import marker_rules
from compliance.policy.marker_rules import DepositLimit
from tests.gaming.kept_out import stopped
from tests.gaming.marked import DAY, HOUR, events, first_time_out, many, moved, recounted
from tests.gaming.test_requests import deliver

# 15 + 20 + 20 + 10: paid in, lost, chased, often.
SIXTY_FIVE = [("deposit", 200_000, HOUR), ("bet", 150_000, HOUR), *many(15), *many(3, ago=timedelta())]
TEN_MORE = [("session", 60, HOUR)] * 45


def test_OP_RG_ACT_BONUS_OFF_ends_bonuses_and_stops_marketing_and_is_looked_at(house):
    account = house.account()
    moved(account, *SIXTY_FIVE)
    assert recounted(account).value == 65
    assert stopped(account) == {"marketing"}
    act = CareAction.objects.get(act="bonus_off")
    assert (act.rule, act.state, act.review_due_at - act.done_at) == ("OP.RG.ACT.BONUS_OFF", "waiting", 3 * DAY)
    order = StopOrder.objects.get(account=account)
    deliver(order)
    said = Event.objects.get(type="account.stop").data
    assert (said["ends"], said["open_bets"], said["withdrawals"]) == (["bonuses"], "stand", "open")
    recounted(account)
    assert StopOrder.objects.count() == 1
    StopOrder.objects.update(due_at=timezone.now() - HOUR)
    assert orders.sweep()["late"] > 0, "who looks after the player hears that the platform did not confirm"
    assert Notice.objects.filter(kind="stop_late", case=act.case).exists()
    orders.confirm(order, ["bonuses"], by=house.key)
    assert services.review(act, by=house.grace, outcome="right").state == "reviewed"
    assert stopped(account) == {"marketing"}


def test_a_stop_by_rule_outlives_the_lift_that_was_proposed_before_it(house):
    """OP.RG.ACT.BONUS_OFF lays down a stop of its own beside what stood before it was called for."""
    account = house.account()
    facts = {"stops": ("marketing",), "cover_code": protection.MARKETING_CODE, "by": system()}
    began = timezone.now()
    older = protection.stop_by_rule(account.customer, since=began, **facts)
    assert protection.stop_by_rule(account.customer, since=began, **facts) == older, "twice does it once"
    Restriction.objects.update(starts_at=began - DAY)
    moved(account, *SIXTY_FIVE)
    recounted(account)
    act = CareAction.objects.get(act="bonus_off")
    assert act.restriction != older
    restrictions.lift(older, by=system(), reason="cause_gone")
    assert stopped(account) == {"marketing"}


def test_what_was_not_confirmed_is_told_in_the_case_behind_it(house):
    """A care case that is opened later is none of an exclusion's."""
    account = house.account()
    _exclusion, case = gaming.keep_out(account, kind="time_out", period=first_time_out(account), by=house.key)
    care.look_after(account, rule="OP.RG.CARE", reckoning={}, by=system())
    StopOrder.objects.update(due_at=timezone.now() - HOUR)
    orders.sweep()
    assert {one.case_id for one in Notice.objects.filter(kind="stop_late")} == {case.pk}


LIMIT = """
[version.acts.limit]
id = "OP.RG.ACT.LIMIT"
score = 70
again_after = { amount = 30, unit = "calendar_day" }
within = { amount = 72, unit = "hour" }
limit = { span = "week", past = 4, percent = 50, least = 500 }
modality = "operator_default"
source = "SR343"
provision = "SR 3.4.3 requirement 9"
confidence = "GK"
last_verified = 2026-11-23
"""


@pytest.fixture
def limited(monkeypatch, tmp_path):
    """A policy that calls for a limit. Ours does not while nobody can end one."""
    folder = shutil.copytree(marker_rules.FOLDER, tmp_path / "markers")
    with (folder / "op.toml").open("a") as file:
        file.write(LIMIT)
    with monkeypatch.context() as patched:
        patched.setattr(marker_rules, "FOLDER", folder)
        _read_anew()
        yield
    _read_anew()


def _read_anew():
    for kept in (marker_rules._read, marker_rules._together, book.book_at):
        kept.cache_clear()


def test_no_policy_of_ours_calls_for_what_nobody_can_end():
    called = {act for versions in marker_rules.versions().values() for one in versions for act in one.acts}
    assert not called & LASTING


def a_score_of_75(house, *deposits):
    account = house.account()
    events(house, account, *TEN_MORE, *[("deposit", amount, ago) for amount, ago in deposits])
    moved(account, *SIXTY_FIVE)
    return account


def test_OP_RG_ACT_LIMIT_is_half_of_a_week_on_average_and_shows_its_arithmetic(house, limited):
    account = a_score_of_75(house, (30_000, HOUR), (10_007, 27 * DAY), (999_999, 29 * DAY))
    own = {"measure": "deposit", "span": "week", "currency": "EUR", "by": Player(account.pk)}
    limits.ask(account, amount=20_000, **own)
    raised = limits.ask(account, amount=30_000, **own)
    assert recounted(account).value == 75
    made = LimitChange.objects.get(imposed=True)
    assert (made.amount, made.span, made.measure, made.state, made.raises) == (
        5_000,
        "week",
        "deposit",
        "effective",
        False,
    )
    assert LimitChange.objects.get(pk=raised.pk).state == "cancelled"
    assert LimitChange.objects.get(imposed=False, state="effective").amount == 20_000, "their own stands beside it"
    bounds = {bound.source: bound.limit for bound in checks.check(account, act="deposit", currency="EUR").bounds}
    assert bounds == {"player": 20_000, "operator": 5_000}
    act = CareAction.objects.get(act="limit")
    assert (act.rule, act.state, act.review_due_at - act.done_at) == ("OP.RG.ACT.LIMIT", "waiting", 3 * DAY)
    assert stopped(account) == {"marketing"}, "play goes on within it"
    grace, alice = Client(), Client()
    grace.force_login(house.grace)
    alice.force_login(house.alice)
    page = grace.get(f"/care/reviews/{act.pk}/").content.decode()
    assert "€400.07 ÷ 4 × 50% = €50.00 each week" in page and made.receipt in page
    outside = alice.get(f"/cases/{act.case.number}/limits/").content.decode()
    assert made.receipt in outside and "set by us" in outside
    assert "OP.RG" not in outside and "÷" not in outside
    asked = Entry.objects.filter(action="limits.ask", object_id=str(made.pk)).get()
    assert asked.actor_kind == "system" and b"signs_of_harm" not in bytes(asked.entry)
    assert "not_right" not in page and "another person decides" not in page, "nobody is asked for what cannot be"
    # Nothing is reckoned anew from what it held down, nor does a person's word loosen it.
    services.review(act, by=house.grace, outcome="more")
    CareAction.objects.update(asked_at=timezone.now() - 99 * DAY)
    recounted(account)
    assert LimitChange.objects.filter(imposed=True).count() == CareAction.objects.filter(act="limit").count() == 1


@pytest.mark.parametrize("deposits", [[], [(50_000, 29 * DAY)], [(3_999, HOUR)]])
def test_OP_RG_ACT_LIMIT_is_not_called_for_where_nothing_was_paid_in(house, limited, deposits):
    account = a_score_of_75(house, *deposits)
    assert recounted(account).value == 75
    assert not CareAction.objects.filter(act="limit").exists()


def another_of(house, account):
    facts = {"customer": account.customer, "brand": house.brand, "reference": f"P-{secrets.token_hex(5)}"}
    return open_account(email="x@y.example", by=house.alice, **facts)


def test_OP_RG_ACT_LIMIT_holds_at_every_account_of_the_player_and_at_one_opened_later(house, limited):
    account = a_score_of_75(house, (40_000, HOUR))
    another_of(house, account)
    recounted(account)
    later = another_of(house, account)
    rows = LimitChange.objects.filter(imposed=True, state="effective")
    assert [(row.amount, row.span, row.currency) for row in rows] == [(5_000, "week", "EUR")] * 3
    assert rows.filter(account=later).exists()
    stranger = house.account(full_name="Deniz Kaya", birth_date=date(1970, 1, 2))
    assert not rows.filter(account=stranger).exists()


def test_a_rule_only_lowers_what_staff_imposed(house, monkeypatch):
    account = house.account()
    facts = {"measure": "deposit", "span": "week", "currency": "EUR"}
    _exclusion, case = gaming.keep_out(account, kind="time_out", period=first_time_out(account), by=house.key)
    first = limits.reduce(case, amount=5_000, by=house.grace, reason="signs_of_harm", **facts)
    assert limits.reduce_by_rule(account, amount=5_000, **facts) is None
    assert limits.reduce_by_rule(account, amount=5_001, **facts) is None
    lower = limits.reduce_by_rule(account, amount=4_999, **facts)
    states = dict(LimitChange.objects.values_list("pk", "state"))
    assert states == {first.pk: "superseded", lower.pk: "effective"}
    # Where the two cannot be compared it is left as it is.
    monkeypatch.setattr(making.rules, "weakens", lambda new, old: True)
    assert limits.reduce_by_rule(account, amount=4_000, **facts) is None


@given(st.integers(0, 10**12), st.integers(1, 60), st.integers(1, 100))
def test_the_limit_is_never_above_what_was_paid_in_on_average(paid_in, past, percent):
    amount = DepositLimit(span="week", past=past, percent=percent, least=1).amount(paid_in)
    assert isinstance(amount, int) and 0 <= amount * past <= paid_in
