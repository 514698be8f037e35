"""How the desk answers at the size of a real operator: queue page, case page and search; two officers at once."""

import html
import re
import secrets
import statistics
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import psycopg
from django.conf import settings
from django.db import connection, reset_queries
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from audit import context
from audit.actors import system
from audit.models import Entry
from bench import Row, cluster
from bench._web import Person, server
from cases import services as engine
from cases.demo.crowd import generate
from cases.models import Case
from cases.queues import open_queue
from cases.types.verification.models import Verification
from compliance.embedded.postgres import OWNER
from compliance.people.services import create_brand, create_licensee, create_team, create_user, join
from compliance.proposals.services import propose

SEEN = 'UPDATE "access_session" SET "seen_at"'
NEXT = re.compile(r'rel="next" href="([^"]+)"')
DATA = {
    "players": "1,000,000 (--quick: 60,000), two papers each",
    "cases": "20,000, then 200,000 open (--quick: 2,000, then 20,000), half of them somebody's",
    "load": "one request after the other in one process, 40 of each page (--quick: 10) after 3 to warm up",
    "pages": "queue: all open, second page, one person's, by name; case page; search: name, similar name, reference, "
    "e-mail, last four",
    "race": "two officers confirm 300 proposals (--quick: 30), each pair at the same moment, over HTTP on gunicorn",
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
        races = 30 if quick else 300
        lost = desk.race(races)
    DATA["measured"] = ", ".join(f"{name}: {p95 * 1000:.0f} ms, {queries}" for name, (p95, queries) in after.items())
    worst = max(p95 for p95, _queries in after.values())
    return [
        Row("desk.queries", sum(abs(after[name][1] - before[name][1]) for name in after), "<=", 0, times, "count"),
        Row("desk.p95_ms", worst * 1000, "<=", 300, times, "ms"),
        Row("desk.growth", max(after[name][0] / before[name][0] for name in after), "<=", 1.3, times, "ratio"),
        Row("desk.race", lost, "<=", 0, races, "count"),
    ]


class Desk:
    """A licensee with one queue; Alice works in it, Bob and Carol decide."""

    def __init__(self) -> None:
        self._licensee = create_licensee(name="L", slug="l", jurisdiction="TR", time_zone="UTC", by=system())
        self.brand = create_brand(licensee=self._licensee, name="B", slug="b", by=system())
        self._team = create_team(name="T", slug="t", by=system())
        self.queue = open_queue(self._team, self._licensee, "verification", by=system())
        self.alice, self.bob, self.carol = (
            self._hire(name, role) for name, role in (("Alice", "agent"), ("Bob", "officer"), ("Carol", "officer"))
        )
        self._client = Client()
        self._client.force_login(self.alice)

    def _hire(self, name: str, role: str) -> Any:
        password = secrets.token_urlsafe(24)
        user = create_user(email=f"{name.lower()}@example.com", name=name, password=password, by=system())
        join(user, self._team, role, by=system())
        return user

    def add(self, customers: int, cases: int) -> None:
        """Two papers for each new player. Then the planner is told, as autovacuum does a minute later."""
        seed = f"B{secrets.token_hex(3)}"
        facts = {"customers": customers, "cases": cases, "documents": 2 * customers}
        generate(self.queue, self.brand, **facts, by=system(), seed=seed)
        with psycopg.connect(cluster().url(OWNER, connection.settings_dict["NAME"]), autocommit=True) as owner:
            owner.execute("VACUUM ANALYZE")

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
            "search by e-mail": lambda n: f"{search}?q=nobody@example.com",
            "search by last four": lambda n: f"{search}?q=0146",
        }
        return {name: self._one(address, times) for name, address in pages.items()}

    def _one(self, address: Callable[[int], str], times: int) -> tuple[float, int]:
        took, asked = [], []
        for n in range(times + 3):
            reset_queries()
            with CaptureQueriesContext(connection) as captured:
                began = time.perf_counter()
                answer = self._client.get(address(n))
                took.append(time.perf_counter() - began)
            assert answer.status_code == 200, (address(n), answer.status_code)
            # Once a minute one page also notes that the session was seen: it counts for no page.
            if n >= 3 and not any(SEEN in query["sql"] for query in captured):
                asked.append(len(captured))
        return statistics.quantiles(took[3:], n=20)[18], max(asked)

    # -------------------------------------------------------------------------------------------------- the race
    def race(self, count: int) -> int:
        """Double decisions and errors 500 when two officers confirm the same proposals at the same moment."""
        proposals = self._proposals(count)
        statuses: Counter[int] = Counter()
        start = threading.Barrier(2)

        def decide(person: Person) -> None:
            for proposal in proposals:
                start.wait()
                status, _page = person.post(f"/approvals/{proposal.pk}/confirm/", {})
                statuses[status] += 1

        with server() as (port, _pid):
            people = [Person(port, user) for user in (self.bob, self.carol)]
            threads = [threading.Thread(target=decide, args=(person,)) for person in people]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        made = Entry.objects.filter(action="verification.approve", outcome="done")
        decided = Counter(made.values_list("matter", flat=True))
        double = sum(times - 1 for times in decided.values())
        undecided = count - len(decided)
        if undecided or statuses[302] != count:
            raise RuntimeError(f"the race did not run as it should: {dict(statuses)}, {undecided} undecided")
        return double + sum(times for status, times in statuses.items() if status >= 500)

    def _proposals(self, count: int) -> list[Any]:
        """Approvals that wait for a second person, on cases whose papers are all accepted."""
        chosen = list(Verification.objects.filter(state="in_review").order_by("id")[:count])
        for case in chosen:
            for evidence in case.evidence.filter(state="pending"):
                engine.accept(evidence, by=self.alice)
        fresh = [Verification.objects.get(pk=case.pk) for case in chosen]
        return [propose("verification.approve", case, by=self.alice, reason="all_checks_met") for case in fresh]
