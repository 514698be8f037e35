"""How fast transactions are counted and rules are asked, live and on the past, and that both readings agree.

At a size of two minutes. Not measured here: `monitoring.lag_p99_s` at a match day's rate and `monitoring.growth` to
50 M stored rows (hours on a machine of their own), `monitoring.backtest_vs_duckdb` (DuckDB is no dependency of ours).
"""

import resource
import statistics
import time
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import numpy as np
import psycopg
from django.db import transaction
from django.db.models import QuerySet

from audit import context
from audit.actors import system
from bench import Row, cluster
from cases.patterns.closures import Compiled
from cases.types.monitoring.rules import columns, counting, evaluation, loading, services
from cases.types.monitoring.rules.columns import Table
from cases.types.monitoring.rules.models import Flag, Rule, ShadowFlag, State
from cases.types.monitoring.rules.shipped import SHIPPED
from cases.types.monitoring.transactions.generating import histories
from cases.types.monitoring.transactions.models import Transaction
from cases.types.monitoring.transactions.services import keep, months
from compliance.people.models import Account, Customer, Person
from compliance.people.services import create_brand, create_licensee

RULES = ("R01", "R02", "R04", "R05", "R08", "R10", "R12", "R13", "R16", "R19")  # ten, with windows of 1 h, 24 h, 30 d
HISTORY = datetime(2026, 6, 1, tzinfo=UTC)
WEEKS = 60
DATA = {
    "rate": "by the wall, one client: on a machine that does other things it says what that machine had left",
    "size": "60,000 rows live, 10 M past (--quick: 6,000 and 1 M): rates of a small database, not of one years old",
    "live": "invented players, one in ten labelled; accepted before the clock starts, then counted in batches "
    "of 50, each one durable transaction: raw rows, customer states, ten live rules explained, flags and their entries",
    "vs_sql": "the same rows, each one insert and three window sums of 30 days by index in a transaction of its own",
    "past": "10 M rows (--quick: 1 M, its bound a tenth) of 20,000 (2,000) players as columns: three windows, six sums "
    "and counts, four rules, sorting included",
}


def rows(quick: bool) -> list[Row]:
    with context.use(context.new("command")):
        licensee = _house(150 if quick else 1_500)
        count, seconds, batches, cpu = _live(licensee, 6_000 if quick else 60_000)
        by_sql = _by_sql(500 if quick else 3_000)
        rate = count / seconds
        differing = _differing(licensee)
        _found(licensee)
    DATA["measured"] = (
        f"{rate:.0f} rows/s of {seconds:.1f} s on the wall ({cpu:.1f} s of this process); SQL {by_sql:.0f}/s"
    )
    size = 1_000_000 if quick else 10_000_000
    past, variants = _past(size)
    return [
        Row("monitoring.rate", rate, ">=", 5_000, count, "1/s"),
        Row("monitoring.vs_sql", rate / by_sql, ">=", 6, count, "ratio"),
        Row("monitoring.batch50_p99_ms", _p99(batches) * 1000, "<=", 50, len(batches), "ms"),
        Row("monitoring.backtest_s", past, "<=", 0.8 if quick else 8, size, "s"),
        Row("monitoring.variants_s", variants, "<=", 0.2 if quick else 2, 20, "s"),
        Row("monitoring.backtest_equal", differing, "==", 0, count, "count"),
    ]


def _p99(values: list[float]) -> float:
    return statistics.quantiles(values, n=100)[98] if len(values) > 1 else values[0]


def _house(players: int):
    with transaction.atomic():
        licensee = create_licensee(name="Bench", slug="bench", jurisdiction="MT", time_zone="Europe/Malta", by=system())
        brand = create_brand(licensee=licensee, name="Bench", slug="bench", by=system())
        people = Person.objects.bulk_create([Person() for _ in range(players)])
        made = Customer.objects.bulk_create(
            [
                Customer(person=one, licensee=licensee, full_name="Ayşe Yılmaz", name_fold="ayse yilmaz")
                for one in people
            ]
        )
        Account.objects.bulk_create(
            [
                Account(customer=one, licensee=licensee, brand=brand, reference=f"B-{place}")
                for place, one in enumerate(made)
            ]
        )
        for code, title, severity, definition in SHIPPED:
            if code in RULES:
                services.write(code, title=title, severity=severity, definition=definition, by=system(), shipped=True)
        QuerySet.update(Rule.objects.all(), state=State.LIVE)
        months(HISTORY.date() + timedelta(days=31 * number) for number in range(6))
    return licensee


def _live(licensee, wanted: int):
    """Rows counted, seconds, seconds of each batch, and CPU seconds of this process."""
    players = [(f"B-{number}", "Ayşe Yılmaz") for number in range(Account.objects.count())]
    found: list[Any] = []
    for history in histories(players, seed="b", begins=HISTORY, days=150):
        found += [row for row in history if row.at < _now()]  # whole histories: what is labelled comes late in them
        if len(found) >= wanted:
            break
    found.sort(key=lambda row: row.at)
    for place in range(0, len(found), 500):
        keep(licensee, found[place : place + 500])
    taken, cpu = [], time.process_time()
    began = time.perf_counter()
    while True:
        started = time.perf_counter()
        if not counting.count_batch():
            break
        taken.append(time.perf_counter() - started)
    return len(found), time.perf_counter() - began, taken, time.process_time() - cpu


