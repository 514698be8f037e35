"""Amounts that transactions reach: which one, when, since when it could be known, and what is asked for then."""

import random
import uuid
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.db.models import QuerySet
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from audit.models import Entry
from cases.clocks.models import Clock
from cases.models import Queue
from cases.types.monitoring.rules import counting
from cases.types.monitoring.transactions.services import accept
from cases.types.verification import services
from cases.types.verification.amounts import laws
from cases.types.verification.amounts import services as amounts
from cases.types.verification.amounts.adding import first_reached, lines_of
from cases.types.verification.amounts.models import Crossing, Look
from cases.types.verification.models import Requirement, Verification
from compliance.people.models import Customer, Licensee
from compliance.people.moving import Movement
from compliance.policy import policy_for
from compliance.policy.records import Period, Threshold
from tests.monitoring.histories import START, report, row

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
MALTA = Licensee(time_zone="Europe/Malta")
LINKED = Period(amount=24, unit="hour")


def line(amount="2000.00", *, window=None, over="deposits", currency="EUR", op="at_least", name="deposits"):
    threshold = Threshold(amount=amount, currency=currency, op=op, over=over, window=window, rolling=True)
    return lines_of("XX.TEST", name, threshold, linked=LINKED)[0]


def moved(at, amount, *, kind="deposit", known=None, currency="EUR", by="bank"):
    at = at if isinstance(at, datetime) else datetime.fromisoformat(at).replace(tzinfo=UTC)
    return Movement(uuid.uuid4(), at, known or at, uuid.uuid4(), kind, by, amount, currency)


def reached(one, rows, *, since=START - 2000 * DAY, licensee=MALTA):
    found = first_reached(one, rows, licensee, since=since)
    return found and rows.index(found.by)


@pytest.mark.parametrize(
    ("amount", "unit", "first", "second", "counts"),
    [
        # The licensee's days, not hours: the first counts to the end of the 180th day after its own, in Malta.
        (180, "calendar_day", "2026-01-01T08:00", "2026-06-30T21:59", True),
        (180, "calendar_day", "2026-01-01T08:00", "2026-06-30T22:00", False),
        # Days of 23 and 25 hours are days.
        (1, "calendar_day", "2026-03-28T23:00", "2026-03-30T21:59", True),
        (1, "calendar_day", "2026-03-28T22:59", "2026-03-29T22:00", False),
        (1, "calendar_day", "2026-10-24T22:00", "2026-10-26T22:59", True),
        (24, "hour", "2026-03-28T12:00", "2026-03-29T12:00", True),
        (24, "hour", "2026-03-28T12:00", "2026-03-29T12:01", False),
        # A month back from the 31st begins with the last day of a shorter month; leap days count.
        (1, "month", "2028-02-28T23:00", "2028-03-31T10:00", True),
        (1, "month", "2028-02-28T22:59", "2028-03-31T10:00", False),
        (1, "year", "2027-02-27T23:00", "2028-02-29T10:00", True),
        (1, "year", "2027-02-28T22:59", "2028-02-29T22:59", True),
        (1, "year", "2027-02-28T22:59", "2028-02-29T23:00", False),
    ],
)
def test_a_window_is_of_the_licensees_days(amount, unit, first, second, counts):
    rows = [moved(first, 100_000), moved(second, 100_000)]
    assert reached(line(window=Period(amount=amount, unit=unit)), rows) == (1 if counts else None)


def test_what_counts_towards_an_amount():
    rows = [moved(START + n * HOUR, 100_000, currency="SEK" if n == 1 else "EUR") for n in range(3)]
    assert reached(line(), rows) == 2  # other currencies never do
    assert reached(line("1000.00", op="above"), rows) == 2 and reached(line("1000.00"), rows) == 0
    assert reached(line("2000", currency="JPY"), [moved(START, 2000, currency="JPY")]) == 0  # yen have no minor unit
    # Gross: what is paid out or charged back takes nothing off. Net: it does, less what was taken back.
    paid_out = [moved(START, 200_000, kind="withdrawal", by="")]
    rows = [moved(START, 150_000), *paid_out, moved(START + HOUR, 100_000), moved(START + 2 * HOUR, 100_000)]
    assert reached(line(), rows) == 2
    assert reached(line(over="net_deposits"), rows) is None
    back = moved(START + 3 * HOUR, 200_000, kind="reversal")
    assert reached(line(over="net_deposits"), [*rows, back]) == 4
    # Each leg for itself; of transfers not what was surely none.
    legs = lines_of("XX", "transaction", line(over="single_or_linked").threshold, linked=LINKED)
    assert [leg.kinds for leg in legs] == [("bet",), ("win",), ("deposit",), ("withdrawal",)]
    transfers = lines_of("XX", "transfer", line(over="single_or_linked").threshold, linked=LINKED)
    assert [reached(one, [moved(START, 200_000, by="card"), *paid_out]) for one in transfers] == [None, 1]
    # Linked: within a day of each other.
    assert reached(legs[2], [moved(START, 100_000), moved(START + 25 * HOUR, 100_000)]) is None


