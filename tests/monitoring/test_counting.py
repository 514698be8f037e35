"""From a platform's report to a flag: once, in any order, whatever dies on the way."""

import random
from datetime import timedelta
from unittest import mock
from uuid import UUID

import pytest
from django.core.exceptions import ValidationError
from django.db import ProgrammingError, connection, transaction
from django.db.models import QuerySet
from django.utils import timezone
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from audit.models import Entry
from audit.perform import ConditionsNotMet
from cases.patterns import kinds
from cases.patterns.closures import Compiled
from cases.types.monitoring.rules import backtests, book, columns, counting, flags, loading, replay, services
from cases.types.monitoring.rules.models import Flag, Rule, ShadowFlag, State
from cases.types.monitoring.transactions.models import CustomerState, Transaction, Waiting
from cases.types.monitoring.transactions.services import RowsRefused, accept
from compliance.people.risk import end, learn
from compliance.policy.risk_model import risk_model
from tests.monitoring.histories import START, a_rule, report, row

HOUR = timedelta(hours=1)


def test_the_third_deposit_of_a_day_is_flagged_with_all_that_explains_it(world, aml):
    account, rule = world.account(), a_rule(by=aml[0])
    report(world.licensee, [row(account, n, after=n * HOUR) for n in range(3)], by=world.alice)
    flag = Flag.objects.get()
    assert (flag.customer_id, flag.rule, flag.severity, flag.hits) == (account.customer_id, rule, "high", 1)
    assert flag.parameters == {"n": 3}
    assert flag.values["compared"] == [{"place": "when", "left": 3, "right": 3, "met": True}]
    assert flag.sentence == "It fired because number of deposits within 24 hours is 3 (at least 3)."
    assert set(flag.transactions) == set(Transaction.objects.values_list("id", flat=True))
    assert flag.trigger == Transaction.objects.get(source_id=f"tx-{account.reference}-2").id
    entry = Entry.objects.get(action="monitoring_rules.flag")
    assert entry.log == "aml" and entry.subject_id == str(account.customer_id)
    assert not Waiting.objects.exists()
    # More of the same adds to it.
    report(world.licensee, [row(account, n, after=n * HOUR) for n in (3, 4)], by=world.alice)
    flag.refresh_from_db()
    assert (flag.hits, len(flag.transactions), Flag.objects.count()) == (3, 5, 1)
    assert Entry.objects.filter(action="monitoring_rules.flag").count() == 1


def test_what_is_sent_twice_counts_once(world, aml):
    account = world.account()
    rows = [row(account, n, after=n * HOUR) for n in range(4)]
    first = report(world.licensee, rows[:3], by=world.alice)
    again = report(world.licensee, [*rows, rows[3]], by=world.alice)
    assert (first.accepted, first.known, again.accepted, again.known) == (3, 0, 1, 4)
    assert Transaction.objects.count() == 4
    assert CustomerState.objects.get().counted == 4
    # The same number for another amount is a mistake, and nothing of that batch is kept.
    with pytest.raises(RowsRefused) as refused:
        accept(world.licensee, [row(account, 9), row(account, 0, amount=1)], by=world.alice)
    assert [(one.row, one.code) for one in refused.value.wrong] == [(1, "source_id_reused")]
    assert not Waiting.objects.exists()


def test_a_batch_that_breaks_half_way_leaves_nothing_and_counts_later(world, aml):
    account = world.account()
    a_rule(by=aml[0])
    report(world.licensee, [row(account, n, after=n * HOUR) for n in range(3)], by=world.alice, count=False)
    with mock.patch.object(counting, "_keep_states", side_effect=KeyboardInterrupt), pytest.raises(KeyboardInterrupt):
        counting.count_batch()
    assert (Waiting.objects.count(), Transaction.objects.count(), Flag.objects.count()) == (3, 0, 0)
    counting.count_waiting()
    assert (Waiting.objects.count(), Transaction.objects.count(), Flag.objects.count()) == (0, 3, 1)


def test_one_bad_row_holds_nobody_up_and_is_set_aside_in_the_end(world, aml):
    account, real = world.account(), counting._copy
    report(world.licensee, [row(account, n, after=n * HOUR) for n in range(3)], by=world.alice, count=False)

    def refuse_one(cursor, rows):
        rows = list(rows)
        if any(one[counting._PLACE["source_id"]].endswith("-1") for one in rows):
            raise ValueError("nobody expected this")
        real(cursor, rows)

    with mock.patch.object(counting, "_copy", refuse_one):
        for _try in range(counting.MOST_ATTEMPTS):
            counting.count_waiting()
            Waiting.objects.update(due_at=START)
    assert Transaction.objects.count() == 2
    parked = Waiting.objects.get()
    assert (parked.attempts, parked.trouble, parked.parked_at is not None) == (5, "ValueError", True)
    assert Entry.objects.filter(action="transactions.park", log="aml").exists()
    from_bench = Transaction.objects.order_by("nth").values_list("nth", flat=True)
    assert list(from_bench) == [1, 2]


