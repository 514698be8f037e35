"""One test for each rule of the law on limits, and the life of a raise."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import DatabaseError, transaction

from audit.actors import system
from audit.models import Entry
from audit.perform import ConditionsNotMet, Denied, WrongState
from cases.protection import stop_play
from cases.types.gaming.limits import checks, services
from cases.types.gaming.limits.models import LimitChange, Reservation
from cases.types.gaming.limits.rules import contact_due
from compliance.policy import policy_for
from compliance.policy.book import book
from compliance.rulebook.queries import policy_of
from tests.limits.conftest import a_key, a_player

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)  # a Wednesday
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
CURRENCIES = {"GB": "GBP", "SE": "SEK", "TR": "TRY", "DK": "DKK"}


COVERED: dict[str, str] = {}


def of_rules(*ids):
    """The rules that this test runs, by their ids: none of the law's may be without one."""

    def noted(test):
        COVERED.update(dict.fromkeys(ids, test.__name__))
        return test

    return noted


@pytest.fixture
def under(db, in_context):
    """`under("SE")`: a player there and a way to ask for limits."""

    def under(jurisdiction, zone="UTC", **facts):
        account, player = a_player(jurisdiction, zone, **facts)
        currency = CURRENCIES.get(jurisdiction, "EUR")

        def ask(amount, span="month", measure="deposit", now=NOON, **more):
            given = {"measure": measure, "span": span, "amount": amount, "by": player, "now": now}
            given["currency"] = "" if measure == "session" else currency
            return services.ask(account, **given | more)

        ask.account, ask.player, ask.policy = account, player, policy_for(jurisdiction, on=date(2026, 11, 25))
        return ask

    return under


def waits(change):
    return change.confirmable_at - change.requested_at


def test_a_first_limit_and_a_lowering_hold_at_once(under):
    ask = under("GB")
    first, lower = ask(10_000), ask(9_000, now=NOON + HOUR)
    assert (first.state, lower.state) == ("effective", "effective")
    assert LimitChange.objects.get(pk=first.pk).state == "superseded"
    asked = Entry.objects.filter(object_id=str(lower.pk)).order_by("id").values_list("action", flat=True)
    assert list(asked) == ["limits.ask", "limits.take_effect"]  # asked and took effect: two entries


@of_rules("GB.RG.LIMIT.INCREASE_COOLOFF")
def test_GB_RG_LIMIT_INCREASE_COOLOFF(under):
    ask = under("GB")
    ask(10_000)
    change = ask(20_000)
    assert (change.state, change.rule, waits(change)) == ("waiting", "GB.RG.LIMIT.INCREASE_COOLOFF", 24 * HOUR)
    with pytest.raises(ConditionsNotMet, match="waiting time"):
        services.confirm(change, by=ask.player, now=NOON + 24 * HOUR - timedelta(microseconds=1))
    done = services.confirm(change, by=ask.player, now=NOON + 24 * HOUR)
    assert (done.state, done.amount) == ("effective", 20_000)


@of_rules("GB.RG.LIMIT.BASIS", "GB.RG.LIMIT.WINDOWS_DEPOSIT")
def test_GB_RG_LIMIT_BASIS_and_WINDOWS_DEPOSIT(under):
    change = under("GB")(10_000)
    assert (change.basis, change.window) == ("gross", "fixed")
    for window in ("rolling", "calendar"):
        with pytest.raises(ConditionsNotMet, match="window"):
            under("GB")(9_000, window=window)


@of_rules("GB.RG.LIMIT.WINDOWS_LOSS", "GB.RG.LIMIT.WINDOWS_WAGER", "GB.RG.LIMIT.WINDOWS_SESSION")
@pytest.mark.parametrize("measure", ["loss", "wager", "session"])
def test_GB_RG_LIMIT_WINDOWS_of_other_measures(under, measure):
    ask = under("GB")
    assert ask(3_600, measure=measure).window == "fixed"
    assert ask(3_600, measure=measure, window="rolling", span="week").window == "rolling"
    with pytest.raises(ConditionsNotMet, match="Offered: fixed, rolling"):
        ask(3_000, measure=measure, window="calendar", span="day")


@of_rules("GB.RG.LIMIT.SPANS", "SE.RG.LIMIT.SPANS", "DK.RG.LIMIT.SPANS")
@pytest.mark.parametrize("jurisdiction", ["GB", "SE", "DK"])
def test_RG_LIMIT_SPANS(under, jurisdiction):
    ask = under(jurisdiction)
    assert [ask(10_000, span=span).state for span in ("day", "week", "month")] == ["effective"] * 3


