"""What the log costs the writer, how fast entries get their place, and how fast an outsider verifies."""

import multiprocessing
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import unquote, urlsplit

import psycopg
from django.conf import settings
from django.db import connections, transaction

from audit import context
from audit.actors import SubjectRef, system
from audit.database import connect
from audit.export import Selection, export_to_folder
from audit.queries import standing
from audit.record import ObjectRef, record
from audit.registry import Action, Kept, register
from audit.sequencer import Sequencer
from audit.tiles import Edge
from audit.tree import leaf_hash
from audit.verifier import verify as outside
from bench import Row, cluster
from bench.explorer import Filling
from compliance.embedded.environment import ROOT
from compliance.embedded.postgres import SEQUENCER
from compliance.keys.services import ensure_subject_key
from compliance.people.models import Team

WRITERS = 8
DATA = {
    "transaction": "lock one row, change it, save it through the ORM; with the entry: the same in a web request's "
    "context (actor, session, object, subject, reason, two changed fields, sealed address and program)",
    "writers": WRITERS,
    "indexes": "those of the migration",
    "storage": "the writers' entries (747 bytes of JSON, 81 sealed), on disk with all indexes and the tree",
    "append_growth": "1 M against 20 M entries (--quick: 60,000, 300,000) made by COPY from a seed, as one entry says; "
    "one writer, no wait for disk",
    "verify": "a full bundle (tlog-tiles) in a folder, the verifier as its own process",
}
fork = multiprocessing.get_context("fork")

register(Action("bench.change", "{actor} changed {object}", {"name": Kept.PUBLIC, "slug": Kept.PUBLIC}))


def rows(quick: bool) -> list[Row]:
    slices, seconds = (7, 0.4) if quick else (15, 2.0)
    found, empty = [], on_disk()
    with Writers() as writers:
        ratios = writers.compare([("plain", 0.0), ("audited", 0.0)], slices, seconds)
        found.append(Row("audit.overhead", ratios, ">=", 0.55, slices, "ratio"))
        ratios = writers.compare([("plain", 0.005), ("audited", 0.005)], slices, seconds)
        found.append(Row("audit.overhead_5ms", ratios, ">=", 0.85, slices, "ratio"))
        found.append(Row("audit.sequencer", writers.with_sequencer(slices, seconds), ">=", 0.90, slices, "ratio"))
    size, entries = storage(empty)
    found.append(Row("audit.storage_bytes", size, "<=", 1_050, entries, "B"))  # docs/decisions/0009
    lag, entries = lag_p99(seconds=3 if quick else 20)
    found.append(Row("audit.lag_p99_ms", lag, "<=", 250, entries, "ms"))
    rounds, count = (2, 8_192) if quick else (5, 65_536)
    ratio = statistics.median(drain(count) for _ in range(rounds))
    found.append(Row("audit.drain", ratio, ">=", 0.20, rounds * count, "ratio"))
    ratio, memory, count = verification()
    found.append(Row("audit.verify", ratio, ">=", 0.35, count, "ratio"))
    found.append(Row("audit.verify_rss_mb", memory, "<=", 60, count, "MB"))
    at_first, at_last = (60_000, 300_000) if quick else (1_000_000, 20_000_000)
    ratio, appended = growth(at_first, at_last, slices, seconds)
    found.append(Row("audit.append_growth", ratio, "<=", 1.2, appended, "ratio"))
    return found