HISTORIES = st.lists(st.tuples(st.integers(0, 40), st.integers(1, 90_000), st.integers(0, 60)), min_size=1, max_size=25)


@given(HISTORIES, st.randoms(use_true_random=False), st.sampled_from([None, Period(amount=5, unit="calendar_day")]))
def test_the_order_in_which_they_come_changes_nothing(history, chance, window):
    one = line(window=window)
    rows = [moved(START + day * DAY / 2, sum_, known=START + (day / 2 + late) * DAY) for day, sum_, late in history]
    whole = first_reached(one, rows, MALTA, since=START)
    # What the product does: batches in any order, each looked at from its first transaction on, before what is known.
    chance.shuffle(rows)
    here, crossing = [], None
    for place in range(0, len(rows), 3):
        here += rows[place : place + 3]
        since = min(each.at for each in rows[place : place + 3])
        found = first_reached(one, here, MALTA, since=since, until=crossing and crossing.by.at)
        crossing = found or crossing
    assert (crossing is None) == (whole is None)
    if whole:
        assert crossing.by.at == whole.by.at
        # Knowable as soon as what had come amounted to it, and never before.
        assert whole.known_at in {each.known_at for each in rows} and whole.known_at >= whole.by.at
        had = [each for each in rows if each.known_at < whole.known_at]
        assert first_reached(one, had, MALTA, since=START) is None


# ------------------------------------------------------------------------------------------------- in the product
@pytest.fixture
def malta(world):
    Licensee.objects.filter(pk=world.licensee.pk).update(jurisdiction="MT", time_zone="Europe/Malta")
    world.licensee.refresh_from_db()
    return world


def count(world, rows):
    report(world.licensee, rows, by=world.alice)
    amounts.add_up()


def days_ago(number):
    return timezone.now().replace(microsecond=0) - number * DAY - START


def test_an_amount_that_deposits_reach_opens_a_verification_once(malta):
    account = malta.account()
    rows = [row(account, n, amount=80_000, after=days_ago(9 - n), instrument_kind="card") for n in range(3)]
    count(malta, rows[:2])
    assert not Verification.objects.exists() and not Look.objects.exists()
    count(malta, rows)
    crossing, case = Crossing.objects.get(), Verification.objects.get()
    assert (crossing.rule_id, crossing.total, crossing.currency) == ("MT.CDD.2000", 240_000, "EUR")
    assert (crossing.outcome, crossing.case_id, crossing.level) == ("opened", case.pk, "L2")
    assert (case.verification_facts.because, case.level, case.account_id) == ("threshold", "L2", account.pk)
    assert crossing.crossed_at == rows[2].at and crossing.knowable_at > rows[2].at + 6 * DAY
    for required in Requirement.objects.filter(case=case):
        assert (required.crossed_at, required.knowable_at) == (crossing.crossed_at, crossing.knowable_at)
    assert Clock.objects.get(case=case, kind="statutory").started_at == crossing.crossed_at
    entries = Entry.objects.filter(action__startswith="amounts.")
    assert sorted(entry.action for entry in entries) == ["amounts.follow", "amounts.reach"]
    assert {entry.log for entry in entries} == {"main"}
    client = Client()
    client.force_login(malta.alice)
    page = client.get(reverse("cases:case", args=[case.number])).content.decode()
    assert 'id="amounts"' in page and "€2,400.00" in page and "Only amounts in EUR count" in page
    # Told again, and more of it: nothing more happens, not even after the case ended.
    count(malta, [*rows, row(account, 9, amount=500_000, after=days_ago(7) + HOUR)])
    services.withdraw(case, by=malta.alice)
    count(malta, [row(account, 10, amount=500_000, after=days_ago(7) + 2 * HOUR)])
    assert (Crossing.objects.count(), Verification.objects.count(), Look.objects.count()) == (1, 1, 0)


