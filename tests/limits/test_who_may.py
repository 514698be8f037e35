"""Who may lower, raise, block and confirm a limit, what cancels a raise, and what the database refuses."""

import pytest
from django.db import DatabaseError, transaction

from audit.actors import system
from audit.models import Entry
from audit.perform import ConditionsNotMet, Denied, WrongState
from cases.protection import stop_play
from cases.types.gaming.limits import services
from cases.types.gaming.limits.models import LimitChange
from tests.limits.conftest import DAY, HOUR, NOON, a_key, a_player


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
    ask, asked = under("TR"), NOON - 4 * DAY
    ask(50_000, now=asked)
    change = ask(60_000, now=asked)
    services.sweep(NOON)
    done = services.confirm(change, by=ask.player, now=NOON)
    assert (done.state, done.policy_version) == ("effective", "TR-2026-11-21")


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
