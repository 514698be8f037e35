"""How quickly an auditor gets an answer from a long log: the pages as the web server makes them."""

import random
import statistics
import time
import uuid
from bisect import bisect
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from urllib.parse import urlencode

import psycopg
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from audit import context
from audit.actors import system
from audit.record import ObjectRef, record
from audit.registry import Action, Kept, actions, register
from bench import Row, cluster
from compliance.people.services import create_team, create_user, join

DAYS = 365
AT_ONCE = 1_000_000  # entries between two looks whether a partition is needed
FEW = 20_000  # the small log that query counts are compared with
DATA = {
    "entries": "made by COPY from a seed, one entry of the log says so; 200 staff, 100,000 customers, 300,000 cases, "
    "every registered action, one in 500 refused, spread over a year",
    "indexes": "those of the migrations",
    "pages": "the whole request in the process: rights, session, search, names, template, and its own entry",
}
_COLUMNS = (
    "log, event_id, at, actor_kind, actor_id, action, object_kind, object_id, subject_kind, subject_id, matter, "
    "outcome, request_id, entry"
)

_ENTRY = (
    '{"action":"%s","actor":{"auth":"password+totp","id":"%s","sess":"0123456789abcdef","t":"staff"},'
    '"diff":{"state":["open","in_review"]},"id":"%s","log":"main","mac":"' + "A" * 43 + '","matter":"%s",'
    '"object":{"id":"%s","rev":3,"t":"case"},"out":"%s","req":"%s","sealed":{"alg":"HKDF-SHA256+A256GCM",'
    '"h":"' + "A" * 43 + '","kid":"customer/1","n":120},"src":{"app":"web","host":"bench","version":"0"},'
    '"subject":{"id":"%s","t":"customer"},"ts":"%s","v":1}'
)

register(Action("bench.fill", "{actor} filled the log with {entries} made-up entries", {"entries": Kept.PUBLIC}))


def rows(quick: bool) -> list[Row]:
    count = 1_000_000 if quick else 10_000_000
    client = _auditor()
    filling = Filling(seed=7)
    filling.add(FEW)
    client.get("/audit/", secure=True)  # what is cached once and for all
    few = _counted(client, filling)
    began = time.monotonic()
    filling.add(count - FEW)
    rate = (count - FEW) / max(time.monotonic() - began, 1e-9)
    DATA["filled"] = f"{count} entries, {rate:,.0f} a second, {_database_bytes() / 1e9:.2f} GB of disk"
    many = _counted(client, filling)
    timed = {name: _seconds(client, query) for name, query in filling.questions().items()}
    slowest = max(timed, key=lambda name: timed[name])
    DATA["seconds"] = ", ".join(f"{name} {seconds:.3f}" for name, seconds in sorted(timed.items()))
    DATA["slowest"] = slowest
    return [
        Row("audit.explorer_page_s", timed["first page"], "<=", 1.0, count, "s"),
        Row("audit.explorer_worst_s", timed[slowest], "<=", 1.0, len(timed), "s"),
        Row("audit.explorer_queries", max(many[name] - few[name] for name in few), "<=", 0, len(few), "count"),
        Row("audit.explorer_index_bytes", _index_bytes() / count, "<=", 12, count, "B"),
    ]


def _auditor() -> Client:
    with context.use(context.new("command")), transaction.atomic():
        team = create_team(name="Auditors", slug=f"auditors-{uuid.uuid4().hex[:6]}", by=system())
        user = create_user(email=f"{uuid.uuid4().hex}@example.com", name="Carol", by=system())
        join(user, team, "auditor", by=system())
        client = Client(SERVER_NAME="localhost")
        client.force_login(user)
    return client


def _seconds(client: Client, query: dict[str, str], rounds: int = 3) -> float:
    """Median time of one page."""
    taken = []
    for _ in range(rounds):
        began = time.perf_counter()
        answer = client.get(f"/audit/?{urlencode(query)}", secure=True)
        taken.append(time.perf_counter() - began)
        assert answer.status_code == 200, answer.status_code
        assert b"<td" in answer.content, query
    return statistics.median(taken)


def _counted(client: Client, filling: "Filling") -> dict[str, int]:
    """SQL statements of each page."""
    client.get("/audit/", secure=True)  # the first page after a minute also notes when the session was seen
    found = {}
    for name, query in filling.questions().items():
        address = f"/audit/?{urlencode(query)}"
        with CaptureQueriesContext(connection) as queries:
            client.get(address, secure=True)
        found[name] = len(queries)
    return found