@of_rules("SE.RG.LIMIT.RAISE_WAIT", "SE.RG.LIMIT.RAISE_AFTER_SPAN")
def test_SE_RG_LIMIT_RAISE_WAIT_and_RAISE_AFTER_SPAN(under):
    """72 hours, and not before the running day, week or month is over."""
    ask = under("SE", zone="Europe/Stockholm")
    for span in ("day", "week", "month"):
        ask(100_000, span=span)
    assert ask(200_000, span="day").confirmable_at == NOON + 72 * HOUR
    assert ask(200_000, span="week").confirmable_at == datetime(2026, 11, 29, 23, tzinfo=UTC)  # Monday in Stockholm
    assert ask(200_000, span="month").confirmable_at == datetime(2026, 11, 30, 23, tzinfo=UTC)
    late = ask(300_000, span="month", now=datetime(2026, 11, 30, 12, tzinfo=UTC))
    assert late.confirmable_at == datetime(2026, 12, 3, 12, tzinfo=UTC)


@of_rules("SE.RG.LIMIT.MANDATORY", "DE.RG.LIMIT.MANDATORY", "IT.RG.LIMIT.MANDATORY")
@pytest.mark.parametrize("jurisdiction", ["SE", "DE", "IT"])
def test_RG_LIMIT_MANDATORY_the_last_limit_of_deposits_stays(under, jurisdiction):
    ask = under(jurisdiction)
    ask(10_000)
    with pytest.raises(ConditionsNotMet, match="is needed here"):
        ask(None)
    ask(1_000, span="day")
    assert ask(None).state == "waiting"


@of_rules("NL.RG.LIMIT.MANDATORY")
def test_NL_RG_LIMIT_MANDATORY(under):
    assert under("NL").policy.limits.mandatory.value == ("deposit", "session")


@of_rules("SE.RG.LIMIT.CONTACT")
def test_SE_RG_LIMIT_CONTACT(under):
    ask = under("SE")
    on = date(2026, 11, 25)
    assert contact_due(ask.policy, ask.account, ask(1_000_001), on=on) == "SE.RG.LIMIT.CONTACT"
    assert contact_due(ask.policy, ask.account, ask(1_000_000, now=NOON + HOUR), on=on) == ""


@of_rules("NL.RG.LIMIT.CONTACT")
def test_NL_RG_LIMIT_CONTACT_is_lower_for_the_young(under):
    on = date(2026, 11, 25)
    old, young = under("NL"), under("NL", born=date(2003, 11, 26))
    assert contact_due(old.policy, old.account, old(35_000), on=on) == ""
    assert contact_due(young.policy, young.account, young(15_001), on=on) == "NL.RG.LIMIT.CONTACT"
    assert contact_due(old.policy, young.account, young(15_000), on=on) == ""


@of_rules("DE.RG.LIMIT.RAISE_WAIT", "DE.RG.LIMIT.CAP")
def test_DE_RG_LIMIT_RAISE_WAIT_and_CAP(under):
    ask = under("DE")
    assert ask(50_000).window == "calendar"
    change = ask(100_000)
    assert (change.rule, waits(change)) == ("DE.RG.LIMIT.RAISE_WAIT", 7 * DAY)
    with pytest.raises(ConditionsNotMet, match=r"at most .*1,000\.00.*DE\.RG\.LIMIT\.CAP"):
        ask(100_001)


@of_rules("DE.RG.LIMIT.BASIS", "DE.RG.LIMIT.WINDOWS_DEPOSIT")
def test_DE_RG_LIMIT_BASIS_and_WINDOWS_DEPOSIT(under):
    ask = under("DE")
    assert ask(50_000).basis == "gross"
    with pytest.raises(ConditionsNotMet, match="Offered: calendar"):
        ask(40_000, window="rolling")