# ------------------------------------------------------------------------------------------------------ writers
class Writers:
    """Eight processes, each with a row and a connection of its own, that work in slices of time when told how."""

    def __enter__(self):
        with context.use(context.new("command")), transaction.atomic():
            self._subjects = [SubjectRef("customer", str(uuid.uuid4())) for _ in range(WRITERS)]
            for subject in self._subjects:
                ensure_subject_key(subject)
        tag = uuid.uuid4().hex[:6]
        teams = [Team.objects.create(name=f"bench {n}", slug=f"bench-{tag}-{n}") for n in range(WRITERS)]
        connections.close_all()
        self._tasks = [fork.Queue() for _ in range(WRITERS)]
        self._counts = fork.Queue()
        self._processes = [
            fork.Process(target=_work, args=(team.pk, subject, tasks, self._counts), daemon=True)
            for team, subject, tasks in zip(teams, self._subjects, self._tasks, strict=True)
        ]
        for process in self._processes:
            process.start()
        self.run("audited", 0.0, 1.0)  # connections, plans and caches warm
        self.run("plain", 0.0, 0.5)
        return self

    def __exit__(self, *error):
        for tasks in self._tasks:
            tasks.put(None)
        for process in self._processes:
            process.join(10)

    def run(self, kind, work, seconds):
        """Transactions per second of all writers."""
        starts = time.monotonic() + 0.1
        for tasks in self._tasks:
            tasks.put((kind, work, starts, seconds))
        return sum(self._counts.get() for _ in self._tasks) / seconds

    def compare(self, kinds, slices, seconds):
        """Median of second over first, slices interleaved."""
        ratios = []
        for _ in range(slices):
            first, second = (self.run(kind, work, seconds) for kind, work in kinds)
            ratios.append(second / first)
        return statistics.median(ratios)

    def with_sequencer(self, slices, seconds):
        """One sequencer, frozen in every other slice."""
        ratios = []
        with sequencer() as process:
            for _ in range(slices):
                process.send_signal(signal.SIGSTOP)
                without = self.run("audited", 0.0, seconds)
                process.send_signal(signal.SIGCONT)
                wait_until_placed()
                ratios.append(self.run("audited", 0.0, seconds) / without)
        return statistics.median(ratios)


def _work(team_id, subject, tasks, counts):
    connections.close_all()
    here = context.new(
        "web",
        session="0123456789abcdef",
        authentication="password+totp",
        address="203.0.113.9",
        user_agent="Mozilla/5.0 (X11)",
    )
    while (task := tasks.get()) is not None:
        kind, work, starts, seconds = task
        time.sleep(max(0.0, starts - time.monotonic()))
        ends, count = time.monotonic() + seconds, 0
        with context.use(here):
            while time.monotonic() < ends:
                _transaction(team_id, subject, audited=kind == "audited", work=work)
                count += 1
        counts.put(count)


def _transaction(team_id, subject, *, audited, work):
    with transaction.atomic():
        team = Team.objects.select_for_update().get(pk=team_id)
        before = team.name
        team.name = f"bench {time.monotonic_ns()}"
        if work:
            ends = time.thread_time() + work
            while time.thread_time() < ends:
                pass
        team.save()
        if audited:
            record(
                "bench.change",
                by=system(),
                about=team,
                reason="all_checks_met",
                changes={"name": (before, team.name), "slug": (team.slug, team.slug)},
                subject=subject,
                matter="KYC-26-004813-9",
            )


# ------------------------------------------------------------------------------------------------------ the sequencer
@contextmanager
def sequencer(tick="0.1"):
    environment = dict(os.environ) | {"DATABASE_URL": cluster().url(SEQUENCER), "AUDIT_TICK_SECONDS": tick}
    command = [sys.executable, "manage.py", "audit", "sequence"]
    before = epoch()
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.DEVNULL)
    try:
        while epoch() == before:  # the sign of life of the one before does not count
            time.sleep(0.02)
        wait_until_placed()
        yield process
    finally:
        process.terminate()
        process.wait(30)


def epoch():
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT max(epoch) FROM audit_state")
        return cursor.fetchone()[0]


def wait_until_placed():
    ends = time.monotonic() + 120
    while not (now := standing()).alive or now.waiting or now.signed_size < now.size:
        assert time.monotonic() < ends, "the sequencer does not keep up"
        time.sleep(0.02)


