"""How fast the gate answers, and how soon every worker knows of a new restriction and of somebody who left."""

import http.client
import os
import socket
import statistics
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta

from django.db import transaction

from audit import context
from audit.actors import system
from bench import Row, _web
from compliance.embedded.environment import ROOT
from compliance.people.models import Account, Customer, Licensee, Person, Restriction
from compliance.people.services import (
    create_brand,
    create_licensee,
    create_team,
    create_user,
    deactivate_user,
    restrict,
)
from compliance.platform.services import issue_key

WORKERS, THREADS, CONNECTIONS = 3, 8, 4  # as in deploy/systemd/mizan-web.service
ACCOUNTS = 20_000
DATA = {
    "accounts": f"{ACCOUNTS} (--quick: 2000), every tenth with one restriction, every hundredth with three",
    "server": f"gunicorn gthread, {WORKERS} workers of {THREADS} threads, one machine with client and database",
    "load": f"{CONNECTIONS} kept connections; the rate closed loop beside /ping in slices of one run, p99 open loop at "
    "half the measured rate, from the moment a request was due",
    "stale": "from the commit of a restriction to the last answer without it, asked on 16 connections in turn",
    "left": "from the call that closes a sign-in to the last answer to one of its 16 sessions and its key, each on a "
    "kept connection, asked in turn",
}


def rows(quick: bool) -> list[Row]:
    slices, seconds = (7, 0.5) if quick else (21, 1.5)
    with context.use(context.new("command")):
        token, references = _house(2_000 if quick else ACCOUNTS)
    headers = {"Authorization": f"Bearer {token}"}
    paths = [f"/api/v1/accounts/{reference}/gate" for reference in references[:997]]
    with _server() as port:
        _Caller(port, headers).get(paths[0])  # the workers load the product
        _hammer(port, headers, paths, 2.0)  # every worker has its connection and its prepared statements
        ratios, rates = [], []
        for _ in range(slices):
            noop = _hammer(port, headers, ["/api/v1/ping"], seconds)
            rates.append(_hammer(port, headers, paths, seconds))
            ratios.append(rates[-1] / noop)
        rate = statistics.median(rates)
        late = _open_load(port, headers, paths, rate / 2, 5.0 if quick else 20.0)
        changes = 5 if quick else 20
        stale = max(_stale(port, headers, reference) for reference in references[-changes:])
        left = max(_left(port, number) for number in range(changes))
    DATA["measured"] = f"{rate:.0f} gate requests/s"
    return [
        Row("gate.rate", statistics.median(ratios), ">=", 0.5, slices, "ratio"),
        Row("gate.p99_ms", statistics.quantiles(late, n=100)[98] * 1000, "<=", 50, len(late), "ms"),
        Row("gate.stale_s", stale, "<=", 1, changes, "s"),
        Row("gate.left_s", left, "<=", 1, changes, "s"),
    ]


def _house(count: int) -> tuple[str, list[str]]:
    """A licensee with accounts, written in bulk: the bench asks and restricts, it does not register."""
    with transaction.atomic():
        licensee = create_licensee(name="Bench", slug="bench", jurisdiction="TR", time_zone="UTC", by=system())
        brand = create_brand(licensee=licensee, name="Bench", slug="bench", by=system())
        create_team(name="Bench", slug="bench", by=system())
        owner = create_user(email="bench@example.com", name="Bench", password="correct horse battery", by=system())
        expires = datetime.now(UTC) + timedelta(days=1)
        facts = {"owner": owner, "licensee": licensee, "name": "bench", "created_by": owner, "by": owner}
        _key, token = issue_key(**facts, scopes=["gate:read"], expires_at=expires, rate_per_minute=None)
        people = Person.objects.bulk_create([Person() for _ in range(count)], batch_size=5_000)
        born = date(1990, 1, 1)
        customers = Customer.objects.bulk_create(
            [
                Customer(person=one, licensee=licensee, full_name="Bench", name_fold="bench", birth_date=born)
                for one in people
            ],
            batch_size=5_000,
        )
        accounts = Account.objects.bulk_create(
            [
                Account(customer=one, licensee=licensee, brand=brand, reference=f"B-{place}")
                for place, one in enumerate(customers)
            ],
            batch_size=5_000,
        )
        now = datetime.now(UTC)
        facts = {"cover_code": "check", "source": "bench", "starts_at": now, "stops_withdraw": True}
        held = [Restriction(customer=one, **facts) for one in customers[::10]]
        held += [Restriction(person=one, **facts) for one in people[::100]]
        held += [Restriction(account=one, **facts) for one in accounts[::100]]
        Restriction.objects.bulk_create(held, batch_size=5_000)
    return token, [account.reference for account in accounts]


