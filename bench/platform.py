"""How soon a platform hears of a change while another receiver hangs, what the API answers, how the simulator fares."""

import http.client
import json
import os
import signal
import statistics
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import StringIO
from types import SimpleNamespace
from typing import Any

from django.core.management import call_command
from django.db import transaction

from audit import context
from audit.actors import system
from bench import Row
from bench import gate as web
from compliance.embedded.environment import ROOT
from compliance.people.services import (
    create_brand,
    create_licensee,
    create_user,
    open_account,
    register_customer,
    restrict,
)
from compliance.platform.services import issue_key
from compliance.platform.webhooks.services import add_endpoint, disable, enable

EVERY = 0.25  # seconds between two acts
DATA = {
    "worker": "celery, 2 processes, the folder as broker, one machine with receivers and database",
    "load": f"one act every {EVERY} s, each told to the healthy receiver and to the one that hangs",
    "turns": "with and without the one that hangs in turns of one run, the ratio of their 95th percentiles",
    "requests": f"closed loop on {web.CONNECTIONS} kept connections, in slices beside the operation that does nothing",
    "measured from": "the commit of the act to the arrival of the request, 15 s time-out of the one that hangs",
}


def rows(quick: bool) -> list[Row]:
    turns, count = (2, 12) if quick else (6, 40)
    alone, beside = [], []
    with context.use(context.new("command")), _worker(), _receiver(0) as healthy, _receiver(60) as hanging:
        house = _house(healthy.url)
        bad, _secret = add_endpoint(url=hanging.url, name="hangs", **house.facts)
        _told(house, healthy, 3)  # the worker loads the product
        for _turn in range(turns):
            disable(bad, by=system())
            alone += _told(house, healthy, count)
            enable(bad, by=system())
            beside += _told(house, healthy, count)
        disable(bad, by=system())
        played = _play(quick)
    _requests(house, quick)
    p95 = {name: statistics.quantiles(found, n=20)[18] for name, found in (("alone", alone), ("beside", beside))}
    DATA["alone"] = f"p95 {p95['alone']:.3f} s, median {statistics.median(alone):.3f} s without the one that hangs"
    DATA["beside"] = f"p95 {p95['beside']:.3f} s, median {statistics.median(beside):.3f} s with it"
    DATA["simulator"] = (
        f"{played['gate_calls']} questions to the gate in {played['seconds']} s, median {played['gate_median_ms']} ms, "
        f"p99 {played['gate_p99_ms']} ms; {played['reported']} movements reported, {played['heard']} webhooks heard, "
        f"{played.get('stopped', 0)} sessions ended, the slowest {played['slowest_stop_s']} s after the event"
    )
    DATA["hanging"] = f"{hanging.calls} calls were taken and never answered"
    return [
        Row("platform.webhook_p95_s", p95["beside"], "<=", 5, len(beside), "s"),
        Row("platform.webhook_ratio", p95["beside"] / p95["alone"], "<=", 1.2, len(beside), "ratio"),
    ]


def _play(quick: bool) -> dict[str, Any]:
    """What the simulated platform reports of the web server and the worker. RuntimeError when it went wrong."""
    with transaction.atomic():
        facts = {"name": "Trial", "slug": "trial", "jurisdiction": "TR", "time_zone": "UTC"}
        create_brand(licensee=create_licensee(**facts, is_test=True, by=system()), name="T", slug="t", by=system())
    seconds = 5 if quick else 30
    with web._server() as port:
        said = StringIO()
        where = [f"--url=http://127.0.0.1:{port}", "--listen=127.0.0.1:0", "--licensee=trial", "--by=bench@example.com"]
        load = [f"--seconds={seconds}", "--accounts=20", "--rate=20", "--ending=-stop3", "--json"]
        try:
            call_command("platform", "simulate", *where, *load, stdout=said)
        except SystemExit:
            raise RuntimeError(f"the simulator found problems: {said.getvalue()}") from None
    return {"seconds": seconds} | json.loads(said.getvalue())


