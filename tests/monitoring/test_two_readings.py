"""The live reading and the columnar reading of a rule are one: whatever happens, they fire at the same transactions."""

import random
from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from django.core.exceptions import ValidationError
from hypothesis import given, settings
from hypothesis import strategies as st

from cases.patterns import expressions, words
from cases.patterns.closures import Compiled, RuleBook
from cases.patterns.events import ATTRIBUTES, COLUMNS, Event
from cases.patterns.features import FEATURES
from cases.patterns.kinds import Instrument, Kind
from cases.patterns.state import State
from cases.types.monitoring.rules import columns
from cases.types.monitoring.rules.columns import NONE, Table
from cases.types.monitoring.rules.shipped import SHIPPED

ISTANBUL = ZoneInfo("Europe/Istanbul")
START = datetime(2026, 3, 20, 21, 30, tzinfo=UTC)  # the night in which clocks change in Berlin comes a week later


def history(seed, *, customers=4, rows=120, zone=ISTANBUL, spread=timedelta(days=40)):
    """Transactions in the order of time, of few customers, instruments and countries, so that everything meets."""
    chance = random.Random(seed)
    found = []
    for _number in range(rows):
        kind = chance.choice(Kind.values)
        values = {
            "id": UUID(int=chance.getrandbits(128)),
            "at": START + timedelta(seconds=chance.randrange(int(spread.total_seconds()))),
            "customer_id": UUID(int=chance.randrange(1, customers + 1)),
            "kind": kind,
            "amount": chance.choice([1, 4_999, 50_000, 170_000, 199_999, 200_000, 1_000_000]),
            "currency": chance.choice(["EUR", "EUR", "EUR", "TRY", "JPY"]),
            "instrument": chance.choice([None, UUID(int=7), UUID(int=8), UUID(int=9)]),
            "instrument_kind": chance.choice(["", *Instrument.values]),
            "instrument_country": chance.choice(["", "TR", "IR"]),
            "holder_match": chance.choice([None, 20, 84, 85, 100]),
            "device": None,
            "network": None,
            "ip_country": chance.choice(["", "TR", "TR", "DE", "IR"]),
            "proxy": chance.random() < 0.1,
            "covered": chance.choice([None, 50, 95]),
            "income": chance.choice([None, 100_000]),
            "nationality": chance.choice(["TR", "KP", ""]),
            "risk": chance.choice(["low", "medium", "high"]),
            "facts": chance.choice([0, 0, 0, 1, 2, 4, 7]),
            "shared_device": chance.choice([0, 0, 2]),
            "shared_instrument": chance.choice([0, 0, 3]),
            "shared_network": chance.choice([0, 5]),
        }
        found.append(Event(tuple(values[name] for name in COLUMNS), zone))
    return sorted(found, key=lambda event: (event.customer_id.int, *event.order))


def as_table(events):
    """The same events as columns."""

    def ints(values):
        return np.array(list(values), np.int64)

    raw = {}
    for name, attribute in ATTRIBUTES.items():
        if attribute.column:
            values = [getattr(event, name) for event in events]
            coded = attribute.codes is not None
            raw[name] = ints((columns.code(name, one) for one in values) if coded else values)
    numbers = {None: NONE} | {UUID(int=one): one for one in (7, 8, 9)}
    return Table(
        customer=ints(event.customer_id.int for event in events),
        time=ints(event.time for event in events),
        hour=ints(event.hour for event in events),
        day=ints(event.day for event in events),
        currency=ints(columns.letters(event.currency) for event in events),
        columns=raw | {"facts": ints(event.facts for event in events)},
        instrument=ints(numbers[event.instrument] for event in events),
    )


def live(rules, events):
    """Which rule fires at which event, one customer after the other, as the worker does it."""
    book, found, state, whose = RuleBook(rules), set(), State(), None
    for place, event in enumerate(events):
        if event.customer_id != whose:
            state, whose = State(), event.customer_id
        state = State.load(state.dump())  # each batch reads what the one before wrote
        book.take(event, state)
        found |= {(rule.code, place) for rule in book.ask(event, state)}
    return found


def columnar(rules, events):
    table = as_table(events)
    return {(rule.code, int(place)) for rule in rules for place in columns.hits(rule, table)}