@contextmanager
def _server():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [
        *(sys.executable, "-m", "gunicorn", "compliance.wsgi:application", "--bind", f"127.0.0.1:{port}"),
        *("--worker-class", "gthread", "--workers", str(WORKERS), "--threads", str(THREADS), "--keep-alive", "60"),
        *("--no-control-socket", "--log-level", "warning"),
    ]
    process = subprocess.Popen(command, cwd=ROOT, env=os.environ.copy())
    try:
        deadline = time.monotonic() + 60
        while socket.socket().connect_ex(("127.0.0.1", port)) != 0:
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("the web server did not start")
            time.sleep(0.1)
        yield port
    finally:
        process.terminate()
        process.wait(30)


class _Caller:
    """One kept connection."""

    def __init__(self, port, headers):
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self._headers = headers

    def get(self, path):
        self._connection.request("GET", path, headers=self._headers)
        answer = self._connection.getresponse()
        body = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{path} answered {answer.status}: {body[:200]!r}")
        return body


def _hammer(port, headers, paths, seconds, caller_of=_Caller):
    """Requests per second of callers who ask again as soon as they have their answer."""
    counts, ends = [], time.perf_counter() + seconds

    def ask(offset):
        caller, count = caller_of(port, headers), 0
        while time.perf_counter() < ends:
            caller.get(paths[(offset + count * CONNECTIONS) % len(paths)])
            count += 1
        counts.append(count)

    _together(ask)
    return sum(counts) / seconds


def _open_load(port, headers, paths, rate, seconds, caller_of=_Caller):
    """Seconds from when each request was due to its answer: one that waits for another counts its waiting."""
    taken, every = [], CONNECTIONS / rate
    start = time.perf_counter() + 0.05

    def ask(offset):
        caller = caller_of(port, headers)
        for number in range(int(seconds / every)):
            due = start + number * every + offset * every / CONNECTIONS
            time.sleep(max(0.0, due - time.perf_counter()))
            caller.get(paths[(offset + number * CONNECTIONS) % len(paths)])
            taken.append(time.perf_counter() - due)

    _together(ask)
    return taken


def _together(ask):
    threads = [threading.Thread(target=ask, args=(offset,)) for offset in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _stale(port, headers, reference):
    """Seconds after the commit at which the last answer without the new restriction was given; 0 when none was."""
    callers = [_Caller(port, headers) for _ in range(16)]
    path = f"/api/v1/accounts/{reference}/gate"
    for caller in callers:
        if b'"stop": true' in caller.get(path):
            raise RuntimeError("stopped before it was")
    account = Account.objects.get(reference=reference)
    with context.use(context.new("command")):
        restrict(account, stops=["play"], cover_code="play_stopped", source="bench", by=system())
    committed, last = time.perf_counter(), 0.0
    while time.perf_counter() - committed < 1.5:
        for caller in callers:
            asked = time.perf_counter()
            if b'"stop": true' not in caller.get(path):
                last = asked - committed
    return last


def _left(port, number):
    """Seconds from the call that closes somebody's sign-in to the last answer that their sessions or key still got."""
    asked = {"/profile/sessions/": {}, "/api/v1/ping": {}}
    with context.use(context.new("command")), transaction.atomic():
        user = create_user(
            email=f"leaver-{number}@example.com", name="Leaver", password="correct horse battery", by=system()
        )
        facts = {"owner": user, "licensee": Licensee.objects.get(), "name": "leaver", "created_by": user, "by": user}
        soon = datetime.now(UTC) + timedelta(days=1)
        _key, token = issue_key(**facts, scopes=["gate:read"], expires_at=soon, rate_per_minute=None)
        asked["/api/v1/ping"]["Authorization"] = f"Bearer {token}"
    people = [_web.Person(port, user) for _ in range(16)]
    asks = [(person, path, headers) for person in people for path, headers in asked.items()]
    if any(person.get(path, headers)[0] != 200 for person, path, headers in asks):
        raise RuntimeError("refused before they left")
    began, last = time.perf_counter(), 0.0
    with context.use(context.new("command")):
        deactivate_user(user, by=system())
    while time.perf_counter() - began < 1.5:
        for person, path, headers in asks:
            at = time.perf_counter() - began
            if person.get(path, headers)[0] == 200:
                last = at
    return last