def lag_p99(*, seconds, rate=300, connections_open=4):
    """From commit to a place in the tree, at an open load: 99th percentile in ms."""
    committed, samples, stop = [], [], threading.Event()

    def write(first):
        with context.use(context.new("command")):
            for number in range(first, int(rate * seconds), connections_open):
                time.sleep(max(0.0, starts + number / rate - time.monotonic()))
                with transaction.atomic():
                    record("bench.change", by=system(), about=ObjectRef("bench", "x"))
                committed.append(time.monotonic())
        connections.close_all()

    def watch():
        with psycopg.connect(cluster().url(), autocommit=True) as connection:
            ended = False
            while not ended:  # one look more after the end: it sees the last entries placed
                ended = stop.wait(0.004)
                size = connection.execute("SELECT size FROM audit_state WHERE log = 'main'").fetchone()[0]
                samples.append((time.monotonic(), size))

    with sequencer():
        size = standing().size
        starts = time.monotonic() + 0.2
        watcher = threading.Thread(target=watch)
        threads = [threading.Thread(target=write, args=(first,)) for first in range(connections_open)]
        for thread in (watcher, *threads):
            thread.start()
        for thread in threads:
            thread.join()
        wait_until_placed()
        stop.set()
        watcher.join()
    # Places are given in the order of commits, so the n-th commit waits for the tree to have n more leaves.
    lags, at = [], 0
    for number, moment in enumerate(sorted(committed), size + 1):
        while samples[at][1] < number:
            at += 1
        lags.append(max(0.0, samples[at][0] - moment))
    return 1000 * statistics.quantiles(lags, n=100)[98], len(lags)


