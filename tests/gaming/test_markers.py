"""Markers of harm: one test for each rule id, the sum and its acts whatever the order, and who sees what."""

import random
import secrets
from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.db.models import QuerySet
from django.test import Client
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audit.actors import system
from audit.models import Entry
from audit.perform import ConditionsNotMet, Denied
from cases.contacts import care as words
from cases.contacts.models import Task
from cases.marks import services as marks
from cases.models import Message
from cases.patterns import expressions, feeds
from cases.types.gaming import services as gaming
from cases.types.gaming.limits import ledger
from cases.types.gaming.limits import services as limits
from cases.types.gaming.markers import services
from cases.types.gaming.markers.book import book_of, check_markers, definition_of
from cases.types.gaming.markers.models import CareAction, Due, Score
from cases.types.gaming.markers.reckoning import acts_due, reckon
from cases.types.gaming.markers.signs import signs_of
from cases.types.gaming.models import GamingRequest
from cases.types.monitoring.rules import counting
from cases.types.monitoring.transactions.reading import Row
from cases.types.monitoring.transactions.services import accept
from compliance.people import restrictions
from compliance.people.services import create_user, join, open_account
from compliance.policy import marker_rules
from tests.gaming.kept_out import excluded, stopped
from tests.world import PASSWORD

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
LATELY = timezone.now() - timedelta(minutes=2)  # nothing lies in the future
NIGHT = (LATELY - LATELY.replace(hour=1, minute=0)) % DAY  # so long ago it was one o'clock
SOON = timedelta(minutes=5)


def moved(account, *given, count=True):
    """Transactions of a player: (kind, amount, before now) each, counted by the worker."""
    rows = []
    for kind, amount, ago, *more in given:
        name = f"t-{secrets.token_hex(6)}"
        rows.append(Row(name, account.reference, kind, amount, "EUR", LATELY - ago, **dict(*more)))
    accept(account.licensee, rows, by=system())
    if count:
        counting.count_waiting()


def recounted(account):
    score = services.recount(account.customer_id)
    services.act_waiting()
    return score


def met(account):
    """Codes of the markers that hold."""
    customer = account.customer
    book = book_of(customer.licensee)
    found = reckon(customer, book, feeds.counted(customer), signs_of(customer, now=timezone.now()))
    return set(found.met)


def events(house, account, *given):
    rows = [ledger.Reported(f"e-{secrets.token_hex(6)}", kind, amount, LATELY - ago) for kind, amount, ago in given]
    ledger.take(account, "EUR", rows, by=house.key)


def noted(house, account, *signs):
    _exclusion, case = gaming.keep_out(account, kind="time_out", period=first_time_out(account), by=house.key)
    gaming.write_interaction(case, by=house.grace, signs=signs, advice=["help_line"], outcome="thinking")
    return case


def first_time_out(account):
    return gaming.policy_of(account.licensee, on=account.licensee.today()).exclusions.time_outs.value[0]


@pytest.fixture
def player(house, under):
    account, _player = under("MT")
    return account


# ---------------------------------------------------------------------------------------------- one for each rule id
def many(n, kind="deposit", amount=100, ago=HOUR, **more):
    return [(kind, amount, ago, more)] * n


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
    assert {one.act for one in CareAction.objects.all()} == {"call", "marketing_off"}
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
}


def test_every_marker_has_its_test_its_category_and_can_be_read():
    told = [one.replace("/", ".RG.MARKER.") for names in TOLD.values() for one in names.split()]
    sets = [version.markers for found in marker_rules.versions().values() for version in found]
    assert sorted([*MOVED, *told]) == sorted({marker.id for markers in sets for marker in markers.values()})
    book = book_of(SimpleNamespace(jurisdiction="GB", today=lambda: timezone.now().date()))
    assert {one.category for one in book.policy.markers.values()} == set(marker_rules.CATEGORIES)
    assert set(book.policy.acts) == set(marker_rules.ACTS)
    assert check_markers() == []


def test_no_rule_of_monitoring_may_name_what_care_alone_knows():
    marker = marker_rules.versions()["OP"][-1].markers["night_play"]
    assert expressions.faults(definition_of(marker), care=True) == []
    assert "night_bets" in str(expressions.faults(definition_of(marker)))
    for when in ({"fact": "list_hit"}, {"ge": [{"attribute": "shared_device"}, 1]}):
        assert expressions.faults({"when": when}, care=True), "and care knows nothing of theirs"