def test_a_rule_that_breaks_is_left_out_loudly_and_everything_is_counted(world, aml, caplog):
    account = world.account()
    bare = a_rule("T02", by=aml[0], parameters={}, when={"ge": [{"count": "deposits", "within": "24h"}, 3]})
    QuerySet.update(
        Rule.objects.filter(pk=bare.pk), definition={k: v for k, v in bare.definition.items() if k[0] != "p"}
    )
    broken, raising = a_rule("T03", by=aml[0]), a_rule("T04", by=aml[0])
    book.ensure_rules_work()
    QuerySet.update(Rule.objects.filter(pk=broken.pk), definition=broken.definition | {"when": {"theft": 1}})
    real = book.Asked.looks_at

    def looks_at(rule, event):
        if rule.code == raising.code:
            raise KeyError(event.currency)
        return real(rule, event)

    with mock.patch.object(book.Asked, "looks_at", looks_at):
        report(world.licensee, [row(account, n, after=n * HOUR) for n in range(3)], by=world.alice)
    assert (Transaction.objects.count(), Waiting.objects.count()) == (3, 0)
    assert Flag.objects.get().rule == bare
    with pytest.raises(book.RuleBroke, match=r"T03 v1, T04 v1"):
        book.ensure_rules_work()
    assert caplog.text.count("was left out") == 2


def test_nothing_goes_to_work_that_cannot_be_compiled(world, aml):
    odd = {"when": {"ge": [1, 0], "within": "24h"}}  # each part of it is known
    with pytest.raises(ValidationError, match="cannot be read"):
        a_rule(by=aml[0], **odd)
    rule = a_rule(by=aml[0], live=False)
    QuerySet.update(Rule.objects.filter(pk=rule.pk), definition=rule.definition | odd)
    rule.refresh_from_db()
    with pytest.raises(ConditionsNotMet):
        services.put_in_shadow(rule, by=aml[0])
    assert services.unmet_for_activation(rule)


def test_the_application_adds_and_reads_counted_transactions_and_never_changes_one(world):
    report(world.licensee, [row(world.account(), 1)], by=world.alice)
    part = "transactions_transaction_y2026m09"
    statements = ["UPDATE {} SET amount = 1", "DELETE FROM {}", "TRUNCATE {}", "SELECT 1 FROM {}"]
    for statement in [*(one.format(part) for one in statements), statements[0].format("transactions_transaction")]:
        with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
            connection.cursor().execute(statement)
    assert Transaction.objects.get().amount == 5000


def test_facts_are_those_that_somebody_writes(world):
    assert set(kinds.FACTS) <= set(risk_model(timezone.now().date()).factors)
    account = world.account()
    learned = learn(account.customer, "person_differs", source="verification", known_on=START.date(), by=world.alice)
    report(world.licensee, [row(account, 1)], by=world.alice)
    end(learned, by=world.alice, reason="mistake")
    report(world.licensee, [row(account, 2)], by=world.alice)
    assert list(Transaction.objects.order_by("nth").values_list("facts", flat=True)) == [kinds.Fact.EVASION, 0]


# --------------------------------------------------------------------------------- late, out of order, replayed
def test_a_deposit_that_comes_late_flags_what_it_completes(world, aml):
    account = world.account()
    a_rule(by=aml[0])
    rows = [row(account, n, after=n * HOUR) for n in range(3)]
    report(world.licensee, [rows[1], rows[2]], by=world.alice)
    assert not Flag.objects.exists()
    report(world.licensee, [rows[0]], by=world.alice)
    flag = Flag.objects.get()
    assert flag.trigger == Transaction.objects.get(source_id=f"tx-{account.reference}-2").id
    assert replay.replay(flag).fired
    # Another late one adds its own hit and counts none twice.
    report(world.licensee, [row(account, 7, after=HOUR / 2)], by=world.alice)
    flag.refresh_from_db()
    assert flag.hits == 2


