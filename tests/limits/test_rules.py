"""One test for each rule of the law on limits, by what it does."""

import secrets
from datetime import UTC, date, datetime, timedelta

import pytest
from django.utils import timezone

from audit.actors import system
from audit.models import Entry
from audit.perform import ConditionsNotMet, Denied, WrongState
from cases.types.gaming.limits import checks, ledger, services
from cases.types.gaming.limits.models import LimitChange, Reservation
from cases.types.gaming.limits.rules import contact_due
from compliance.policy.book import book
from tests.limits.conftest import CURRENCIES, DAY, HOUR, NOON, a_key

YOUNG = (timezone.now() - 20 * 365 * DAY).date()
COVERED: dict[str, str] = {}


def of_rules(*ids):
    """The rules that this test runs, by their ids: none of the law's may be without one."""

    def noted(test):
        COVERED.update(dict.fromkeys(ids, test.__name__))
        return test

    return noted


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


@of_rules(
    "OP.RG.LIMIT.BASIS",
    "GB.RG.LIMIT.BASIS",
    "DE.RG.LIMIT.BASIS",
    "ES.RG.LIMIT.BASIS",
    "DK.RG.LIMIT.BASIS",
    "SE.RG.LIMIT.BASIS",
)
@pytest.mark.parametrize("jurisdiction", ["TR", "GB", "DE", "ES", "DK", "SE"])
def test_RG_LIMIT_BASIS_what_is_withdrawn_gives_no_room_back(under, jurisdiction):
    ask = under(jurisdiction)
    own = ask(50_000, now=None)
    paid(ask, ("deposit", 20_000), ("withdrawal", 15_000))
    assert room(ask)[own.receipt] == 30_000


@of_rules("GB.RG.LIMIT.WINDOWS_DEPOSIT", "DE.RG.LIMIT.WINDOWS_DEPOSIT")
@pytest.mark.parametrize(("jurisdiction", "window"), [("GB", "fixed"), ("DE", "calendar")])
def test_RG_LIMIT_WINDOWS_DEPOSIT_this_one_alone(under, jurisdiction, window):
    ask = under(jurisdiction)
    for other in {"rolling", "calendar", "fixed"} - {window}:
        with pytest.raises(ConditionsNotMet, match=f"Offered: {window}\\."):
            ask(9_000, window=other)
    assert ask(9_000).window == ask(8_000, window=window).window == window


@of_rules("NL.RG.LIMIT.MANDATORY")
def test_NL_RG_LIMIT_MANDATORY_no_deposit_without_one_and_no_play_without_time(under):
    ask = under("NL")
    code = {act: checks.check(ask.account, act=act, currency="EUR").code for act in ("deposit", "wager")}
    assert code == {"deposit": "limit_needed", "wager": "limit_needed"}
    ask(20_000, now=None)
    assert checks.check(ask.account, act="deposit", currency="EUR").allowed == 20_000
    assert checks.check(ask.account, act="wager", currency="EUR").code == "limit_needed"
    ask(3_600, measure="session", span="day", now=None)
    assert checks.check(ask.account, act="wager", currency="EUR").code is None


@of_rules("NL.RG.LIMIT.CAP")
@pytest.mark.parametrize(("born", "cap"), [(date(1991, 3, 14), 70_000), (YOUNG, 30_000)])
def test_NL_RG_LIMIT_CAP_nothing_beyond_it_whatever_the_player_set(under, born, cap):
    ask = under("NL", born=born)
    ask(90_000, now=None)
    paid(ask, ("deposit", cap - 1), ("withdrawal", 500))
    assert room(ask)["NL.RG.LIMIT.CAP"] == 501, "it is net"
    paid(ask, ("deposit", 501))
    found = checks.check(ask.account, act="deposit", currency="EUR", amount=1)
    assert (found.allowed, found.code, found.fits) == (0, "limit_reached", False)


def paid(ask, *moved):
    """Money that moved now."""
    account, at = ask.account, timezone.now()
    rows = [ledger.Reported(f"e-{secrets.token_hex(6)}", kind, amount, at) for kind, amount in moved]
    ledger.take(account, CURRENCIES.get(account.licensee.jurisdiction, "EUR"), rows, by=system())


def room(ask):
    """What is left of each limit in force, by its receipt or rule."""
    currency = CURRENCIES.get(ask.account.licensee.jurisdiction, "EUR")
    return {bound.ref: bound.left for bound in checks.check(ask.account, act="deposit", currency=currency).bounds}


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


@of_rules("DK.RG.LIMIT.RAISE_WAIT")
def test_DK_RG_LIMIT_RAISE_WAIT(under):
    ask = under("DK")
    ask(50_000)
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
    "OP.RG.LIMIT.WINDOWS_DEPOSIT",
    "OP.RG.LIMIT.WINDOWS_LOSS",
    "OP.RG.LIMIT.WINDOWS_WAGER",
    "OP.RG.LIMIT.WINDOWS_SESSION",
)
def test_OP_RG_LIMIT_choices(under):
    """Measures, spans and windows that the operator chose where no law says them."""
    ask = under("TR")
    for measure in ("deposit", "loss", "wager", "session"):
        for window, span in (("calendar", "day"), ("fixed", "week"), ("rolling", "month")):
            assert ask(3_600, measure=measure, window=window, span=span).state == "effective"
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


def test_every_rule_on_limits_has_a_test_that_names_it():
    known = {
        rule.id for policy in book().versions.values() for path, rule in policy.rules() if path.startswith("limits.")
    }
    assert known == COVERED.keys()
    assert all(callable(globals()[test]) for test in COVERED.values())