def test_one_that_comes_late_moves_the_day_and_the_laws_clock(malta, monkeypatch):
    account = malta.account()
    count(malta, [row(account, n, amount=150_000, after=days_ago(9 - n)) for n in (1, 2)])
    before = Crossing.objects.get()
    late = row(account, 7, amount=60_000, after=days_ago(7.5))
    real, read = amounts.movements, []
    monkeypatch.setattr(amounts, "movements", lambda *args, **named: read.append(real(*args, **named)) or read[-1])
    count(malta, [late])
    # Under the version that knows it, nothing after the amount that is known is read.
    assert read[0] and max(one.at for one in read[0]) == late.at
    after, case = Crossing.objects.get(), Verification.objects.get()
    assert after.pk == before.pk and after.crossed_at == late.at < before.crossed_at
    assert after.knowable_at == before.knowable_at  # no sooner than we had enough of it
    assert set(Requirement.objects.values_list("crossed_at", flat=True)) == {late.at}
    assert Clock.objects.get(case=case, kind="statutory").started_at == late.at


def test_an_open_verification_asks_for_more_and_one_of_high_risk_for_all(malta):
    case = malta.verification("L1")
    had = set(Requirement.objects.values_list("purpose", "crossed_at"))
    count(malta, [row(case.account, 1, amount=200_000, after=days_ago(1))])
    assert Crossing.objects.get().outcome == "raised"
    case = Verification.objects.get()
    assert case.level == "L2" and had < set(Requirement.objects.values_list("purpose", "crossed_at"))
    assert Entry.objects.get(action="verification.raise").matter == case.number
    Customer.objects.filter(pk=case.customer_id).update(risk="high")
    count(malta, [row(case.account, 2, amount=1, after=days_ago(0))])
    assert Verification.objects.get().level == "L3"
    # Who has the level is asked for nothing.
    other = malta.account()
    Customer.objects.filter(pk=other.customer_id).update(level="L2")
    count(malta, [row(other, 1, amount=200_000, after=days_ago(1))])
    assert not Crossing.objects.filter(customer=other.customer_id).exists()


def test_a_withdrawal_asks_for_nothing(malta):
    account = malta.account()
    count(malta, [row(account, 1, "withdrawal", 250_000, after=days_ago(2))])
    crossing = Crossing.objects.get()
    assert (crossing.outcome, crossing.by_withdrawal, crossing.rule_id) == ("waits", True, "EU.CDD.GAMBLING_AMLD")
    QuerySet.update(Crossing.objects.all(), found_at=timezone.now() - HOUR)
    count(malta, [row(account, 2, "withdrawal", 250_000, after=days_ago(1))])
    assert amounts.follow_up() == 0 and not Verification.objects.exists()
    assert not amounts._waiting()  # nor is the player locked and added up at each sweep
    # What it calls for is asked for when the player pays in again, with the day on which it arose; where nobody works
    # on it then, as soon as somebody does.
    queues = list(Queue.objects.filter(licensee=malta.licensee, kind="verification").values_list("pk", flat=True))
    Queue.objects.filter(pk__in=queues).update(kind="elsewhere")
    count(malta, [row(account, 3, amount=100, after=days_ago(0))])
    assert not Verification.objects.exists()
    Queue.objects.filter(pk__in=queues).update(kind="verification")
    assert amounts.follow_up() == 1
    crossing.refresh_from_db()
    assert (crossing.outcome, Verification.objects.count()) == ("opened", 1)
    assert set(Requirement.objects.values_list("crossed_at", flat=True)) == {crossing.crossed_at}