@of_rules("ES.RG.LIMIT.DEFAULTS", "ES.RG.LIMIT.RAISE_STEPS")
def test_ES_RG_LIMIT_DEFAULTS_and_RAISE_STEPS(under):
    ask = under("ES")
    first = ask(70_000, span="day")  # the default of 600 holds, so this is a raise though no limit was set
    assert (first.state, first.rule, first.requires, waits(first)) == (
        "waiting",
        "ES.RG.LIMIT.RAISE_STEPS",
        "test",
        7 * DAY,
    )
    assert ask(60_000, span="day").state == "effective", "the default itself is no raise"
    first = ask(70_000, span="day")
    later = NOON + 7 * DAY
    with pytest.raises(ConditionsNotMet, match="law asks for"):
        services.confirm(first, by=ask.player, now=later)
    with pytest.raises(Denied):
        services.meet_requirement(first, by=ask.player)
    first = met(first, ask)
    assert services.confirm(first, by=ask.player, now=later).state == "effective"
    second = ask(80_000, span="day", now=later + HOUR)
    assert (second.requires, second.step, waits(second)) == ("history_review", 1, 3 * DAY)
    second = met(second, ask)
    done = services.confirm(second, by=ask.player, now=later + 4 * DAY)
    with pytest.raises(ConditionsNotMet, match="After the last raise none is taken before"):
        ask(90_000, span="day", now=done.effective_at + 80 * DAY)
    assert ask(90_000, span="day", now=done.effective_at + 95 * DAY).requires == "history_review"


def test_ES_RG_LIMIT_RAISE_STEPS_are_not_passed_by_asking_for_several_spans_together(under):
    ask, later = under("ES"), NOON + 8 * DAY
    day, week = met(ask(70_000, span="day"), ask), met(ask(170_000, span="week"), ask)
    assert services.confirm(day, by=ask.player, now=later).state == "effective"
    with pytest.raises(ConditionsNotMet, match="Another raise took effect meanwhile"):
        services.confirm(week, by=ask.player, now=later)
    assert ask(170_000, span="week", now=later).requires == "history_review"


def test_ES_RG_LIMIT_DEFAULTS_in_another_currency_every_limit_is_a_raise(under):
    """The law's amount cannot be compared with it, so it counts as zero."""
    ask = under("ES")
    assert ask(10_000, span="day", currency="TRY").state == "waiting"


def met(change, ask):
    """The requirement as whoever may say so records it."""
    change.requirement_met_at = NOON
    change.save(update_fields=["requirement_met_at"])
    return change


@of_rules("ES.RG.LIMIT.BASIS")
def test_ES_RG_LIMIT_BASIS(under):
    assert under("ES")(50_000).basis == "gross"


@of_rules("NL.RG.LIMIT.CAP")
def test_NL_RG_LIMIT_CAP(under):
    ask, young = under("NL"), under("NL", born=date(2003, 11, 26))
    assert ask(70_000).state == "effective"
    with pytest.raises(ConditionsNotMet, match="verified by nobody"):
        ask(70_000, window="rolling", span="day", measure="wager") and ask(80_000, span="day", measure="wager")
    assert young(30_000).state == "effective"


@of_rules("DK.RG.LIMIT.RAISE_WAIT", "DK.RG.LIMIT.BASIS")
def test_DK_RG_LIMIT_RAISE_WAIT_and_BASIS(under):
    ask = under("DK")
    assert ask(50_000).basis == "gross"
    change = ask(60_000)
    assert (change.rule, waits(change)) == ("DK.RG.LIMIT.RAISE_WAIT", 24 * HOUR)


@of_rules("IT.RG.LIMIT.RAISE_WAIT", "MT.RG.LIMIT.RAISE_WAIT", "OP.RG.LIMIT.RAISE_WAIT")
@pytest.mark.parametrize(
    ("jurisdiction", "rule", "days"),
    [("IT", "IT.RG.LIMIT.RAISE_WAIT", 7), ("MT", "MT.RG.LIMIT.RAISE_WAIT", 1), ("TR", "OP.RG.LIMIT.RAISE_WAIT", 1)],
)
def test_RG_LIMIT_RAISE_WAIT_by_the_operators_choice(under, jurisdiction, rule, days):
    ask = under(jurisdiction)
    ask(50_000)
    change = ask(60_000)
    assert (change.rule, waits(change)) == (rule, days * DAY)


