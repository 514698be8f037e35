"""What befalls servers: kill -9 of everything, a full disk, a clock set back, a dump restored elsewhere.

These have a PostgreSQL of their own, to kill and to fill.
"""

import os
import random
import subprocess
import sys
import time
import uuid
from contextlib import contextmanager, suppress
from datetime import timedelta

import pytest
from django.db import DatabaseError, connections

from audit import context
from audit.database import weaknesses
from audit.models import Entry
from audit.queries import standing
from compliance.embedded.environment import ROOT
from compliance.embedded.postgres import APPLICATION, Cluster
from tests import database
from tests.audit.clocks import clock
from tests.audit.conftest import House, Process, kinds
from tests.waiting import PATIENCE, wait_until
from tests.whole import times

LEVELS = ["READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"]


@contextmanager
def connected(cluster, name):
    """Every connection of this process at a database of another cluster."""
    before = {alias: connections[alias].settings_dict["HOST"] for alias in database.ALIASES}
    try:
        for alias in database.ALIASES:
            connections[alias].settings_dict["HOST"] = str(cluster.socket_dir)
        with database.connected_to(name, cluster=cluster), context.use(context.new("test")):
            yield
    finally:
        for alias in database.ALIASES:
            connections[alias].close()
            connections[alias].settings_dict["HOST"] = before[alias]


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    """A second PostgreSQL server, nobody else's."""
    with Cluster(tmp_path_factory.mktemp("cluster"), durable=False) as cluster:
        yield cluster


@contextmanager
def moved(cluster, house, folder):
    """The house's database, dumped and restored into another cluster, with the same keys."""
    name = f"moved_{uuid.uuid4().hex[:8]}"
    database.dump(house.cluster, house.name, folder / "dump")
    database.restore(cluster, name, folder / "dump")
    with connected(cluster, name):
        yield House(cluster, name, house.keys)
        for alias in database.ALIASES:
            connections[alias].close()
    cluster.drop_database(name)


def every_entry_has_one_place(house):
    (counts,) = house.sql(
        "SELECT (SELECT count(*) FROM audit_entry), (SELECT count(*) FROM audit_leaf), "
        "(SELECT count(DISTINCT entry_id) FROM audit_leaf), "
        "(SELECT sum(top) FROM (SELECT max(seq) + 1 AS top FROM audit_leaf GROUP BY log) logs)"
    )
    return len(set(counts)) == 1


def test_a_dump_restored_into_a_new_cluster_goes_on(house, own, tmp_path):
    house.write(40, note="sealed")
    house.sequence()
    size = standing().size
    with moved(own, house, tmp_path) as elsewhere:
        with connections["default"].cursor() as cursor:
            assert weaknesses(cursor) == []
        elsewhere.write(20)
        elsewhere.sequence()
        assert standing().refusal is None
        assert standing().signed_size > size + 20
        assert every_entry_has_one_place(elsewhere)
        assert kinds(elsewhere.verify()) == set()


def test_a_clock_set_back_by_two_hours_is_an_entry(house, monkeypatch):
    house.write(3)
    house.sequence()
    with clock(monkeypatch, timedelta(hours=-2)):
        house.write(3)
    house.sequence()
    regress = Entry.objects.get(action="audit.regress")
    assert 7100 < regress.facts["data"]["seconds"] <= 7200
    report = house.verify()
    assert kinds(report) == set()
    assert [finding.kind for finding in report.findings if finding.seq == regress.facts["data"]["seq"]] == [
        "clock_set_back"
    ]