def _requests(house: SimpleNamespace, quick: bool) -> None:
    """Print what the API answers in a second: no promise is made of it, for the machine makes most of it."""
    slices, seconds = (3, 0.5) if quick else (11, 1.5)
    paths = {"noop": "/api/v1/ping", "read": "/api/v1/accounts/B-1", "list": "/api/v1/accounts?limit=50"}
    rates: dict[str, list[float]] = {name: [] for name in paths}
    with web._server() as port:
        for name, path in [*paths.items(), *list(paths.items()) * slices]:  # the first time the workers load
            rates[name].append(web._hammer(port, house.headers, [path], seconds))
    median = {name: statistics.median(found[1:]) for name, found in rates.items()}
    DATA["requests/s"] = ", ".join(
        f"{median[name]:.0f} GET {path} ({median[name] / median['noop']:.2f} of ping)" for name, path in paths.items()
    )


def _house(url: str) -> SimpleNamespace:
    with transaction.atomic():
        licensee = create_licensee(name="Bench", slug="bench", jurisdiction="TR", time_zone="UTC", by=system())
        brand = create_brand(licensee=licensee, name="Bench", slug="bench", by=system())
        owner = create_user(email="bench@example.com", name="Bench", password="correct horse battery", by=system())
        facts = {"licensee": licensee, "created_by": owner, "by": system()}
        person = {"full_name": "Bench", "birth_date": date(1990, 1, 1), "nationality": "TR"}
        customer = register_customer(licensee=licensee, by=system(), **person)
        account = open_account(customer=customer, brand=brand, reference="B-1", by=system())
        add_endpoint(url=url, name="healthy", **facts)
        expires_at = datetime.now(UTC) + timedelta(days=1)
        key = {"scopes": ["accounts:read"], "expires_at": expires_at, "rate_per_minute": None}
        _key, token = issue_key(owner=owner, **{**facts, "by": owner}, name="bench", **key)
    return SimpleNamespace(account=account, facts=facts, headers={"Authorization": f"Bearer {token}"})


def _told(house: SimpleNamespace, receiver: SimpleNamespace, count: int) -> list[float]:
    """Seconds from the commit of each act to its arrival, in the order of the acts."""
    heard, committed = len(receiver.at), []
    for _act in range(count):
        began = time.monotonic()
        soon = datetime.now(UTC) + timedelta(days=1)
        facts = {"cover_code": "check", "source": "bench", "by": system(), "until": soon}
        with transaction.atomic():
            restrict(house.account, stops=["withdraw"], **facts)
        committed.append(time.monotonic())
        time.sleep(max(0.0, EVERY - (time.monotonic() - began)))
    ends = time.monotonic() + 60
    while len(receiver.at) < heard + count and time.monotonic() < ends:
        time.sleep(0.05)
    arrived = receiver.at[heard : heard + count]
    if len(arrived) < count:
        raise RuntimeError(f"{count - len(arrived)} of {count} deliveries did not arrive within a minute")
    return [at - sent for at, sent in zip(sorted(arrived), committed, strict=True)]


@contextmanager
def _worker():
    command = [sys.executable, "-m", "celery", "-A", "compliance.celery", "worker", "--concurrency", "2"]
    command += ["--loglevel", "ERROR", "--without-gossip", "--without-mingle"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen(command, cwd=ROOT, start_new_session=True, **quiet)
    try:
        yield
    finally:
        os.killpg(process.pid, signal.SIGKILL)  # its processes too
        process.wait(30)


@contextmanager
def _receiver(waits: float):
    """A web server that answers after `waits` seconds: its address and when each request came."""
    found = SimpleNamespace(at=[], calls=0)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            found.at.append(time.monotonic())
            found.calls += 1
            self.rfile.read(int(self.headers["Content-Length"]))
            time.sleep(waits)
            self.send_response(http.client.NO_CONTENT)
            self.end_headers()

        def log_message(self, *arguments):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    found.url = f"http://127.0.0.1:{server.server_port}/"
    try:
        yield found
    finally:
        server.shutdown()
