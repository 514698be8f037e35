"""Mixed work for an hour: `python3 dev.py bench soak --minutes 60 --rate 30`. Hardly an error, no slowness, no memory
that grows. Not part of any quick run, and CI leaves it out.
"""

import io
import os
import random
import re
import secrets
import socket
import statistics
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.db import connection
from PIL import Image

from audit import context
from bench import Row, cluster
from bench._web import Person
from bench.desk import Desk
from cases.demo import files
from cases.models import Case
from compliance.embedded.installation import Installation
from compliance.embedded.supervisor import Supervisor
from compliance.people.models import Account
from compliance.platform.services import issue_key

CALLERS = 12  # each on one connection; more than the rate needs, so that one that waits delays no other
LOOK_EVERY = 5.0  # seconds between two looks at the memory
WARM = 0.25  # of the run: caches fill and workers load the product, so the slope of memory is taken after it
WEIGHTS = {"queue": 30, "case": 28, "search": 15, "gate": 15, "take": 4, "decide": 4, "upload": 4}
DATA = {
    "players": "1,000,000 (--quick: 3,000), two papers each, 100 of them real files",
    "cases": "200,000 open (--quick: 1,500)",
    "server": "the whole product: gunicorn of 2 workers, worker with beat, sequencer, database, on this machine",
    "load": f"open, {CALLERS} connections; per cent: {', '.join(f'{name} {share}' for name, share in WEIGHTS.items())}",
}


def rows(quick: bool, minutes: float = 60.0, rate: float = 30.0) -> list[Row]:
    settings.ALLOWED_HOSTS = ["*"]
    players, cases = (3_000, 1_500) if quick else (1_000_000, 200_000)
    with context.use(context.new("command")):
        desk = Desk()
        files.hand_in(desk.queue, desk.brand, 20 if quick else 100, by=desk.alice, seed="R", say=_silent)
        desk.add(players, cases)
        token = _key(desk)
    _tell("the data are made")
    with _product() as (port, supervisor):
        _tell("the product runs")
        soak = Soak(desk, port, token)
        memory = Memory(supervisor)
        soak.run(minutes * 60, rate, memory)
    DATA["measured"] = soak.summary()
    errors = soak.errors / max(len(soak.took), 1)
    return [
        Row("soak.errors", errors, "<=", 0.001, len(soak.took), "ratio"),
        Row("soak.p95_ms", statistics.quantiles(soak.took, n=20)[18] * 1000, "<=", 500, len(soak.took), "ms"),
        Row("soak.memory", memory.slope(), "<=", 0.01, len(memory.seen), "1/h"),
    ]


def _tell(words: str) -> None:
    print(f"{datetime.now(UTC):%H:%M:%S} {words}", file=sys.stderr, flush=True)


def _silent(what: str, done: int, total: int) -> None:
    """The bench prints its verdict and nothing else."""


def _key(desk: Desk) -> str:
    facts = {"owner": desk.bob, "licensee": desk.queue.licensee, "name": "soak", "created_by": desk.bob, "by": desk.bob}
    expires = datetime.now(UTC) + timedelta(days=1)
    _key, token = issue_key(**facts, scopes=["gate:read"], expires_at=expires, rate_per_minute=None)
    return token


class _product:
    """The product's own processes on the bench's database: (port, supervisor)."""

    def __enter__(self) -> tuple[int, Supervisor]:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
        name = connection.settings_dict["NAME"]
        installation = Installation(Path(settings.DATA_DIR), cluster(), port=port, kind="test", database=name)
        self._supervisor = Supervisor(installation, say=lambda line: None)
        try:
            self._supervisor.start_all()
            self._supervisor.wait_until_ready(within=120)
        except BaseException:
            self._supervisor.kill_all()
            raise
        return port, self._supervisor

    def __exit__(self, *error: object) -> None:
        self._supervisor.kill_all()