def drain(count):
    """Entries placed per second over rows copied per second into a table like audit_leaf, with its indexes."""
    with context.use(context.new("command")):
        for _ in range(count // 4096):
            with transaction.atomic():
                for _ in range(4096):
                    record("bench.change", by=system(), about=ObjectRef("bench", "x"), matter="KYC-26-004813-9")
    connections.close_all()
    answers = fork.Queue()
    process = fork.Process(target=_drain, args=(answers,))
    process.start()
    seconds, placed = answers.get()
    process.join()
    return (placed / seconds) / copy_rate(count)


def _drain(answers):
    parts = urlsplit(cluster().url(SEQUENCER))
    connections["default"].settings_dict.update(USER=parts.username, PASSWORD=unquote(parts.password or ""))
    with context.use(context.new("command")), connect() as connection:
        worker = Sequencer(folder=settings.LOG_KEY_DIR, tick=0.1)
        assert worker.lead(connection)
        before = sum(log.edge.size for log in worker._logs.values())
        began = time.perf_counter()
        while worker.tick(connection):
            pass
        seconds = time.perf_counter() - began
        answers.put((seconds, sum(log.edge.size for log in worker._logs.values()) - before))


def copy_rate(count):
    with psycopg.connect(cluster().url("postgres"), autocommit=True) as connection:
        connection.execute("CREATE TABLE bench_leaf (LIKE audit_leaf INCLUDING ALL)")
        ids = [uuid.uuid4() for _ in range(count)]
        began = time.perf_counter()
        with connection.cursor() as cursor:
            statement = "COPY bench_leaf (log, seq, entry_id, event_id, flag) FROM STDIN (FORMAT BINARY)"
            with cursor.copy(statement) as copy:
                copy.set_types(["text", "int8", "int8", "uuid", "text"])
                for number, event_id in enumerate(ids):
                    copy.write_row(("main", number, number, event_id, None))
        seconds = time.perf_counter() - began
        connection.execute("DROP TABLE bench_leaf")
    return count / seconds


# ------------------------------------------------------------------------------------------------------ sizes
_PARTS = """
SELECT regexp_replace(c.relname, '_p[0-9]+', ''), sum(pg_relation_size(c.oid))
FROM pg_class c LEFT JOIN pg_index i ON i.indexrelid = c.oid JOIN pg_class t ON t.oid = coalesce(i.indrelid, c.oid)
WHERE t.relname ~ '^audit_(entry|sealed)_p[0-9]+$' OR t.relname IN ('audit_leaf', 'audit_tile') GROUP BY 1
"""


def on_disk():
    """(bytes of entries, sealed parts and tree, by table and index, entries)."""
    with psycopg.connect(cluster().url("postgres"), autocommit=True) as connection:
        parts = {name: int(size) for name, size in connection.execute(_PARTS).fetchall()}
        (count,) = connection.execute("SELECT count(*) FROM audit_entry").fetchone()
    return parts, count


def storage(before):
    """(bytes on disk per entry, entries) that were added since `before`, what on_disk said."""
    with sequencer():
        wait_until_placed()
    (parts, count), (parts_before, count_before) = on_disk(), before
    count -= count_before
    each = {name: (size - parts_before.get(name, 0)) / count for name, size in parts.items()}
    largest = sorted(each.items(), key=lambda part: -part[1])
    DATA["bytes_by_part"] = ", ".join(f"{name} {size:.0f}" for name, size in largest)
    return sum(each.values()), count


def growth(first, last, slices, seconds):
    """(cost of an append at `last` entries over that at `first`, appends measured); COPY makes what lies between."""
    rates, filling = [], Filling(seed=20)
    for size in (first, last):
        _parts, reached = on_disk()
        filling.add(size - reached, leaves=False)
        _vacuum()
        with context.use(context.new("command")):
            append_rate(seconds)  # after a checkpoint, the first touch of each page costs once more
            rates.append(statistics.median(append_rate(seconds) for _ in range(slices)))
    return rates[0] / rates[1], int(sum(rates) * slices * seconds)


def _vacuum():
    with psycopg.connect(cluster().url("postgres"), autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE audit_entry")


def append_rate(seconds):
    """Entries per second of one writer, each in a transaction of its own that does not wait for the disk."""
    with connections["default"].cursor() as cursor:
        cursor.execute("SET synchronous_commit = off")
    ends, count = time.monotonic() + seconds, 0
    while time.monotonic() < ends:
        with transaction.atomic():
            record("bench.change", by=system(), about=ObjectRef("bench", str(uuid.uuid4())), matter="KYC-26-004813-9")
        count += 1
    return count / seconds


# ------------------------------------------------------------------------------------------------------ the verifier
def verification():
    """(verified per second over hashed per second, memory in MB, entries)."""
    with tempfile.TemporaryDirectory() as folder, sequencer():
        bundle = Path(folder) / "bundle"
        with context.use(context.new("command")):
            export_to_folder(Selection("full"), bundle, by=system(), reason="bench")
        command = [sys.executable, "-I", "-S", outside.__file__, str(bundle), "--vkey", standing().vkey or ""]
        began = time.perf_counter()
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        memory = 0
        while process.poll() is None:
            memory = max(memory, _memory(process.pid))
            time.sleep(0.01)
        verified = time.perf_counter() - began
        assert process.returncode == 0, "the bundle does not verify"
        entries = [
            entry for file in sorted(bundle.glob("tile/entries/**/*")) if file.is_file() for entry in _entries(file)
        ]
    began = time.perf_counter()
    edge = Edge()
    edge.append_hashes(leaf_hash(entry) for entry in entries)
    edge.root()
    hashed = time.perf_counter() - began
    return hashed / verified, memory / 1024, len(entries)


def _memory(pid):
    """Memory of a process and those that it started, in KiB; what they share counts once."""
    try:
        mine = Path(f"/proc/{pid}/smaps_rollup").read_text()
        others = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return 0
    held = next((int(line.split()[1]) for line in mine.splitlines() if line.startswith("Pss:")), 0)
    return held + sum(_memory(int(child)) for child in others)


def _entries(file):
    data, at = file.read_bytes(), 0
    while at < len(data):
        length = int.from_bytes(data[at : at + 2], "big")
        yield data[at + 2 : at + 2 + length]
        at += 2 + length