@of_rules("OP.RG.LIMIT.CONFIRM_WITHIN")
def test_OP_RG_LIMIT_CONFIRM_WITHIN_an_unconfirmed_raise_lapses(under):
    ask = under("TR")
    ask(50_000)
    change = ask(60_000)
    assert services.sweep(NOON + DAY - HOUR) == 0
    assert services.sweep(NOON + DAY) == 1
    assert LimitChange.objects.get(pk=change.pk).state == "confirmable"
    assert change.lapses_at == NOON + 8 * DAY
    with pytest.raises(ConditionsNotMet, match="time to confirm is over"):
        services.confirm(change, by=ask.player, now=change.lapses_at)
    assert services.sweep(change.lapses_at) == 1
    assert services.sweep(change.lapses_at) == 0
    assert LimitChange.objects.get(pk=change.pk).state == "lapsed"
    with pytest.raises(WrongState):
        services.confirm(change, by=ask.player, now=change.lapses_at)
    assert LimitChange.objects.get(account=ask.account, state="effective").amount == 50_000


@of_rules(
    "OP.RG.LIMIT.MEASURES",
    "OP.RG.LIMIT.SPANS",
    "OP.RG.LIMIT.BASIS",
    "OP.RG.LIMIT.WINDOWS_DEPOSIT",
    "OP.RG.LIMIT.WINDOWS_LOSS",
    "OP.RG.LIMIT.WINDOWS_WAGER",
    "OP.RG.LIMIT.WINDOWS_SESSION",
)
def test_OP_RG_LIMIT_choices(under):
    """Measures, spans, basis and windows that the operator chose where no law says them."""
    ask = under("TR")
    for measure in ("deposit", "loss", "wager", "session"):
        for window, span in (("calendar", "day"), ("fixed", "week"), ("rolling", "month")):
            assert ask(3_600, measure=measure, window=window, span=span).state == "effective"
    assert ask(3_500).basis == "gross"
    assert ask.policy.limits.deposit_basis.id == "OP.RG.LIMIT.BASIS"
    for facts, said in (({"measure": "balance"}, "measure"), ({"span": "year"}, "span"), ({"window": "x"}, "window")):
        with pytest.raises(ConditionsNotMet, match=f"^{said}"):
            ask(3_000, **facts)


@of_rules("OP.RG.LIMIT.RESERVATION")
def test_OP_RG_LIMIT_RESERVATION_room_is_held_for_an_hour_and_free_again(under, world):
    ask = under("TR")
    ask(50_000, now=None)
    key, _headers = a_key(world)
    key.licensee = ask.account.licensee
    asked = {"act": "deposit", "currency": "TRY", "amount": 40_000, "by": key}
    held = checks.reserve(ask.account, source_id="a", **asked).reservation
    assert held.expires_at - held.made_at == HOUR
    assert not checks.reserve(ask.account, source_id="b", **asked).fits
    Reservation.objects.filter(pk=held.pk).update(expires_at=held.made_at)
    assert checks.reserve(ask.account, source_id="b", **asked).fits


@of_rules("SE.RG.LIMIT.BASIS")
def test_SE_RG_LIMIT_BASIS(under):
    assert under("SE")(50_000).basis == "gross"


def test_every_rule_on_limits_has_a_test_that_names_it():
    known = {
        rule.id for policy in book().versions.values() for path, rule in policy.rules() if path.startswith("limits.")
    }
    assert known == COVERED.keys()
    assert all(callable(globals()[test]) for test in COVERED.values())


# --------------------------------------------------------------------------------------------- who may, what cancels
def test_a_lowering_cancels_every_raise_and_a_new_raise_takes_the_place_of_the_old(under):
    ask = under("TR")
    ask(50_000)
    ask(5_000, span="day")
    first, second = ask(60_000), ask(70_000)
    assert LimitChange.objects.get(pk=first.pk).state == "superseded"
    ask(4_000, span="day", now=NOON + HOUR)
    assert LimitChange.objects.get(pk=second.pk).state == "cancelled"


def test_only_the_player_and_the_platform_raise(under, world):
    ask = under("TR")
    ask(50_000)
    change, (_other, stranger) = ask(60_000), a_player()
    key, _headers = a_key(world)
    key.licensee = ask.account.licensee
    for somebody in (world.alice, world.bob, stranger, system()):
        with pytest.raises(Denied):
            services.confirm(change, by=somebody, now=NOON + DAY)
        with pytest.raises(Denied):
            services.ask(ask.account, measure="loss", span="day", amount=1, currency="TRY", by=somebody, now=NOON)
    assert services.confirm(change, by=key, now=NOON + DAY).state == "effective"
    assert Entry.objects.using("log").filter(action="limits.confirm", outcome="refused").count() == 4


