"""How the desk answers at the size of a real operator: queue page, case page and search."""

import html
import re
import secrets
import statistics
import time
from collections.abc import Callable

from django.conf import settings
from django.db import connection, reset_queries
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from audit import context
from audit.actors import system
from bench import Row
from cases.demo.crowd import generate
from cases.models import Case
from cases.queues import open_queue
from compliance.people.services import create_brand, create_licensee, create_team, create_user, join

NEXT = re.compile(r'rel="next" href="([^"]+)"')
DATA = {
    "players": "1,000,000 (--quick: 60,000)",
    "cases": "20,000, then 200,000 open (--quick: 2,000, then 20,000), half of them somebody's",
    "load": "one request after the other in one process, 40 of each page (--quick: 10) after 3 to warm up",
    "pages": "queue: all open, second page, one person's, by name; case page; search: name, similar name, reference",
}


def rows(quick: bool) -> list[Row]:
    settings.ALLOWED_HOSTS = ["*"]
    small, large, players, times = (2_000, 20_000, 60_000, 10) if quick else (20_000, 200_000, 1_000_000, 40)
    with context.use(context.new("command")):
        desk = Desk()
        desk.add(players // 10, small)
        before = desk.measure(times)
        desk.add(players - players // 10, large - small)
        after = desk.measure(times)
    DATA["measured"] = ", ".join(f"{name}: {p95 * 1000:.0f} ms, {queries}" for name, (p95, queries) in after.items())
    worst = max(p95 for p95, _queries in after.values())
    return [
        Row("desk.queries", sum(abs(after[name][1] - before[name][1]) for name in after), "<=", 0, times, "count"),
        Row("desk.p95_ms", worst * 1000, "<=", 300, times, "ms"),
        Row("desk.growth", max(after[name][0] / before[name][0] for name in after), "<=", 1.3, times, "ratio"),
    ]


class Desk:
    """A licensee with one queue, and Alice, who works in it."""

    def __init__(self) -> None:
        self._licensee = create_licensee(name="L", slug="l", jurisdiction="TR", time_zone="UTC", by=system())
        self._brand = create_brand(licensee=self._licensee, name="B", slug="b", by=system())
        team = create_team(name="T", slug="t", by=system())
        self._queue = open_queue(team, self._licensee, "verification", by=system())
        self._alice = create_user(
            email="alice@example.com", name="Alice", password="correct horse battery", by=system()
        )
        join(self._alice, team, "officer", by=system())
        self._client = Client()
        self._client.force_login(self._alice)

    def add(self, customers: int, cases: int) -> None:
        generate(
            self._queue,
            self._brand,
            customers=customers,
            cases=cases,
            by=system(),
            seed=f"B{secrets.token_hex(3)}",
            say=lambda what, so_far: None,
        )

    def measure(self, times: int) -> dict[str, tuple[float, int]]:
        """95th percentile in seconds and number of queries of each page."""
        numbers = list(Case.objects.order_by("id").values_list("number", flat=True)[: times + 3])
        reference = Case.objects.select_related("account").order_by("id")[0].account.reference
        queue, search = reverse("cases:queue"), reverse("cases:search")
        first = self._client.get(queue, {"view": "all"}).content.decode()
        second = html.unescape(NEXT.search(first)[1])
        pages: dict[str, Callable[[int], str]] = {
            "queue": lambda n: f"{queue}?view=all",
            "second page": lambda n: queue + second,
            "mine": lambda n: f"{queue}?view=mine",
            "by name": lambda n: f"{queue}?view=all&q=Zeynep+Korkmaz",
            "case": lambda n: reverse("cases:case", args=[numbers[n]]),
            "search by name": lambda n: f"{search}?q=Işıl+Yıldırım",
            "search by similar name": lambda n: f"{search}?q=Korkmas",
            "search by reference": lambda n: f"{search}?q={reference}",
        }
        return {name: self._one(address, times) for name, address in pages.items()}

    def _one(self, address: Callable[[int], str], times: int) -> tuple[float, int]:
        took = []
        for n in range(times + 3):
            reset_queries()
            with CaptureQueriesContext(connection) as captured:
                began = time.perf_counter()
                answer = self._client.get(address(n))
                took.append(time.perf_counter() - began)
            assert answer.status_code == 200, (address(n), answer.status_code)
        return statistics.quantiles(took[3:], n=20)[18], len(captured)