# --------------------------------------------------------------------------------------------- the sum, and its acts
def test_the_worker_counts_what_arrived_and_each_act_is_done_once(house, under):
    account, _player = under("NL", born=timezone.now().date().replace(year=1980, day=1))
    began = timezone.now()
    moved(account, ("deposit", 200_000, HOUR), ("bet", 150_000, HOUR), *many(15), *many(3, ago=timedelta()))
    assert services.recount_waiting(now=began) == 0, "what arrives within half a minute is counted together"
    assert services.recount_waiting(now=began + SOON) == 1
    score = Score.objects.get(customer=account.customer)
    assert score.value == 15 + 20 + 20 + 10
    assert score.policy == "OP-MARKERS-2026-11-22+NL-MARKERS-2026-11-22"
    assert services.act_waiting() == 2
    assert services.act_waiting() == 0
    case = GamingRequest.objects.get()
    call = Task.objects.get(case=case, kind="contact")
    assert timedelta(minutes=55) < call.due_at - began <= HOUR + SOON, "NL.RG.ACT.CALL: within one hour"
    assert not Message.objects.exists(), "where a person calls the product writes nothing"
    assert stopped(account) == {"marketing"}
    moved(account, ("bet", 50_000, timedelta()))
    assert services.recount_waiting(now=began + SOON) == 1
    services.act_waiting()
    assert CareAction.objects.filter(customer=account.customer).count() == 2
    assert GamingRequest.objects.count() == 1
    assert services.recount_waiting(now=began + SOON) == 0


def test_OP_RG_ACT_BLOCK_stops_play_at_once_and_only_two_persons_end_it(house):
    account = house.account()
    moved(account, ("deposit", 20_000_000, HOUR), ("bet", 20_000_000, HOUR), *many(15, ago=timedelta()))
    events(house, account, *[("session", 20_000, HOUR)] * 2)
    assert recounted(account).value >= 80
    assert {"play", "deposit", "marketing"} <= stopped(account)
    block = CareAction.objects.get(act="block")
    assert (block.state, block.restriction.source, block.restriction.until) == ("waiting", "protection", None)
    assert block.review_due_at - block.done_at == DAY
    assert restrictions.in_force(account.customer).count() == 2
    with pytest.raises(ConditionsNotMet, match="why it was not right"):
        services.review(block, by=house.grace, outcome="not_right")
    with pytest.raises(Denied):
        services.review(block, by=house.alice, outcome="right")
    done = services.review(block, by=house.grace, outcome="not_right", note="Bir çekiliş kazancı.")
    assert (done.state, done.outcome, done.reviewed_by) == ("reviewed", "not_right", house.grace)
    assert {"play", "deposit"} <= stopped(account), "a word loosens nothing"
    recounted(account)
    assert CareAction.objects.filter(act="block").count() == 1


def test_without_a_team_the_protection_holds_all_the_same(under):
    account, _player = under("GB", queue=False)
    moved(account, ("deposit", 200_000, HOUR), ("bet", 150_000, HOUR), *many(15), *many(3, ago=timedelta()))
    recounted(account)
    assert stopped(account) >= {"marketing"}
    assert not GamingRequest.objects.exists()


def test_one_that_fails_hinders_no_other_and_is_tried_again(house, monkeypatch):
    one, other = house.account(), house.account(national_id=None, full_name="Ada Su")
    for account in (one, other):
        moved(account, ("deposit", 10_000_000, HOUR))
    real = services.reckon

    def breaks(customer, *rest):
        return 1 // 0 if customer.pk == one.customer_id else real(customer, *rest)

    monkeypatch.setattr(services, "reckon", breaks)
    now = timezone.now() + SOON
    services.recount_waiting(now=now)
    assert [score.customer_id for score in Score.objects.all()] == [other.customer_id]
    monkeypatch.undo()
    assert Due.objects.get().attempts == 1
    assert services.recount_waiting(now=now + HOUR) == 1