@contextmanager
def small_disk(folder, size):
    """A file system of its own; skips where this process may not mount one."""
    folder.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder], capture_output=True, text=True
    )
    if done.returncode:
        pytest.skip(f"this process may not mount a file system: {done.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def fill(folder):
    """A file that takes all the space that is left."""
    descriptor = os.open(folder / "ballast", os.O_WRONLY | os.O_CREAT)
    with suppress(OSError):
        while os.write(descriptor, bytes(4096)):
            pass
    os.close(descriptor)
    return folder / "ballast"


def test_a_full_disk_of_the_signer_stops_signing_and_nothing_else(house, tmp_path):
    with small_disk(tmp_path / "small", "256k") as disk:
        house.keys = disk / "keys"
        house.write(3)
        house.sequence()
        signed = standing().signed_size
        ballast = fill(disk)
        house.write(5)
        house.sequence()
        assert "cannot be written: No space left" in standing().refusal
        assert standing().signed_size == signed < standing().size
        ballast.unlink()
        house.sequence()
        assert standing().refusal is None
        assert standing().signed_size == standing().size
        assert kinds(house.verify()) == set()


@pytest.mark.slow
def test_a_full_disk_of_the_database_refuses_and_loses_nothing(house, tmp_path):
    """Twenty seconds, most of them to make a cluster: its disk is filled while entries are written."""
    with (
        small_disk(tmp_path / "small", "400m") as disk,
        Cluster(disk / "cluster", durable=False) as cluster,
        moved(cluster, house, tmp_path) as full,
    ):
        full.sequence()
        ballast, written, ends = fill(disk), 0, time.monotonic() + 30
        with pytest.raises(DatabaseError):
            while time.monotonic() < ends:
                full.write(50, note="x" * 4000)
                written += 50
        ballast.unlink()
        for alias in database.ALIASES:
            connections[alias].close()
        if cluster.died:
            cluster.restart()
        wait_until(cluster.answers)
        full.write(10)
        full.sequence(rounds=5)
        assert Entry.objects.filter(action="access.deny").count() >= written + 10
        assert every_entry_has_one_place(full)
        assert kinds(full.verify()) == set()


class Writer:
    """tests/audit/writer.py as a process, and the file of what it was told is committed."""

    def __init__(self, house, isolation, file):
        environment = dict(os.environ) | {"DATABASE_URL": house.cluster.url(APPLICATION, house.name)}
        command = [sys.executable, "-m", "tests.audit.writer", isolation, str(file)]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        self._process = subprocess.Popen(command, cwd=ROOT, env=environment, **pipes)
        self.isolation, self.file = isolation, file

    def ready(self):
        assert self._process.stdout.readline() == "ready\n"

    def write_until(self, ends):
        self._process.stdin.write(f"{ends}\n")
        self._process.stdin.flush()

    def kill(self):
        self._process.kill()
        self._process.communicate()

    def end(self):
        self._process.communicate(timeout=PATIENCE)
        assert self._process.returncode == 0


def storm(house, seconds, folder, *, writers, victims, chance):
    """Writers in three isolation levels while something is killed each second or so; ids they were told of."""
    files = [folder / f"told-{number}" for number in range(writers)]
    writers = [Writer(house, LEVELS[number % 3], file) for number, file in enumerate(files)]
    process = Process(house)
    for writer in writers:
        writer.ready()
    ends, kills = time.time() + seconds, dict.fromkeys(victims, 0)
    for writer in writers:
        writer.write_until(ends)
    while (left := ends - time.time()) > 0:
        time.sleep(min(left, 0.5 + chance.random()))
        victim = victims[sum(kills.values()) % len(victims)]
        kills[victim] += 1
        if victim == "sequencer":
            process.kill()
            process.start()
        elif victim == "database":
            house.cluster.kill()
            for alias in database.ALIASES:
                connections[alias].close()
            house.cluster.restart()
        else:
            number = chance.randrange(len(writers))
            writers[number].kill()
            writers[number] = Writer(house, writers[number].isolation, files[number])
            writers[number].write_until(ends)
    for writer in writers:
        writer.end()
    try:
        wait_until(lambda: every_entry_has_one_place(house))
    finally:
        status, said = process.end()
        print(said)
    assert status == 0, said
    assert all(kills.values()), kills
    return {line for file in files for line in file.read_text().split()}


@pytest.mark.slow
def test_a_minute_of_kills_loses_and_doubles_nothing(house, own, tmp_path):
    """kill -9 of sequencer, database and writers at random, a minute long: the promise of the log as a whole."""
    house.sequence()
    with moved(own, house, tmp_path) as stormy:
        told = storm(
            stormy,
            times(60, 10),
            tmp_path,
            writers=8,
            victims=["sequencer", "database", "writer"],
            chance=random.Random(7),
        )
        placed = {str(event_id) for (event_id,) in stormy.sql("SELECT event_id FROM audit_leaf WHERE flag IS NULL")}
        assert len(told) > times(500, 50)
        assert told and told <= placed
        assert len(placed) == stormy.sql("SELECT count(*) FROM audit_leaf")[0][0]
        assert kinds(stormy.verify()) == set()


def test_a_few_seconds_of_killing_the_sequencer(house, tmp_path):
    told = storm(house, 3, tmp_path, writers=2, victims=["sequencer"], chance=random.Random(5))
    placed = {str(event_id) for (event_id,) in house.sql("SELECT event_id FROM audit_leaf")}
    assert told <= placed
    assert kinds(house.verify()) == set()