def test_what_cannot_be_asked_for_yet_waits_and_what_fails_keeps_nobody_waiting(malta, monkeypatch):
    account, other = malta.account(), malta.account()
    queues = list(Queue.objects.filter(licensee=malta.licensee, kind="verification"))
    Queue.objects.filter(pk__in=[queue.pk for queue in queues]).update(kind="elsewhere")
    count(malta, [row(account, 1, amount=200_000, after=days_ago(1))])
    assert Crossing.objects.get().outcome == "waits"
    Queue.objects.filter(pk__in=[queue.pk for queue in queues]).update(kind="verification")
    QuerySet.update(Crossing.objects.all(), found_at=timezone.now() - HOUR)
    assert (amounts.follow_up(), Crossing.objects.get().outcome) == (1, "opened")
    real = amounts._look

    def breaks(customer, since):
        if customer.pk == account.customer_id:
            raise ValueError("planted")
        real(customer, since)

    monkeypatch.setattr(amounts, "_look", breaks)
    count(malta, [row(account, 2, after=days_ago(0)), row(other, 1, amount=200_000, after=days_ago(0))])
    assert Crossing.objects.filter(customer=other.customer_id, outcome="opened").exists()
    look = Look.objects.get()
    assert (look.customer_id, look.attempts) == (account.customer_id, 1) and look.due_at > timezone.now()


def test_what_waits_is_swept_by_one_at_a_time_without_those_who_left_and_past_one_that_fails(malta, monkeypatch):
    fails, left, erased, waits = (malta.account() for _n in range(4))
    queues = list(Queue.objects.filter(licensee=malta.licensee, kind="verification").values_list("pk", flat=True))
    Queue.objects.filter(pk__in=queues).update(kind="elsewhere")
    for n, account in enumerate((fails, left, erased, waits)):
        count(malta, [row(account, n, amount=200_000, after=days_ago(1))])
    Queue.objects.filter(pk__in=queues).update(kind="verification")
    QuerySet.update(Crossing.objects.all(), found_at=timezone.now() - HOUR)
    QuerySet.update(type(left).objects.filter(pk=left.pk), released_at=timezone.now())
    QuerySet.update(Customer.objects.filter(pk=erased.customer_id), erased_at=timezone.now())
    assert {player for _crossing, player in amounts._waiting()} == {fails.customer_id, waits.customer_id}
    real = amounts._follow

    def breaks(customer, crossing):
        if customer.pk == fails.customer_id:
            raise ValueError("planted")
        real(customer, crossing)

    monkeypatch.setattr(amounts, "_follow", breaks)
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", [amounts._SWEEP])
            assert amounts.follow_up() == 0 and not Verification.objects.exists()
            cursor.execute("SELECT pg_advisory_unlock(%s)", [amounts._SWEEP])
    finally:
        other.close()
    assert amounts.follow_up() == 1
    assert Crossing.objects.get(outcome="opened").customer_id == waits.customer_id
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE objid = %s AND pid = pg_backend_pid()", [amounts._SWEEP])
        assert cursor.fetchone() == (0,)


def test_batches_in_any_order_by_the_worker_reach_the_same_amount(malta):
    sums = [30_000, 90_000, 20_000, 70_000, 50_000, 110_000]
    seen = set()
    for seed in range(3):
        account = malta.account()
        rows = [row(account, n, amount=each, after=days_ago(20 - n)) for n, each in enumerate(sums)]
        random.Random(seed).shuffle(rows)
        for one in rows:
            accept(malta.licensee, [one], by=malta.alice)
            counting.count_waiting()
            if seed:
                amounts.add_up()
        amounts.add_up()
        crossing = Crossing.objects.get(customer=account.customer_id)
        seen.add((crossing.crossed_at.date(), crossing.total, crossing.outcome))
    assert len(seen) == 1 and Verification.objects.count() == 3


def test_each_country_has_the_amounts_of_its_law():
    found = {}
    for place in ("GB", "TR", "MT", "DE"):
        policy = policy_for(place, on=datetime(2026, 11, 22, tzinfo=ZoneInfo("UTC")).date())
        found[place] = sorted({one.rule for one in laws.lines(policy)})
        assert laws.level_asked(policy, "low") == "L2" and laws.level_asked(policy, "high") == "L3"
    assert found == {
        "GB": ["GB.CDD.TRANSFER"],  # the check of vulnerability is no due diligence
        "TR": ["TR.CDD.AMOUNT", "TR.CDD.WIRE"],
        "MT": ["EU.CDD.GAMBLING_AMLD", "MT.CDD.2000"],
        "DE": ["EU.CDD.GAMBLING_AMLD"],
    }
