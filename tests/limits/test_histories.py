"""Whatever is done in whatever order, on whatever clock, in whatever zone, and whenever a process begins anew: no limit
is ever raised except by the player's own confirmation after the wait.
"""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from audit.actors import system
from audit.perform import ConditionsNotMet, Denied, WrongState
from cases.types.gaming.limits import rules, services
from cases.types.gaming.limits.models import LimitChange
from tests.limits.conftest import a_key, a_player
from tests.restarting import restart
from tests.world import a_world

START = datetime(2026, 11, 25, 12, tzinfo=UTC)
CURRENCY = {"GB": "GBP", "SE": "SEK", "TR": "TRY"}
REFUSED = (ConditionsNotMet, Denied, WrongState)
# A day that was left out, clocks that change at midnight, quarters of an hour, and both sides of the date line.
ZONES = ["Pacific/Apia", "America/Havana", "Asia/Kathmandu", "Europe/London", "Pacific/Kiritimati", "Etc/GMT+12"]
ACTS = st.one_of(
    st.tuples(st.just("ask"), st.sampled_from([None, 0, 50_000, 90_000, 99_999, 200_000])),
    st.tuples(st.just("confirm"), st.integers(0, 3)),
    st.tuples(st.just("confirm_by_staff"), st.integers(0, 3)),
    st.tuples(st.just("withdraw"), st.integers(0, 3)),
    st.tuples(st.just("sweep"), st.none()),
    st.tuples(st.just("exclude"), st.none()),
    st.tuples(st.just("rule"), st.sampled_from([0, 40_000, 90_000, 300_000])),
    st.tuples(st.sampled_from(["zone", "zone_of_the_licensee"]), st.sampled_from(ZONES)),
    st.tuples(st.just("restart"), st.none()),
)
STEPS = st.lists(
    st.tuples(
        # The clock goes on, stands still, and now and then back: another machine's, or one that was set.
        st.sampled_from([-3_600, 0, 1, 3_600, 86_400, 3 * 86_400, 7 * 86_400, 40 * 86_400]),
        st.sampled_from(["day", "week", "month"]),
        st.sampled_from(["", "", "rolling", "fixed", "calendar"]),
        st.sampled_from(["player", "key"]),
        st.sampled_from(["UTC", *ZONES]),  # of whatever process happens to do it
        ACTS,
    ),
    min_size=3,
    max_size=10,
)


@pytest.fixture
def people(db, in_context):
    world = a_world()
    return {"alice": world.alice, "world": world}


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(st.sampled_from(["GB", "SE", "DE", "ES", "NL", "TR"]), STEPS)
def test_no_limit_is_raised_but_by_the_players_own_confirmation_after_the_wait(people, jurisdiction, steps):
    account, player = a_player(jurisdiction)
    people["world"].licensee = account.licensee
    key, _headers = a_key(people["world"])
    history = History(account, {"player": player, "key": key}, people["alice"], CURRENCY.get(jurisdiction, "EUR"))
    now = START
    for seconds, span, window, who, zone, act in steps:
        now += timedelta(seconds=seconds)
        before, imposed = history.in_force(), history.in_force(imposed=True)
        with timezone.override(zone):
            history.act(act, span, window, who, now)
        history.hold(before, act, who, now)
        for one, row in imposed.items():
            assert history.in_force(imposed=True)[one].amount <= row.amount, "what was imposed only sinks"


class History:
    """One player's limits, and what was in force before each act."""

    def __init__(self, account, people, staff, currency):
        self.account, self.people, self.staff, self.currency = account, people, staff, currency
        self.confirmed = None

    def in_force(self, *, imposed=False):
        rows = LimitChange.objects.filter(account=self.account, imposed=imposed, state="effective")
        return {row.span: row for row in rows}

    def act(self, act, span, window, who, now):
        name, given = act
        by, self.confirmed = self.people[who], None
        try:
            if name == "ask":
                facts = {"measure": "deposit", "span": span, "amount": given, "window": window, "now": now}
                services.ask(self.account, currency=self.currency, by=by, **facts)
            elif name in ("confirm", "confirm_by_staff", "withdraw"):
                self._on_one(name, given, by, now)
            elif name == "sweep":
                services.sweep(now)
            elif name == "exclude":
                services.cancel_raises(self.account.customer, by=system(), reason="excluded", now=now)
            elif name == "rule":
                facts = {"measure": "deposit", "span": span, "amount": given, "now": now}
                services.reduce_by_rule(self.account, currency=self.currency, **facts)
            elif name == "restart":
                self.begin_anew(now)
            else:
                changed = self.account if name == "zone" else self.account.licensee
                changed.time_zone = given
                changed.save(update_fields=["time_zone"])
        except REFUSED as refused:
            event(f"{name}: {type(refused).__name__}")
        else:
            event(f"{name}: done")

    def begin_anew(self, now):
        """Nothing is remembered, every row is read again, and the workers run twice."""
        assert restart() > 0
        self.account = type(self.account).objects.select_related("licensee", "customer").get(pk=self.account.pk)
        services.sweep(now)
        assert services.sweep(now) == 0

    def _on_one(self, name, place, by, now):
        changes = list(LimitChange.objects.filter(account=self.account).order_by("requested_at", "id"))
        if changes:
            change = changes[place % len(changes)]
            if name == "withdraw":
                services.withdraw(change, by=by, now=now)
            else:
                by = self.staff if name == "confirm_by_staff" else by
                self.confirmed = services.confirm(change, by=by, now=now)

    def hold(self, before, act, who, now):
        after = self.in_force()
        assert before.keys() <= after.keys(), "a limit never just goes"
        for span, was in before.items():
            row = after[span]
            if row.pk == was.pk:
                assert (row.amount, row.window, row.zone) == (was.amount, was.window, was.zone)
            elif rules.weakens(rules.of(row), rules.of(was)):
                assert act[0] == "confirm", "staff, sweeps, exclusions and requests raise nothing"
                assert self.confirmed is not None and row.pk == self.confirmed.pk
                assert row.requested_at < row.confirmable_at <= row.confirmed_at == now < row.lapses_at
                assert row.confirmable_at - row.requested_at >= timedelta(hours=24)
                event("raised")
            else:
                assert (row.zone, row.anchor_at) == (was.zone, was.anchor_at) or row.raises, "no stretch begins anew"