class Filling:
    """Entries of a made-up year. The same seed makes the same log."""

    def __init__(self, *, seed: int) -> None:
        self._chance = random.Random(seed)
        self._staff = [self._uuid() for _ in range(200)]
        self._customers = [self._uuid() for _ in range(100_000)]
        self._actions = sorted(name for name in actions() if not name.startswith("bench."))
        self._chance.shuffle(self._actions)
        weights = [1 / (1 + number) ** 1.5 for number in range(len(self._actions))]
        self._shares = [share / sum(weights) for share in accumulate(weights)]
        self._starts = datetime.now(UTC) - timedelta(days=DAYS)
        self._count = 0
        self._at = ""
        self._last = ("", "", "", "")

    def _uuid(self) -> str:
        return str(uuid.UUID(int=self._chance.getrandbits(128), version=4))

    def add(self, count: int, *, leaves: bool = True) -> None:
        """COPY, as a superuser with the triggers off: the log's own door writes one at a time. One entry says so."""
        with _triggers_off() as database, database.cursor() as cursor:
            kept = _without_indexes(cursor) if count > FEW else []
            last = cursor.execute("SELECT coalesce(max(id), 0) FROM audit_entry").fetchone()[0]
            for done in range(0, count, AT_ONCE):
                if cursor.execute("SELECT audit_add_partition()").fetchone()[0]:
                    _switch(database, "DISABLE")
                with cursor.copy(f"COPY audit_entry ({_COLUMNS}) FROM STDIN") as copy:
                    for first in range(done, min(done + AT_ONCE, count), 5_000):
                        copy.write("".join(self._line(count) for _ in range(min(5_000, count - first))))
            if leaves:
                cursor.execute("SELECT coalesce(max(seq) + 1, 0) FROM audit_leaf WHERE log = 'main'")
                cursor.execute(
                    "INSERT INTO audit_leaf (log, seq, entry_id, event_id) "
                    "SELECT 'main', %s + id - %s, id, event_id FROM audit_entry WHERE id > %s ORDER BY id",
                    [cursor.fetchone()[0], last + 1, last],
                )
            for definition in kept:
                cursor.execute(definition)
            cursor.execute("ANALYZE audit_entry")
            cursor.execute("ANALYZE audit_leaf")
        with context.use(context.new("command")), transaction.atomic():
            record("bench.fill", by=system(), about=ObjectRef("log", "bench"), details={"entries": count})

    def _line(self, count: int) -> str:
        bits, self._count = self._chance.getrandbits(96), self._count + 1
        number = self._count
        if number % 50 == 1:  # a batch of requests in the same moment
            self._at = (self._starts + timedelta(days=DAYS) * (number / (count + FEW))).isoformat()
        actor = self._staff[min(bits & 255, bits >> 8 & 255) % 200]
        customer = self._customers[(bits >> 16 & 0xFFFFF) % 100_000]
        matter = f"KYC-26-{(bits >> 36 & 0xFFFFFF) % 300_000:06d}-0"
        action = self._actions[bisect(self._shares, (bits >> 60 & 0xFFFFFF) / 0x1000000)]
        event = "%032x" % (number * 0x9E3779B97F4A7C15F39CC0605CEDC834 & (1 << 128) - 1)
        request = "%032x" % (number // 3 * 0xD1B54A32D192ED03A0761D6478BD642F & (1 << 128) - 1)
        outcome = "refused" if number % 500 == 0 else "done"
        self._last = (actor, customer, matter, request)
        entry = _ENTRY % (action, actor, event, matter, customer, outcome, request, customer, self._at)
        fields = ("main", event, self._at, "staff", actor, action, "case", customer, "customer", customer)
        return "\t".join((*fields, matter, outcome, request, "\\\\x" + entry.encode().hex())) + "\n"

    def questions(self) -> dict[str, dict[str, str]]:
        """What auditors ask, by name; every one has an answer."""
        rare = self._actions[-1]
        day = (datetime.now(UTC) - timedelta(days=DAYS // 2)).date().isoformat()
        actor, customer, case, request = self._last
        return {
            "first page": {},
            "case": {"case": case},
            "customer": {"customer": customer},
            "actor": {"actor": actor},
            "rare action": {"action": rare},
            "one kind": {"action": "cases."},
            "refused": {"outcome": "refused"},
            "request": {"request": request},
            "object": {"thing": customer},
            "reads": {"only": "reads"},
            "actor and action": {"actor": self._staff[0], "action": self._actions[0]},
            "until a day half a year ago": {"until": day},
        }


@contextmanager
def _triggers_off():
    with psycopg.connect(cluster().url("postgres"), autocommit=True) as database:
        database.execute("SET synchronous_commit = off")
        _switch(database, "DISABLE")
        try:
            yield database
        finally:
            _switch(database, "ENABLE ALWAYS")


def _without_indexes(cursor) -> list[str]:
    """Drop what is quicker to make anew than to keep; the statements that make it."""
    cursor.execute(
        "SELECT indexname, replace(indexdef, 'ON ONLY', 'ON') FROM pg_indexes "
        "WHERE tablename = 'audit_entry' AND indexname <> 'audit_entry_pkey'"
    )
    found = cursor.fetchall()
    for name, _definition in found:
        cursor.execute(f"DROP INDEX {name}")
    return [definition for _name, definition in found]


def _switch(database, how: str) -> None:
    found = database.execute(
        "SELECT tgrelid::regclass::text, tgname FROM pg_trigger WHERE tgname = 'audit_await' AND NOT tgisinternal"
    ).fetchall()
    for table, name in found:
        database.execute(f"ALTER TABLE {table} {how} TRIGGER {name}")


def _database_bytes() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_database_size(current_database())")
        return int(cursor.fetchone()[0])


def _index_bytes() -> int:
    """The two indexes that only the explorer uses, over all partitions."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT sum(pg_relation_size(inhrelid)) FROM pg_inherits p "
            "WHERE p.inhparent IN ('audit_entry_action'::regclass, 'audit_entry_request'::regclass)"
        )
        return int(cursor.fetchone()[0])