@settings(
    max_examples=8,
    deadline=None,
    phases=[Phase.generate],  # making an example smaller takes minutes here
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(seed=st.integers(0, 2**32))
def test_any_order_and_any_batches_give_the_same_state_and_the_back_tests_hits(world, aml, seed):
    """Live path, columnar back-test and replay agree, whatever came when."""
    with transaction.atomic():
        _one_history(world, aml, random.Random(seed))
        transaction.set_rollback(True)


def _one_history(world, aml, chance):
    rules = [
        a_rule("T01", by=aml[0]),
        a_rule(
            "T02",
            by=aml[0],
            on=["withdrawal"],
            when={"lt": [{"sum": "bets", "within": "2d"}, {"percent": [{"sum": "deposits", "within": "2d"}, 50]}]},
            parameters={},
        ),
        a_rule("T03", by=aml[0], when={"ge": [{"count": "new_instruments", "within": "24h"}, 2]}, parameters={}),
    ]
    accounts = [world.account(), world.account()]
    rows = [
        row(
            chance.choice(accounts),
            number,
            chance.choice(["deposit", "bet", "withdrawal"]),
            chance.choice([100, 5_000, 77_777]),
            after=timedelta(minutes=chance.randrange(5_000)),
            currency=chance.choice(["EUR", "EUR", "TRY"]),
            instrument_id=chance.choice(["", "one", "two", "three"]),
        )
        for number in range(24)
    ]
    chance.shuffle(rows)
    while rows:
        size = chance.randrange(1, 9)
        report(world.licensee, rows[:size], by=world.alice)
        rows = rows[size:]
    assert Transaction.objects.count() == 24 and not Waiting.objects.exists()
    in_order = [state.data for state in CustomerState.objects.order_by("pk")]
    book = counting.book_for(world.licensee)
    for state, kept in zip(CustomerState.objects.order_by("pk"), in_order, strict=True):
        events = [
            counting.Event(values, world.licensee.zone)
            for values in Transaction.objects.filter(customer=state.customer_id)
            .order_by("at", "id")
            .values_list(*counting.COLUMNS)
        ]
        _hits, anew = counting._walk(events, events[0].order, book, len(events))
        assert counting.State.load(bytes(kept)).dump() == anew.dump()
    found = set()
    for rule in rules:
        table, read = loading.table_of(
            world.licensee, until=START + timedelta(days=9), names=columns.raw_columns(rule.definition)
        )
        places = columns.hits(Compiled(rule.definition), table)
        for place in places:
            found.add((rule.code, UUID(bytes=bytes(read["customer"][place]))))
        hits = len(places)
        assert sum(flag.hits for flag in Flag.objects.filter(rule=rule)) >= hits
        _one_rule(rule, places, read)
    flagged = {(flag.code, flag.customer_id) for flag in Flag.objects.all()}
    assert found <= flagged  # late events add; what was flagged with what was known then stays
    for flag in Flag.objects.select_related("rule", "licensee"):
        again = replay.replay(flag)
        assert again.fired
        assert (again.values, again.sentence, again.parameters) == (flag.values, flag.sentence, flag.parameters)


def _one_rule(rule, places, read):
    """Each transaction at which the back-test fires is in a flag of its customer."""
    named = {}
    for flag in Flag.objects.filter(rule=rule):
        named.setdefault(flag.customer_id, set()).update(flag.transactions)
    for place in places:
        customer = UUID(bytes=bytes(read["customer"][place]))
        assert UUID(bytes=bytes(read["id"][place])) in named[customer]


# --------------------------------------------------------------------------------- shadow, cool-down, snooze, scope
def test_cool_down_shadow_snooze_and_scope(world, aml):
    account, grace = world.account(), aml[0]
    loud = a_rule(by=grace)
    quiet = services.put_in_shadow(a_rule("T02", by=grace, live=False, cool_down_hours=1), by=grace)
    a_rule("T03", by=grace, jurisdictions=["GB"])
    a_rule("T04", by=grace, segments=["high"])
    report(world.licensee, [row(account, n, after=n * HOUR) for n in range(3)], by=world.alice)
    assert [flag.rule for flag in Flag.objects.all()] == [loud]
    assert [flag.rule for flag in ShadowFlag.objects.all()] == [quiet]
    # Closed within the cool-down: a repeat adds to it. After it: a new flag.
    flag = flags.close(Flag.objects.get(), by=grace, outcome="explained")
    report(world.licensee, [row(account, 3, after=4 * HOUR)], by=world.alice)
    assert (Flag.objects.get().hits, ShadowFlag.objects.count()) == (2, 2)
    late = [row(account, 10 + n, after=timedelta(days=4) + n * HOUR) for n in range(3)]
    report(world.licensee, late[:2], by=world.alice)
    sleep = flags.snooze(
        account.customer,
        "T01",
        by=grace,
        until=flags.timezone.now() + timedelta(days=2),
        reason="explained",
        note="Bonus week",
    )
    report(world.licensee, late[2:], by=world.alice)
    sleep.refresh_from_db()
    assert (Flag.objects.count(), sleep.hits) == (1, 1)
    assert flags.end_snoozes(account.customer, "T01", by=grace) == 1
    report(world.licensee, [row(account, 20, after=timedelta(days=4, hours=3))], by=world.alice)
    assert Flag.objects.exclude(pk=flag.pk).get().hits == 1
    assert services.rates()["T01"] == {"raised": 2, "closed": 1, "false": 1}
    retired = services.retire(quiet, by=grace)
    assert retired.state == State.RETIRED and not ShadowFlag.objects.exists()


def test_two_players_on_one_device_are_counted_one_after_the_other(world, aml):
    when = {"ge": [{"attribute": "shared_device"}, 2]}
    a_rule(by=aml[0], on=["deposit"], when=when, parameters={})
    first, second = world.account(), world.account()
    both = [row(second, 0, after=HOUR, device_id="tablet"), row(first, 0, device_id="tablet")]
    report(world.licensee, both, by=world.alice)
    assert Flag.objects.get().customer_id == second.customer_id
    assert sorted(Transaction.objects.values_list("shared_device", flat=True)) == [1, 2]
    report(world.licensee, [row(first, 1, after=2 * HOUR, device_id="tablet")], by=world.alice)
    assert Transaction.objects.filter(shared_device=0).count() == 1


def test_another_set_of_rules_makes_the_states_anew(world, aml):
    account = world.account()
    report(world.licensee, [row(account, n, after=n * HOUR) for n in range(3)], by=world.alice)
    a_rule(by=aml[0])
    report(world.licensee, [row(account, 3, after=3 * HOUR)], by=world.alice)
    assert Flag.objects.get().values["compared"][0]["left"] == 4


# --------------------------------------------------------------------------------- back-test
def test_a_back_test_finds_what_the_live_path_found_and_tries_other_values(world, aml):
    grace = aml[0]
    accounts = [world.account() for _ in range(3)]
    live = a_rule(by=grace)
    rows = [
        row(one, number, after=number * HOUR * 5, label="structuring" if place == 0 else "")
        for place, one in enumerate(accounts)
        for number in range(3 + 3 * place)
    ]
    report(world.licensee, rows, by=world.alice)
    draft = a_rule(by=grace, live=False, when={"ge": [{"count": "deposits", "within": "48h"}, {"param": "n"}]})
    test = backtests.ask(
        draft,
        world.licensee,
        from_on=world.licensee.day_of(START),
        to_on=world.licensee.day_of(START + timedelta(days=3)),
        grid={"n": [3, 6, 100]},
        by=grace,
    )
    backtests.run(str(test.pk))
    backtests.run(str(test.pk))  # a second message changes nothing
    test.refresh_from_db()
    found = test.findings
    assert (test.progress, found["rows"], found["labelled"], found["right"]) == (100, 18, 1, 1)
    assert (found["customers"], found["both"], found["only_now"], found["only_live"]) == (3, 3, 0, 0)
    assert [one["flags"] >= 0 for one in found["variants"]] == [True] * 3
    assert found["variants"][0]["flags"] > found["variants"][1]["flags"] > found["variants"][2]["flags"] == 0
    assert sum(found["by_day"].values()) == found["flags"]
    day = world.licensee.day_of(START)
    again = backtests.find(live.definition, world.licensee, from_on=day, to_on=day + timedelta(days=5))
    assert again.hits == sum(flag.hits for flag in Flag.objects.filter(rule=live))
    stopped = backtests.ask(draft, world.licensee, from_on=day, to_on=day, grid={}, by=grace)
    backtests.cancel(stopped, by=grace)
    backtests.run(str(stopped.pk))
    stopped.refresh_from_db()
    assert (stopped.findings, stopped.finished_at) == ({}, None)


# --------------------------------------------------------------------------------- life of a rule
def test_a_rule_goes_live_by_two_persons_and_replaces_the_one_before(world, aml):
    from_now = a_rule(by=aml[0])
    draft = a_rule(by=aml[0], live=False, cool_down_hours=48)
    with pytest.raises(services.SecondPersonNeeded):
        services.activate(draft, by=aml[1])
    with pytest.raises(services.Denied):
        services.write("T09", title="x", severity="high", definition=draft.definition, by=world.bob)
    proposal = services.propose_activation(draft, by=aml[0], reason="tuning", note="quieter")
    assert proposal.log == "aml"
    assert not Entry.objects.filter(log="main", action__startswith="proposals.").exists()
    assert not Entry.objects.filter(log="main", action__startswith="monitoring_rules.").exists()
    assert Rule.objects.get(pk=from_now.pk).state == State.LIVE


def test_shipped_rules_come_once_and_as_drafts(world):
    rules = services.ship()
    assert {rule.state for rule in rules} == {State.DRAFT} and len(rules) == 21
    assert services.ship() == []
