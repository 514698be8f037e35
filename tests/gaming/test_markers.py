"""Markers of harm: one test for each rule id."""

import secrets
from datetime import date, timedelta
from types import SimpleNamespace

import pytest
from django.db.models import QuerySet
from django.utils import timezone

from audit.actors import system
from audit.models import Entry
from cases.contacts import care as words
from cases.contacts.models import Task
from cases.models import Message
from cases.patterns import expressions, kinds
from cases.types.gaming import acts
from cases.types.gaming.limits import services as limits
from cases.types.gaming.markers.book import book_of, check_markers, definition_of
from cases.types.gaming.markers.models import LASTING, CareAction, Due
from cases.types.gaming.markers.signs import met_lately
from cases.types.verification.risk.rating import rating_of
from compliance.outbox.kinds import handler_of
from compliance.outbox.models import OutboxRow
from compliance.people.exclusions.models import Duplicate
from compliance.people.exclusions.suppression import MET, MET_AGAIN, SOURCE, forget_stale
from compliance.people.models import Account, RiskFact
from compliance.people.risk import holding, learn
from compliance.people.services import open_account
from compliance.policy import marker_rules
from compliance.policy.risk_model import models
from compliance.proposals.services import confirm, propose
from tests.gaming.kept_out import excluded, stopped
from tests.gaming.marked import DAY, HOUR, NIGHT, events, many, met, moved, noted, recounted


@pytest.fixture
def player(house, under):
    account, _player = under("MT")
    return account


# ---------------------------------------------------------------------------------------------- one for each rule id
MOVED = {
    # rule id: what is just not enough, and what is enough
    "OP.RG.MARKER.DEPOSITS": ([("deposit", 199_999, HOUR)], [("deposit", 1, 28 * DAY)]),
    "OP.RG.MARKER.LOSSES": ([("bet", 150_000, HOUR), ("win", 1, HOUR)], [("bet", 1, HOUR)]),
    "OP.RG.MARKER.CHASING": ([*many(4, ago=2 * HOUR), ("bet", 9_999, HOUR)], [("bet", 1, timedelta())]),
    "OP.RG.MARKER.STAKES": (
        [*many(10, "bet", 400, 14 * DAY), ("bet", 2_999, HOUR)],  # 4,000 in 28 days: 1,000 a week
        [("bet", 1, HOUR)],
    ),
    "OP.RG.MARKER.OFTEN": (many(14, ago=3 * DAY), many(1)),
    "OP.RG.MARKER.NIGHT": (many(49, "bet", 1, NIGHT), many(1, "bet", 1, NIGHT)),
    "OP.RG.MARKER.BONUS": ([*many(5, "bonus", 100), ("deposit", 1_002, HOUR)], [("bonus", 1, HOUR)]),
    "OP.RG.MARKER.PAYMENT_METHODS": (
        [("deposit", 1, HOUR, {"instrument_id": f"card-{one}"}) for one in range(3)],
        [("deposit", 1, HOUR, {"instrument_id": "card-9"})],
    ),
}


def code_of(rule):
    sets = [version.markers for found in marker_rules.versions().values() for version in found]
    return next(code for markers in sets for code, marker in markers.items() if marker.id == rule)


@pytest.mark.parametrize("rule", MOVED)
def test_a_marker_of_transactions_holds_from_its_threshold_on(player, rule):
    short, rest = MOVED[rule]
    moved(player, *short)
    assert code_of(rule) not in met(player)
    moved(player, *rest)
    assert code_of(rule) in met(player)


def test_OP_RG_MARKER_YOUNG_and_ES_RG_MARKER_INTENSIVE_look_at_the_age(under):
    today = timezone.now().date()
    young, _his = under("ES", born=today.replace(year=today.year - 24, day=1))
    older, _hers = under("ES", born=today.replace(year=today.year - 40, day=1))
    for one in (young, older):
        moved(one, ("deposit", 50_000, HOUR), ("bet", 20_000, 19 * DAY))
    assert {"young_spend", "loss_intensive"} <= met(young)
    assert not {"young_spend", "loss_intensive"} & met(older)
    moved(older, ("bet", 40_000, HOUR))
    assert "loss_intensive" in met(older)
    elsewhere, _theirs = under("MT")
    assert "loss_intensive" not in book_of(elsewhere.licensee).markers