def _now() -> datetime:
    return datetime.now(UTC)


SQL_COLUMNS = "id uuid, at timestamptz, customer_id uuid, kind text, amount bigint"
BY_SQL = """
SELECT count(*) FILTER (WHERE at >= %(at)s - interval '1 hour'),
      sum(amount) FILTER (WHERE at >= %(at)s - interval '1 day'),
       sum(amount), count(*) FILTER (WHERE kind = 'withdrawal')
FROM bench_sql WHERE customer_id = %(customer)s AND at BETWEEN %(at)s - interval '30 days' AND %(at)s
"""


def _by_sql(count: int) -> float:
    """Events a second when each is inserted and asks its windows of the database, as the owner of a table for it."""
    values = list(Transaction.objects.order_by("at").values_list("id", "at", "customer_id", "kind", "amount"))
    with psycopg.connect(cluster().url("postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE TABLE bench_sql ({SQL_COLUMNS})")
        connection.execute("CREATE INDEX ON bench_sql (customer_id, at) INCLUDE (kind, amount)")
        insert = "INSERT INTO bench_sql VALUES (%s, %s, %s, %s, %s)"
        connection.cursor().executemany(insert, values[:-count])
        connection.execute("ANALYZE bench_sql")
        began = time.perf_counter()
        for one in values[-count:]:
            with connection.transaction():
                connection.execute(insert, one)
                connection.execute(BY_SQL, {"customer": one[2], "at": one[1]}).fetchone()
        return count / (time.perf_counter() - began)


def _differing(licensee) -> int:
    """Customer and rule pairs whose number of hits is not the same in the live path's flags and in a back-test."""
    rules = list(Rule.objects.running())
    names = set().union(*(columns.raw_columns(rule.definition) for rule in rules))
    table, read = loading.table_of(licensee, until=_now() + timedelta(days=1), names=names)
    past: dict[tuple[str, UUID], int] = {}
    for rule in rules:
        for place in columns.hits(Compiled(rule.definition), table):
            key = rule.code, UUID(bytes=bytes(read["customer"][place]))
            past[key] = past.get(key, 0) + 1
    live: dict[tuple[str, UUID], int] = {}
    for model in (Flag, ShadowFlag):
        for code, customer, hits in model.objects.values_list("code", "customer_id", "hits"):
            live[code, customer] = live.get((code, customer), 0) + hits
    DATA["flags"] = f"{len(live)} of customers and rules, {sum(live.values())} hits"
    return sum(live.get(key) != past.get(key) for key in live.keys() | past.keys()) if live else -1


def _found(licensee) -> None:
    """Precision and recall of the same rows; docs/reference/monitoring-rules.md has those of a fixed history."""
    definitions = {code: definition for code, _title, _severity, definition in SHIPPED}
    measured = evaluation.evaluate(licensee, definitions, until=_now() + timedelta(days=1))
    each = [f"{one.label} {one.precision:.2f}/{one.recall:.2f}" for one in measured if one.labelled]
    DATA["precision/recall"] = ", ".join(each)


def _past(size: int) -> tuple[float, float]:
    """Seconds for four rules, and for twenty sets of parameters over what is made already."""
    made = _columns(size)
    definitions = {code: definition for code, _title, _severity, definition in SHIPPED}
    asked = [definitions[code] for code in ("R01", "R02", "R13", "R16")]
    began = time.process_time()
    order = np.lexsort((made["time"], made["customer"]))
    held = {name: column[order] for name, column in made.items()}
    table = _table(held)
    hits = [len(columns.hits(Compiled(one), table)) for one in asked]
    past = time.process_time() - began
    began = time.process_time()
    for number in range(20):
        parameters = asked[1]["parameters"]
        played = {**parameters["played"], "value": 5 + number}
        columns.hits(Compiled(asked[1] | {"parameters": parameters | {"played": played}}), table)
    DATA["past hits"] = f"{sum(hits)}; {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MB at most"
    return past, time.process_time() - began


def _columns(size: int) -> dict[str, np.ndarray]:
    chance = np.random.default_rng(7)
    start = int(HISTORY.timestamp()) * 1_000_000
    kinds = [columns.code("kind", kind) for kind in ("deposit", "withdrawal", "bet", "win")]
    return {
        "customer": chance.integers(0, max(2, size // 500), size),
        "time": start + chance.integers(0, 86_400 * 7 * WEEKS, size) * 1_000_000,
        "kind": chance.choice(kinds, size, p=[0.15, 0.03, 0.6, 0.22]).astype(np.int64),
        "amount": chance.integers(100, 250_000, size),
        "instrument_kind": chance.integers(0, 8, size),
    }


def _table(held: dict[str, np.ndarray]) -> Table:
    hour = held["time"] // 3_600_000_000
    return Table(
        customer=held["customer"],
        time=held["time"],
        hour=hour,
        day=hour // 24 + 719_163,
        currency=np.full(len(hour), columns.letters("EUR"), np.int64),
        columns={name: held[name] for name in ("kind", "amount", "instrument_kind")},
    )
