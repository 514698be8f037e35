"""Over random histories of acts, clocks, zones, restarts, restores and attempts, no exclusion ends early."""

import random
from contextlib import suppress
from datetime import timedelta
from unittest import mock

from django.db import DatabaseError, transaction
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from audit.actors import system
from audit.perform import ConditionsNotMet, Denied, WrongState, perform
from cases.types.gaming import acts, orders
from cases.types.gaming import services as requests
from compliance.people import restrictions
from compliance.people.exclusions import carrying, clock, ledger, services
from compliance.people.exclusions.models import ClockMark, Exclusion, Suppressed
from compliance.people.models import Account, Customer, Person, Restriction
from compliance.people.services import open_account
from compliance.proposals.services import SamePerson, confirm, propose
from tests.gaming.kept_out import a_player, excluded, rules_of, stopped
from tests.restarting import restart

REFUSALS = (ConditionsNotMet, Denied, WrongState, SamePerson, DatabaseError, ValueError)
ACTS = (
    "sweep",
    "ask",
    "take_back",
    "confirm",
    "accept_alone",
    "accept_by_one_person_twice",
    "annul_alone",
    "end",
    "lift",
    "lift_by_sql",
    "shorten_by_sql",
    "delete",
    "forget",
    "another_person",
    "new_account",
    "leap",
    "python_clock",
    "reconcile",
    "another_exclusion",
    "zone",
    "restart",
)
ZONES = ("UTC", "Pacific/Apia", "America/Havana", "Asia/Kathmandu", "Pacific/Kiritimati", "Etc/GMT+12")


def tried(act, house, account, one):  # noqa: C901 - a list of what anybody might try
    fresh, policy = Exclusion.objects.get(pk=one.pk), rules_of(house.licensee)
    match act:
        case "sweep":
            services.sweep()
        case "ask":
            services.ask_return(fresh, policy=policy, channel="phone", by=house.alice)
        case "take_back":
            services.take_back_return(fresh, by=house.alice)
        case "confirm":
            services.confirm_return(fresh, by=house.key)
        case "accept_alone":
            services.accept_return(fresh, policy=policy, by=house.bob)
        case "accept_by_one_person_twice":
            confirm(propose(acts.ACCEPT, fresh, by=house.bob, reason="player_asked"), by=house.bob)
        case "annul_alone":
            services.annul(fresh, by=house.bob, reason="wrong_person")
        case "end":
            perform(fresh.end, by=system(), at=clock.now())
        case "lift":
            restrictions.lift(fresh.restriction, by=house.erin, reason="mistaken")
        case "lift_by_sql":
            Restriction.objects.filter(pk=fresh.restriction_id).update(stops_play=False)
        case "shorten_by_sql":
            Exclusion.objects.filter(pk=fresh.pk).update(ends_at=fresh.starts_at, term_ends_at=fresh.starts_at)
        case "delete":
            Restriction.objects.filter(pk=fresh.restriction_id).delete()
        case "forget":
            Suppressed.objects.filter(person_id=fresh.person_id).delete()
        case "another_person":
            Customer.objects.filter(pk=account.customer_id).update(person_id=Person.objects.create().pk)
        case "new_account":
            new = open_account(
                customer=account.customer, brand=house.brand, reference=f"P-{Account.objects.count()}", by=house.alice
            )
            assert stopped(new) >= stopped(account) - {"withdraw"}
        case "leap":
            ClockMark.objects.update(seen_at=clock.now() - timedelta(days=400))
        case "python_clock":
            with mock.patch("django.utils.timezone.now", return_value=clock.now() + timedelta(days=4000)):
                services.sweep()
        case "reconcile":
            ledger.sync()
            carrying.reconcile(by=system())
        case "another_exclusion":
            excluded(account, kind="time_out", term="24 hour", ago=timedelta(hours=30))
        case "zone":
            for row, zone in zip((house.licensee, account), random.sample(ZONES, 2), strict=True):
                type(row).objects.filter(pk=row.pk).update(time_zone=zone)
        case "restart":
            restart()
            for worker in (services.sweep, orders.sweep, requests.sweep):
                worker()
                worker()


def over(one, at):
    """Whether its rule lets it end by itself: the only way that no second person takes part in."""
    return one.ends_at is not None and one.ends_at <= at


@given(
    kind=st.sampled_from([("self_exclusion", "6 month"), ("self_exclusion", "open"), ("time_out", "24 hour")]),
    ago=st.sampled_from([0, 1, 23, 25, 24 * 30, 24 * 200, 24 * 3000]),
    history=st.lists(st.tuples(st.sampled_from(ACTS), st.sampled_from(ZONES)), max_size=8),
    home=st.sampled_from(ZONES),
)
@hypothesis_settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_nothing_that_anybody_tries_ends_it_early(house, kind, ago, history, home):
    saved = transaction.savepoint()
    try:
        house.licensee.time_zone = home
        house.licensee.save(update_fields=["time_zone"])
        clock.trust(by=house.bob)
        account = a_player(house, "Ada Su")
        one = excluded(account, kind=kind[0], term=kind[1], ago=timedelta(hours=ago))
        for act, zone in history:
            # Rows are read again each time, in a process that has a zone of its own.
            account = type(account).objects.select_related("licensee", "customer").get(pk=account.pk)
            with timezone.override(zone), suppress(*REFUSALS), transaction.atomic():
                tried(act, house, account, one)
            fresh = Exclusion.objects.get(pk=one.pk)
            assert (fresh.starts_at, fresh.ends_at, fresh.term_ends_at) == (
                one.starts_at,
                one.ends_at,
                one.term_ends_at,
            )
            if fresh.is_live or not over(one, clock.now()):
                assert fresh.is_live, act
                assert stopped(account) >= {"deposit", "play", "marketing"}, act
    finally:
        transaction.savepoint_rollback(saved)
        house.licensee.refresh_from_db()