def test_OP_RG_MARKER_LONG_SESSION_SESSIONS_and_TAKEN_BACK_come_from_the_ledger(house):
    account = house.account()
    events(house, account, ("session", 10_800, HOUR), ("session", 10_799, HOUR), *[("session", 60, HOUR)] * 42)
    events(house, account, *[("withdrawal_cancelled", 100, HOUR)] * 2)
    assert not {"long_sessions", "sessions_many", "withdrawals_taken_back"} & met(account)
    events(house, account, ("session", 20_000, 28 * DAY), ("withdrawal_cancelled", 100, HOUR))
    assert {"long_sessions", "sessions_many", "withdrawals_taken_back"} <= met(account)


def test_OP_RG_MARKER_DISTRESS_and_TOLD_OF_LOSSES_come_from_what_was_noted(house):
    account = house.account()
    noted(house, account, "none_seen")
    assert not {"distress", "told_of_losses"} & met(account)
    noted(house, account, "distress", "borrowing")
    assert {"distress", "told_of_losses"} <= met(account)


def test_OP_RG_MARKER_SELF_HARM_calls_somebody_at_once_and_ends_with_another_meaning(house):
    account = house.account()
    case = noted(house, account, "none_seen")
    task = words.look(case, "artık yaşamak istemiyorum, I want to die", by=house.alice)
    score = recounted(account)
    assert score.value >= 60
    assert {one.act for one in CareAction.objects.all()} == {"call", "marketing_off", "bonus_off"}
    assert not Message.objects.filter(case__customer=account.customer, code__startswith="care_").exists()
    assert CareAction.objects.get(act="call").rule == "OP.RG.ACT.CALL"
    assert "marketing" in stopped(account)
    from_then = Task.objects.filter(pk=task.pk)
    QuerySet.update(from_then, state="closed", outcome="other_meaning", closed_at=timezone.now(), closed_by=house.grace)
    assert "self_harm" not in met(account)
    recounted(account)
    assert "marketing" in stopped(account), "a score that falls loosens nothing"


def test_OP_RG_MARKER_TIME_OUTS_and_EXCLUSION_BEFORE_come_from_the_persons_record(house):
    account = house.account()
    for ago in (3, 2):
        excluded(account, kind="time_out", term="24 hour", ago=ago * DAY)
    assert not {"time_outs", "exclusion_before"} & met(account)
    excluded(account, kind="time_out", term="24 hour", ago=HOUR)
    excluded(account, term="6 month", ago=HOUR)
    assert {"time_outs", "exclusion_before"} <= met(account)


def test_OP_RG_MARKER_LIMITS_RAISED_and_LIMIT_REMOVED_come_from_the_players_own_limits(under):
    account, player = under("MT")
    moved(account, ("bet", 20_000, HOUR))
    now = timezone.now()

    def asked(amount, at):
        facts = {"measure": "deposit", "span": "month", "currency": "EUR", "by": player}
        return limits.ask(account, amount=amount, now=at, **facts)

    asked(1_000, now)
    for number, amount in enumerate((2_000, 3_000, None)):
        change = asked(amount, now + 2 * number * DAY)
        assert not {"limits_raised", "limit_removed"} & met(account) or amount is None
        limits.confirm(change, by=player, now=change.confirmable_at)
    assert {"limits_raised", "limit_removed"} <= met(account)


def test_OP_RG_MARKER_ACCOUNTS_counts_the_players_accounts(house):
    account = house.account()

    def another():
        reference = f"P-{secrets.token_hex(5)}"
        facts = {"customer": account.customer, "brand": house.brand, "reference": reference, "by": house.alice}
        open_account(email="x@y.example", **facts)

    another()
    assert "many_accounts" not in met(account)
    another()
    assert "many_accounts" in met(account)