# ----------------------------------------------------------------------------------------------- shipped rules
ALL_SHIPPED = [Compiled(definition, code=code) for code, _title, _severity, definition in SHIPPED]


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32), spread=st.sampled_from([2, 40, 400]))
def test_shipped_rules_fire_at_the_same_transactions_in_both_readings(seed, spread):
    events = history(seed, spread=timedelta(days=spread))
    assert live(ALL_SHIPPED, events) == columnar(ALL_SHIPPED, events)


def test_every_shipped_rule_fires_somewhere_in_these_histories():
    """Else the equality above would say nothing about it. Others need a history of their own: test_generator."""
    fired = set()
    for seed in range(12):
        fired |= {
            code for code, _place in live(ALL_SHIPPED, history(seed, customers=2, rows=200, spread=timedelta(days=9)))
        }
    assert {rule.code for rule in ALL_SHIPPED} - fired <= {"R01", "R04", "R06", "R07", "R09G", "R10", "R13", "R14"}


# ------------------------------------------------------------------------------------------------- any rule
numbers = st.deferred(
    lambda: st.one_of(
        st.integers(-3, 300_000),
        st.sampled_from([{"param": "n"}, {"param": "share"}, {"param": "amount"}]),
        st.sampled_from([{"attribute": name} for name, one in ATTRIBUTES.items() if one.codes is None]),
        st.builds(
            lambda what, feature, within, more: {what: feature, "within": within} | more,
            st.sampled_from(["count", "sum"]),
            st.sampled_from(["deposits", "activity", "near_deposits", "new_instruments", "round_deposits"]),
            st.sampled_from(["1h", "24h", "2d", "30d", "200d"]),
            st.sampled_from([{}, {}, {"per": "2d"}]),
        ),
        st.builds(lambda within: {"sum": "bets", "within": within, "before": "3d"}, st.sampled_from(["1d", "90d"])),
        st.builds(lambda a, b: {"minus": [a, b]}, numbers, numbers),
        st.builds(lambda a: {"percent": [a, {"param": "share"}]}, numbers),
        st.builds(lambda a, b: {"plus": [a, b]}, numbers, numbers),
    )
)
truths = st.deferred(
    lambda: st.one_of(
        st.builds(lambda op, a, b: {op: [a, b]}, st.sampled_from(expressions.COMPARES), numbers, numbers),
        st.builds(lambda parts: {"all": parts}, st.lists(truths, min_size=1, max_size=3)),
        st.builds(lambda parts: {"any": parts}, st.lists(truths, min_size=1, max_size=3)),
        st.builds(lambda inner: {"not": inner}, truths),
        st.sampled_from(
            [
                {"fact": "excluded"},
                {"in": [{"attribute": "ip_country"}, {"param": "countries"}]},
                {"in": [{"attribute": "instrument_kind"}, ["card", ""]]},
            ]
        ),
    )
)
PARAMETERS = {
    "n": {"type": "number", "value": 3},
    "share": {"type": "percent", "value": 80},
    "covered": {"type": "percent", "value": 90},
    "amount": {"type": "money", "value": {"EUR": 50_000, "TRY": 4_000}},
    "threshold": {"type": "money", "value": {"EUR": 200_000}},
    "unit": {"type": "money", "value": {"EUR": 50_000, "JPY": 7}},
    "countries": {"type": "words", "value": ["IR", "DE"]},
}


def definition(when, on=("deposit", "bet", "withdrawal")):
    return {"on": list(on), "when": when, "parameters": PARAMETERS, "cool_down_hours": 24}


@settings(max_examples=100, deadline=None)
@given(
    when=truths,
    seed=st.integers(0, 2**32),
    zone=st.sampled_from(["Europe/Istanbul", "Asia/Kathmandu", "Europe/Berlin"]),
)
def test_any_rule_fires_at_the_same_transactions_in_both_readings(when, seed, zone):
    try:
        expressions.check(definition(when))
    except ValidationError as error:  # too large is all that may be wrong with what is made here
        assert "too large" in str(error)
        return
    events = history(seed, rows=50, zone=ZoneInfo(zone))
    rule = Compiled(definition(when), code="any")
    assert live([rule], events) == columnar([rule], events)
    assert words.rule_in_words(definition(when))