HISTORY = st.lists(
    st.tuples(
        st.sampled_from(["deposit", "bet", "win", "bonus", "withdrawal"]),
        st.sampled_from([100, 40_000, 90_000, 2_500_000]),
        st.integers(0, 35 * 24).map(lambda hours: hours * HOUR),
    ),
    min_size=1,
    max_size=14,
)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=HISTORY, seed=st.integers(0, 2**20))
def test_in_any_order_the_sum_is_the_same_and_no_act_is_done_twice(house, history, seed):
    chance = random.Random(seed)
    found = []
    for _way in range(2):
        account = house.account()
        shuffled = chance.sample(history, len(history))
        while shuffled:
            size = chance.randint(1, 4)
            moved(account, *shuffled[:size])
            shuffled = shuffled[size:]
            if chance.random() < 0.5:
                recounted(account)
        recounted(account)
        score = recounted(account)
        seen = [
            line | {"compared": line["compared"]} for line in services.score_of(account.customer, by=house.grace)[1]
        ]
        found.append((score.value, seen, score.as_of > LATELY))
        acts = list(CareAction.objects.filter(customer=account.customer).values_list("act", flat=True))
        assert len(acts) == len(set(acts))
        due = acts_due(book_of(account.licensee), SimpleNamespace(value=score.value, met=met(account)))
        if "tool_prompt" in acts:
            due.pop("message", None)  # the stronger letter is enough
        assert set(due) <= set(acts), "and none is forgotten"
    assert found[0] == found[1]


# --------------------------------------------------------------------------------------------------- the compartment
def test_agents_see_what_holds_and_no_marker_score_or_reason(house):
    account = house.account()
    moved(account, ("deposit", 20_000_000, HOUR), ("bet", 20_000_000, HOUR), *many(15, ago=timedelta()))
    events(house, account, *[("session", 20_000, HOUR)] * 2)
    recounted(account)
    case = GamingRequest.objects.get()
    grace, alice, mallory = Client(), Client(), Client()
    for client, user in ((grace, house.grace), (alice, house.alice), (mallory, house.mallory)):
        client.force_login(user)
    action = CareAction.objects.get(act="block")
    inside = ["/care/reviews/", f"/care/reviews/{action.pk}/", f"/cases/{case.number}/interaction/"]
    for page in inside:
        assert grace.get(page).status_code == 200, page
        assert alice.get(page).status_code in (403, 404), page
        assert mallory.get(page).status_code in (403, 404), page
    shown = grace.get(inside[1]).content.decode() + grace.get(inside[2]).content.decode()
    for part in ("Much paid in within a month", "OP.RG.MARKER.DEPOSITS", "social responsibility code 3.4.3", "= "):
        assert part in shown
    pages = (f"/cases/{case.number}/", "/due/", "/", f"/search/?q={case.number}")
    outside = "".join(alice.get(page).content.decode() for page in pages)
    assert "Play stopped" in outside
    secret = ["Signs of harm: ", "OP.RG.MARKER", "OP.RG.ACT", "Much paid in", "Protections to look at", "weight"]
    assert [word for word in secret if word in outside] == []
    read = Entry.objects.filter(action="audit.read", subject_id=str(account.customer_id), actor_id=str(house.grace.pk))
    assert read.exists()
    asked = Entry.objects.filter(action="markers.ask")
    assert asked.exists() and not any(b"OP.RG" in bytes(one.entry) for one in asked)
    answer = grace.post(inside[1], {"outcome": "right", "note": ""})
    assert answer.status_code == 302
    assert grace.post(inside[1], {"outcome": "right"}).status_code == 422


def test_of_a_marked_player_only_those_named_look_at_what_was_done(house):
    join(house.grace, house.team, "officer", by=system())
    heidi = create_user(email=f"heidi-{house.team.slug}@example.com", name="Heidi", password=PASSWORD, by=system())
    join(heidi, house.team, "rg_officer", by=system())
    account = house.account()
    moved(account, ("deposit", 20_000_000, HOUR), ("bet", 20_000_000, HOUR), *many(15, ago=timedelta()))
    events(house, account, *[("session", 20_000, HOUR)] * 2)
    recounted(account)
    case, action = GamingRequest.objects.get(), CareAction.objects.get(act="block")
    assert services.waiting_count(heidi) == services.waiting_count(house.grace) > 0
    marks.mark(case, kind="well_known", to=[house.grace], by=house.bob)
    QuerySet.update(CareAction.objects.filter(act="marketing_off"), case=None)
    assert set(CareAction.objects.visible_to(house.grace)) == set(CareAction.objects.all())
    assert not CareAction.objects.visible_to(heidi).exists() and services.waiting_count(heidi) == 0
    with pytest.raises(Denied):
        services.review(action, by=heidi, outcome="right")
    services.review(action, by=house.grace, outcome="right")