def test_OP_RG_MARKER_MET_AGAIN_and_OP_RISK_LIKENESS_until_two_persons_clear_the_player(house):
    """One thing known for every kind that asks: the verification's risk, the rules of monitoring, and care."""
    out = house.account()
    back = house.account(full_name="Nil Ak", birth_date=date(1988, 5, 5))  # the same e-mail and phone
    assert "met_again" not in met(back)
    excluded(out)
    fact = RiskFact.objects.get(customer=back.customer)
    today = house.licensee.today()
    rating = rating_of(back.customer, on=today)
    assert [(part.rule, part.points) for part in rating.parts] == [("OP.RISK.LIKENESS", 30)]
    assert fact.log == "main" and kinds.FACTS[fact.code] == kinds.Fact.EXCLUDED
    assert "met_again" in met(back) and "met_again" not in met(out)
    assert back.customer_id in met_lately(timezone.now())
    rows = OutboxRow.objects.filter(kind=MET, payload__customer_id=str(back.customer_id))
    assert rows.count() == 1, "asked for in the transaction that met them"
    Due.objects.all().delete()
    handler_of(MET)(rows.get())
    assert Due.objects.filter(pk=back.customer_id).exists()
    titles = str([factor.title.model_dump() for one in models() for factor in one.factors.values()])
    assert "kept out" not in titles and "kapat" not in titles, "an agent who sees the risk learns nothing of it"
    Account.objects.filter(pk=back.pk).update(created_at=timezone.now() - timedelta(days=500))
    assert recounted(back).value == 35
    assert met_lately(timezone.now()) == [], "counted once for it"
    assert stopped(back) == {"deposit", "play", "marketing"}, "and not by the sum"
    found = Duplicate.objects.get(customer=back.customer)
    confirm(propose(acts.CLEAR, found, by=house.alice, reason="another_person"), by=house.bob)
    assert met_lately(timezone.now()) == [back.customer_id], "counted anew"
    assert rows.count() == 2
    assert recounted(back).value == 0, "of whom nothing else is known, too"
    assert met_lately(timezone.now()) == []
    assert not holding(back.customer, on=today).exists()
    stale = learn(back.customer, MET_AGAIN, source=SOURCE, known_on=today, by=system())
    assert (forget_stale(), forget_stale()) == (1, 0)
    assert Entry.objects.filter(action="people.end_risk", object_id=str(stale.pk)).exists()
    assert RiskFact.objects.get(pk=fact.pk).ended_at is not None, "it stays in the file, with its end"


TOLD = {
    test_OP_RG_MARKER_YOUNG_and_ES_RG_MARKER_INTENSIVE_look_at_the_age: "OP/YOUNG ES/INTENSIVE",
    test_OP_RG_MARKER_LONG_SESSION_SESSIONS_and_TAKEN_BACK_come_from_the_ledger: (
        "OP/LONG_SESSION OP/SESSIONS OP/TAKEN_BACK"
    ),
    test_OP_RG_MARKER_DISTRESS_and_TOLD_OF_LOSSES_come_from_what_was_noted: "OP/DISTRESS OP/TOLD_OF_LOSSES",
    test_OP_RG_MARKER_SELF_HARM_calls_somebody_at_once_and_ends_with_another_meaning: "OP/SELF_HARM",
    test_OP_RG_MARKER_TIME_OUTS_and_EXCLUSION_BEFORE_come_from_the_persons_record: "OP/TIME_OUTS OP/EXCLUSION_BEFORE",
    test_OP_RG_MARKER_LIMITS_RAISED_and_LIMIT_REMOVED_come_from_the_players_own_limits: (
        "OP/LIMITS_RAISED OP/LIMIT_REMOVED"
    ),
    test_OP_RG_MARKER_ACCOUNTS_counts_the_players_accounts: "OP/ACCOUNTS",
    test_OP_RG_MARKER_MET_AGAIN_and_OP_RISK_LIKENESS_until_two_persons_clear_the_player: "OP/MET_AGAIN",
}


def test_every_marker_has_its_test_its_category_and_can_be_read():
    told = [one.replace("/", ".RG.MARKER.") for names in TOLD.values() for one in names.split()]
    sets = [version.markers for found in marker_rules.versions().values() for version in found]
    assert sorted([*MOVED, *told]) == sorted({marker.id for markers in sets for marker in markers.values()})
    book = book_of(SimpleNamespace(jurisdiction="GB", today=lambda: timezone.now().date()))
    assert {one.category for one in book.policy.markers.values()} == set(marker_rules.CATEGORIES)
    assert set(book.policy.acts) == set(marker_rules.ACTS) - LASTING
    assert check_markers() == []


def test_no_rule_of_monitoring_may_name_what_care_alone_knows():
    marker = marker_rules.versions()["OP"][0].markers["night_play"]
    assert expressions.faults(definition_of(marker), care=True) == []
    assert "night_bets" in str(expressions.faults(definition_of(marker)))
    for when in ({"fact": "list_hit"}, {"ge": [{"attribute": "shared_device"}, 1]}):
        assert expressions.faults({"when": when}, care=True), "and care knows nothing of theirs"