# ------------------------------------------------------------------------------------------------- a third opinion
@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32), hours=st.sampled_from([1, 24, 48]))
def test_a_window_counts_what_one_counts_by_hand(seed, hours):
    events = history(seed, customers=2, rows=60, spread=timedelta(days=3))
    asked = definition({"ge": [{"sum": "deposits", "within": f"{hours}h"}, 1]}, on=["deposit"])
    rule = Compiled(asked)
    book, state, whose = RuleBook([rule]), State(), None
    for event in events:
        if event.customer_id != whose:
            state, whose, before = State(), event.customer_id, []
        before.append(event)
        book.take(event, state)
        if event.kind != "deposit":
            continue
        by_hand = sum(
            one.amount
            for one in before
            if one.kind == "deposit" and one.currency == event.currency and event.hour - one.hour < hours
        )
        assert rule.explain(event, state)[0].left == by_hand


def test_days_are_the_licensees():
    """A deposit at 23:30 and one at 00:30 in Istanbul are of two days, whatever London thinks."""
    at = datetime(2026, 5, 1, 20, 30, tzinfo=UTC)
    late, early = (
        Event(tuple(_plain(at + timedelta(hours=more), number)[name] for name in COLUMNS), ISTANBUL)
        for number, more in enumerate((0, 1))
    )
    assert early.day - late.day == 1
    rule = Compiled(definition({"ge": [{"count": "deposits", "within": "1d"}, 2]}, on=["deposit"]), code="day")
    assert live([rule], [late, early]) == columnar([rule], [late, early]) == set()


def _plain(at, number):
    blank = dict.fromkeys(COLUMNS)
    words = dict.fromkeys(("instrument_kind", "instrument_country", "ip_country", "nationality", "risk"), "")
    zero = dict.fromkeys(("proxy", "facts", "shared_device", "shared_instrument", "shared_network"), 0)
    return (
        blank
        | words
        | zero
        | {
            "id": UUID(int=number + 1),
            "at": at,
            "customer_id": UUID(int=1),
            "kind": "deposit",
            "amount": 100,
            "currency": "EUR",
        }
    )


# ------------------------------------------------------------------------------------------------- what is no rule
@pytest.mark.parametrize(
    ("broken", "place"),
    [
        ({"when": {"ge": [1.5, 2]}}, "when.ge.0"),
        ({"when": {"eval": "import os"}}, "when"),
        ({"when": {"ge": [{"count": "nothing", "within": "1h"}, 1]}}, "when.ge.0"),
        ({"when": {"ge": [{"count": "deposits", "within": "49h"}, 1]}}, "when.ge.0"),
        ({"when": {"ge": [{"sum": "bets", "within": "400d", "before": "1d"}, 1]}}, "when.ge.0"),
        ({"when": {"ge": [{"param": "unheard"}, 1]}}, "when.ge.0"),
        ({"when": {"in": [{"attribute": "risk"}, ["enormous"]]}}, "when.in"),
        ({"when": {"all": []}}, "when"),
        ({"on": ["theft"]}, "on"),
        ({"cool_down_hours": 0}, "cool_down_hours"),
        ({"parameters": {"n": {"type": "money", "value": {"EUR": 1.0}}}}, "parameters.n"),
        ({"surprise": 1}, "surprise"),
    ],
)
def test_what_is_no_rule_is_refused_with_its_place(broken, place):
    with pytest.raises(ValidationError) as error:
        expressions.check(definition({"ge": [{"count": "deposits", "within": "24h"}, 2]}) | broken)
    assert any(text.startswith(f"{place}: ") or text.startswith(f"{place}.") for text in error.value.messages)


def test_a_rule_of_endless_depth_is_refused():
    deep = {"fact": "excluded"}
    for _level in range(40):
        deep = {"not": deep}
    with pytest.raises(ValidationError):
        expressions.check(definition(deep))


def test_every_shipped_rule_is_one_and_reads_as_a_sentence():
    for code, title, _severity, shipped in SHIPPED:
        expressions.check(shipped)
        assert title and "{" not in words.rule_in_words(shipped), code
    assert {code[:3] for code, *_rest in SHIPPED} == {f"R{number:02}" for number in range(1, 21)}


def test_a_feature_used_by_rules_never_changes_its_meaning():
    """Flags are replayed with it. A new meaning is a new feature."""
    assert expressions.digest({name: one.where for name, one in sorted(FEATURES.items())})[:16] == "899b7fb099247188"