def test_staff_only_reduce(under, world):
    ask = under("TR")
    case = world.verification()
    case.account, case.customer = ask.account, ask.account.customer
    facts = {"measure": "deposit", "span": "month", "currency": "TRY", "by": world.alice, "reason": "signs_of_harm"}
    ask(50_000)
    change = ask(60_000)
    case = moved(case, ask.account)
    first = services.reduce(case, amount=40_000, now=NOON, **facts)
    assert (first.state, first.imposed) == ("effective", True)
    assert LimitChange.objects.get(pk=change.pk).state == "cancelled"
    assert services.reduce(case, amount=30_000, now=NOON, **facts).state == "effective"
    with pytest.raises(ConditionsNotMet, match="only reduce"):
        services.reduce(case, amount=30_001, now=NOON, **facts)
    with pytest.raises(Denied):
        services.reduce(case, amount=1, now=NOON, **facts | {"by": world.mallory})
    again = ask(60_000)
    assert services.block(case, again, by=world.alice, reason="affordability", now=NOON).state == "blocked"
    with pytest.raises(WrongState):
        services.confirm(again, by=ask.player, now=NOON + DAY)


def moved(case, account):
    """The case as one of this player: rows are written as an import would."""
    type(case)._base_manager.filter(pk=case.pk).update(account=account, customer=account.customer)
    return type(case).objects.select_related("account__licensee", "account__customer").get(pk=case.pk)


def test_nobody_raises_while_play_is_stopped(under, world):
    ask = under("TR")
    ask(50_000)
    change = ask(60_000)
    case = moved(world.verification(), ask.account)
    stop_play(case, by=world.alice, reason="signs_of_harm")
    with pytest.raises(ConditionsNotMet, match="stopped"):
        services.confirm(change, by=ask.player, now=NOON + DAY)
    assert services.sweep(NOON) == 1
    assert LimitChange.objects.get(pk=change.pk).state == "cancelled", "and does not wait for the end of the stop"
    assert services.cancel_raises(ask.account.customer, by=system(), reason="excluded", now=NOON) == 0
    assert ask(40_000).state == "effective", "a lowering is always possible"


def test_the_database_refuses_a_raise_that_nobody_confirmed(under):
    """Whoever writes: an import, a restored row, a hand on the database."""
    ask = under("TR")
    ask(50_000)
    change = ask(60_000)
    rows = LimitChange.objects.filter(pk=change.pk)
    for facts in ({"amount": 1}, {"confirmable_at": NOON}, {"raises": False}, {"lapses_at": NOON + 99 * DAY}):
        with pytest.raises(DatabaseError, match="stays as it was asked for"), transaction.atomic():
            rows.update(**facts)
    with pytest.raises(DatabaseError, match="limit_raise_was_confirmed"), transaction.atomic():
        rows.update(effective_at=NOON)
    with pytest.raises(DatabaseError, match="is kept"), transaction.atomic():
        rows.delete()
    early = LimitChange(
        **{name: getattr(change, name) for name in ("account", "measure", "window", "basis", "currency", "zone")},
        **{"span": "day", "amount": 1, "raises": True, "requested_at": NOON, "anchor_at": NOON, "state": "effective"},
        **{"confirmable_at": NOON + DAY, "lapses_at": NOON + 2 * DAY, "confirmed_at": NOON, "effective_at": NOON},
    )
    with pytest.raises(DatabaseError, match="limit_raise_was_confirmed"), transaction.atomic():
        early.save(force_insert=True)


def test_the_policy_of_the_request_stays_with_the_raise(under):
    ask = under("TR")
    ask(50_000)
    change = ask(60_000)
    assert change.policy_version == policy_of(ask.account.licensee, on=date(2026, 11, 25)).version == "TR-2026-11-23"


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"amount": -1}, "amount"),
        ({"amount": 10**15}, "amount"),
        ({"measure": "balance"}, "measure"),
        ({"span": "year"}, "span"),
        ({"window": "lunar"}, "window"),
        ({"currency": ""}, "currency"),
    ],
)
def test_what_cannot_be_asked_for_names_the_field(under, facts, said):
    ask = under("TR")
    given = {"measure": "deposit", "span": "day", "amount": 5_000, "currency": "TRY", "by": ask.player, "now": NOON}
    with pytest.raises(ConditionsNotMet, match=f"^{said}"):
        services.ask(ask.account, **given | facts)
    assert not LimitChange.objects.exists()
