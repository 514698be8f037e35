"""A log of its own for tests that commit, tamper, or run a sequencer."""

import io
import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from django.db import connections, transaction

from audit import context
from audit.actors import system
from audit.database import connect
from audit.export import Selection, export, export_to_folder
from audit.packing import unpack
from audit.queries import standing
from audit.record import ObjectRef, record
from audit.sequencer import Sequencer
from audit.verify import verify
from compliance.embedded.environment import ROOT
from compliance.embedded.postgres import OWNER, SEQUENCER, SUPERUSER
from tests import database
from tests.audit.bundling import CASE, CASE_ENTRIES, CUSTOMER, Forger
from tests.waiting import PATIENCE, wait_until


class House:
    """A database copied for one test, its own log keys, and a sequencer that works when asked to."""

    def __init__(self, cluster, name, keys: Path):
        self.cluster, self.name, self.keys = cluster, name, keys

    def write(self, count=1, **facts):
        """Entries of the system, each in a transaction of its own; their ids."""
        given = {"by": system(), "about": ObjectRef("route", "x"), "reason": "no_right", "outcome": "refused"} | facts
        ids = []
        for _ in range(count):
            with transaction.atomic():
                ids.append(record("access.deny", **given))
        return ids

    @contextmanager
    def sequencer(self):
        """A sequencer that leads, with its connection: `tick(connection)` is the test's to call."""
        with database.connected_to(self.name, role=SEQUENCER, cluster=self.cluster), connect() as connection:
            sequencer = Sequencer(folder=self.keys, tick=0.05)
            assert sequencer.lead(connection)
            yield sequencer, connection

    def sequence(self, rounds=3):
        """Let a sequencer place and sign all that waits."""
        with self.sequencer() as (sequencer, connection):
            for _ in range(rounds):
                while sequencer.tick(connection):
                    pass
            for log in sequencer._logs.values():
                log.checkpoint_due = 0.0

    def sql(self, text, *values, role=SUPERUSER):
        """Run statements as the superuser (a DBA), by default; the rows of the last one."""
        with psycopg.connect(self.cluster.url(role, self.name), autocommit=True) as connection:
            cursor = connection.execute(text, values or None)
            return cursor.fetchall() if cursor.description else None

    def tamper(self, text):
        """What a DBA does who switches the triggers off for a moment."""
        off, on = SWITCH.format("DISABLE"), SWITCH.format("ENABLE ALWAYS")
        self.sql(f"SET session_replication_role = replica; {off} {text}; {on}")

    def bytes_of(self, entry_id):
        """The canonical bytes of an entry."""
        return unpack(bytes(self.sql("SELECT entry FROM audit_entry WHERE id = %s", entry_id)[0][0]))

    def forged(self, entry_id):
        """The bytes of an entry with another reason, as SQL."""
        return f"'\\x{self.bytes_of(entry_id).replace(b'no_right', b'no_reason').hex()}'::bytea"

    def verify(self, log="main"):
        return verify(log, folder=self.keys)

    def owner_sql(self, text):
        return self.sql(text, role=OWNER)


# What an entry's row consists of, but for what the database gives itself.
COLUMNS = "log, event_id, at, actor_kind, actor_id, action, object_kind, object_id, outcome, request_id, entry"
VALUES = "'main', gen_random_uuid(), now(), 'a', 'stranger', 'a', 'a', 'a', 'done', 'a', 'x'"
FOREIGN = f"INSERT INTO audit_entry ({COLUMNS}) VALUES ({VALUES})"
COPY = f"INSERT INTO audit_entry ({COLUMNS}) SELECT {COLUMNS} FROM audit_entry"

# Every trigger of ours, off and on again.
SWITCH = """DO $$ DECLARE t record; BEGIN
FOR t IN SELECT tgrelid::regclass AS tab, tgname FROM pg_trigger WHERE tgname LIKE 'audit%' AND NOT tgisinternal LOOP
EXECUTE format('ALTER TABLE %s {} TRIGGER %I', t.tab, t.tgname); END LOOP; END $$;"""


@pytest.fixture
def in_context():
    with context.use(context.new("test")) as here:
        yield here


@contextmanager
def a_house(cluster, keys):
    with (
        database.a_copy(cluster, "house") as name,
        database.connected_to(name, cluster=cluster),
        context.use(context.new("test")),
    ):
        yield House(cluster, name, keys)
        for alias in database.ALIASES:
            connections[alias].close()


@pytest.fixture
def house(migrated, django_db_setup, django_db_blocker, tmp_path):
    with django_db_blocker.unblock(), a_house(migrated, tmp_path / "keys") as made:
        yield made


class Process:
    """The real command `manage.py audit sequence` on a house, to be killed or stopped."""

    def __init__(self, house):
        self._environment = dict(os.environ) | {
            "DATABASE_URL": house.cluster.url(SEQUENCER, house.name),
            "LOG_KEY_DIR": str(house.keys),
            "AUDIT_TICK_SECONDS": "0.02",
        }
        self.start()

    def start(self):
        self._process = subprocess.Popen(
            [sys.executable, "manage.py", "audit", "sequence"], cwd=ROOT, env=self._environment, stderr=subprocess.PIPE
        )

    def kill(self):
        self._process.kill()
        self._process.communicate()

    def wait(self):
        """Status and words of a process that ends by itself."""
        _, said = self._process.communicate(timeout=PATIENCE)
        return self._process.returncode, said.decode()

    def end(self):
        self._process.send_signal(signal.SIGTERM)
        return self.wait()


def kinds(report):
    """What a verification found, notices left out."""
    return {finding.kind for finding in report.findings if not finding.notice}


@pytest.fixture(scope="module")
def running(migrated, django_db_setup, django_db_blocker, tmp_path_factory):
    """A house with a case of twelve entries among six hundred others, and a running sequencer."""
    with django_db_blocker.unblock(), a_house(migrated, tmp_path_factory.mktemp("log") / "keys") as house:
        house.write(300)
        house.write(CASE_ENTRIES, matter=CASE, subject=CUSTOMER, note="sealed words")
        house.write(300)
        process = Process(house)
        wait_until(lambda: standing("main").alive and standing("main").waiting == 0)
        yield house
        process.end()


@pytest.fixture(scope="module")
def vkey(running):
    return (running.keys / "main.vkey").read_text().strip()


@pytest.fixture(scope="module")
def bundle(running):
    """The case's bundle as it is delivered."""
    out = io.BytesIO()
    export(Selection("case", CASE), out, by=system(), reason="Yearly audit")
    return out.getvalue()


@pytest.fixture(scope="module")
def whole(running, tmp_path_factory):
    """A full bundle, as a folder."""
    folder = tmp_path_factory.mktemp("full") / "bundle"
    export_to_folder(Selection("full"), folder, by=system(), reason="Yearly audit")
    return folder


@pytest.fixture
def delivered(bundle, tmp_path):
    file = tmp_path / "bundle.zip"
    file.write_bytes(bundle)
    return file


@pytest.fixture
def forger(bundle, tmp_path):
    return Forger(bundle, tmp_path)
