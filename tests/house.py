"""An installation of its own: a copy of the migrated database, a key file and tombstones that no other test sees.

For tests that destroy epochs, shred or restore backups. No service runs; `manage` starts commands, `start` leaves them
running, and the test's own process is connected to the same database and keys.
"""

import secrets
import shutil
import subprocess
import sys
import uuid
from contextlib import contextmanager
from pathlib import Path

import psycopg
from django.conf import settings
from django.db import connections

from compliance.embedded.environment import ROOT
from compliance.embedded.installation import Installation
from compliance.embedded.postgres import OWNER
from compliance.keys.models import SubjectKey
from compliance.keys.providers import provider
from tests import database


class House:
    def __init__(self, cluster, name, folder):
        self.cluster, self.database, self.folder = cluster, name, folder
        self.key_file, self.tombstones = folder / "keys" / "keys.json", folder / "keys" / "shredded.jsonl"
        extra = {"KEY_FILE": str(self.key_file), "TOMBSTONES_FILE": str(self.tombstones)}
        extra["VAULT_DIR"] = str(folder / "vault")
        self.installation = Installation(Path(settings.DATA_DIR), cluster, kind="test", database=name, extra=extra)

    def manage(self, *arguments):
        """What a command printed; SetUpFailed when it fails."""
        return self.installation.manage(*arguments)

    def start(self, *arguments):
        """A command that runs on."""
        return self._popen([sys.executable, "manage.py", *arguments])

    def program(self, text):
        """A Python program within the product, which is spoken to through its pipes."""
        return self._popen([sys.executable, "-u", "-c", f"import django; django.setup()\n{text}"])

    def _popen(self, command):
        pipe = subprocess.PIPE
        return subprocess.Popen(
            command, cwd=ROOT, env=self.installation.environment(), stdin=pipe, stdout=pipe, stderr=pipe, text=True
        )

    def dump(self):
        """A backup of the whole database, as a name of a further copy to restore from."""
        name = f"dump_{secrets.token_hex(4)}"
        connections.close_all()
        self.cluster.create_database(name, template=self.database)
        return name

    def many_keys(self, count):
        """That many customers' keys under the present epoch."""
        contents = provider().contents()
        with psycopg.connect(self.cluster.url(OWNER, self.database)) as direct, direct.cursor() as cursor:
            sql = "COPY keys_subjectkey (kind, subject_id, version, provider, epoch, wrapped, created_at) FROM STDIN"
            with cursor.copy(sql) as copy:
                for _ in range(count):
                    subject = str(uuid.uuid4())
                    wrapped = contents.wrap(secrets.token_bytes(32), SubjectKey.aad_of("customer", subject, 1))
                    copy.write_row(("customer", subject, 1, "file", wrapped.epoch, wrapped.blob, "2026-01-01"))


@contextmanager
def a_house(cluster, folder, *, database_name=None):
    """`database_name`: move into an existing copy (a restored backup) instead of a fresh one."""
    before = settings.KEY_FILE, settings.TOMBSTONES_FILE
    with database.a_copy(cluster, "house") if database_name is None else _kept(database_name) as name:
        house = House(cluster, name, folder)
        if not house.key_file.exists():
            house.key_file.parent.mkdir(mode=0o700, parents=True)
            # The copied database holds keys that the suite's own file wraps.
            shutil.copy(settings.KEY_FILE, house.key_file)
        settings.KEY_FILE, settings.TOMBSTONES_FILE = house.key_file, house.tombstones
        provider.cache_clear()
        try:
            with database.connected_to(name, cluster=cluster):
                yield house
        finally:
            settings.KEY_FILE, settings.TOMBSTONES_FILE = before
            provider.cache_clear()


@contextmanager
def _kept(name):
    yield name