class Memory:
    """Resident memory of the product's processes over time, in bytes."""

    def __init__(self, supervisor: Supervisor) -> None:
        self._groups = {os.getpgid(pid) for pid in supervisor.pids()}
        self.seen: list[tuple[float, float]] = []

    def look(self, at: float) -> None:
        self.seen.append((at, sum(self._resident())))

    def _resident(self) -> Iterator[int]:
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                if os.getpgid(int(folder.name)) in self._groups:
                    yield int((folder / "statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
            except (OSError, ValueError):  # it ended between two looks
                continue

    def slope(self) -> float:
        """Growth an hour, as a share of what is used, by least squares over the time after the start."""
        begin = self.seen[-1][0] * WARM
        points = [point for point in self.seen if point[0] >= begin]
        line = statistics.linear_regression(*zip(*points, strict=True))
        return line.slope * 3600 / statistics.mean(used for _at, used in points)


class Soak:
    """Callers who take what is due next, in an order drawn once."""

    def __init__(self, desk: Desk, port: int, token: str) -> None:
        self._port, self._token = port, token
        self._people = [Person(port, user) for user in (desk.alice, desk.bob, desk.carol) for _again in range(4)]
        open_cases = Case.objects.filter(queue=desk.queue, closed_at=None)
        self._numbers = list(open_cases.order_by("id").values_list("number", flat=True)[:5_000])
        self._to_decide = list(
            open_cases.filter(state="in_review").order_by("-id").values_list("number", flat=True)[:5_000]
        )
        self._to_feed = list(open_cases.filter(state="open").order_by("-id").values_list("number", flat=True)[:5_000])
        self._references = list(Account.objects.order_by("id").values_list("reference", flat=True)[:5_000])
        self._lock = threading.Lock()
        self.took: list[float] = []
        self.wrong: Counter[str] = Counter()
        self.by_kind: dict[str, list[float]] = {kind: [] for kind in WEIGHTS}

    @property
    def errors(self) -> int:
        return sum(self.wrong.values())

    def run(self, seconds: float, rate: float, memory: Memory) -> None:
        chance = random.Random(20)
        kinds = chance.choices(list(WEIGHTS), list(WEIGHTS.values()), k=int(seconds * rate))
        due = iter(enumerate(kinds))
        begin = time.monotonic()

        def work(person: Person) -> None:
            while True:
                with self._lock:
                    place, kind = next(due, (None, ""))
                if place is None:
                    return
                at = begin + place / rate
                time.sleep(max(0.0, at - time.monotonic()))
                self._one(kind, place, person, at)

        threads = [threading.Thread(target=work, args=(person,)) for person in self._people[:CALLERS]]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            memory.look(time.monotonic() - begin)
            time.sleep(LOOK_EVERY)

    def _one(self, kind: str, place: int, person: Person, due: float) -> None:
        """Ask, and note how long it took from when it was due: what waits for another counts its waiting."""
        does: Callable[[int, Person], tuple[int, int]] = getattr(self, f"_{kind}")
        try:
            status, expected = does(place, person)
            said = "" if status == expected else f"{kind} {status}"
        except Exception as error:
            said = f"{kind} {type(error).__name__}"
        with self._lock:
            self.took.append(time.monotonic() - due)
            self.by_kind[kind].append(self.took[-1])
            if said:
                self.wrong[said] += 1

    def _queue(self, place: int, person: Person) -> tuple[int, int]:
        return person.get(f"/cases/?view={('all', 'mine', 'free')[place % 3]}")[0], 200

    def _case(self, place: int, person: Person) -> tuple[int, int]:
        return person.get(f"/cases/{self._numbers[place * 7 % len(self._numbers)]}/")[0], 200

    def _search(self, place: int, person: Person) -> tuple[int, int]:
        words = ("Korkmaz", "+905321234567", "Yilmas", self._references[place % len(self._references)])[place % 4]
        return person.get(f"/search/?q={words.replace('+', '%2B')}")[0], 200

    def _gate(self, place: int, person: Person) -> tuple[int, int]:
        path = f"/api/v1/accounts/{self._references[place % len(self._references)]}/gate"
        return person.get(path, {"Authorization": f"Bearer {self._token}"})[0], 200

    def _take(self, place: int, person: Person) -> tuple[int, int]:
        return person.post("/cases/next/", {"kind": "verification"})[0], 302

    def _decide(self, place: int, person: Person) -> tuple[int, int]:
        """Propose a refusal: the page, and the form on it."""
        address = f"/cases/{self._next_of(self._to_decide)}/decide/reject/"
        status, page = person.get(address)
        if status != 200:
            return status, 200
        seen = re.search(rb'name="seen" value="([0-9a-f]+)"', page)
        fields = {"seen": seen[1].decode() if seen else "", "reason": "person_differs", "note": ""}
        return person.post(address, fields)[0], 302

    def _upload(self, place: int, person: Person) -> tuple[int, int]:
        picture = io.BytesIO()
        Image.frombytes("L", (400, 300), secrets.token_bytes(120_000)).save(picture, "JPEG", quality=80)
        fields = {"shows": "identity_back:national_id"}
        address = f"/cases/{self._next_of(self._to_feed)}/documents/"
        return person.upload(address, fields, "back.jpg", picture.getvalue())[0], 302

    def _next_of(self, numbers: list[str]) -> str:
        with self._lock:
            return numbers.pop()

    def summary(self) -> str:
        """Median and 95th percentile of each kind of request, and what went wrong."""
        said = [
            f"{kind} {statistics.median(times) * 1000:.0f}/{statistics.quantiles(times, n=20)[18] * 1000:.0f} ms"
            for kind, times in self.by_kind.items()
            if len(times) > 1
        ]
        return "; ".join([*said, *(f"{what}: {count}" for what, count in self.wrong.items())])
