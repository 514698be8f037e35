"""The suite's databases: copies of one migrated database on the cluster that `dev.py test` started."""

import io
import os
import secrets
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

from compliance.embedded.binaries import find_binaries
from compliance.embedded.postgres import APPLICATION, DATABASE, OWNER, SUPERUSER, Cluster

ALIASES = ("default", "log")
FLUSHING = ("transactional_db", "django_db_reset_sequences", "django_db_serialized_rollback", "live_server")


def flushes(item) -> str | None:
    """What makes pytest-django empty the tables after this test, or None."""
    mark = item.get_closest_marker("django_db")
    asked = dict(mark.kwargs) if mark else {}
    arguments = [name for name in ("transaction", "reset_sequences", "serialized_rollback") if asked.get(name)]
    fixtures = [name for name in FLUSHING if name in item.fixturenames]
    return next(iter((*arguments, *fixtures)), None)


def the_cluster() -> Cluster:
    """The running cluster; a plain `pytest` has none."""
    folder = os.environ.get("MIZAN_TEST_CLUSTER")
    if not folder:
        pytest.exit("Tests need the database that `python3 dev.py test [pytest arguments]` starts.", returncode=4)
    return Cluster(folder)


def migrate(cluster: Cluster) -> None:
    """Bring the database that all others are copied from up to date, with the owner role.

    Even where `dev.py` laid a migrated one: what follows a migration (content types, groups) depends on today's code.
    """
    with connected_to(DATABASE, role=OWNER, cluster=cluster):
        call_command("migrate", interactive=False, verbosity=0)
        call_command("createcachetable", verbosity=0)
        call_command("keys", "ensure", stdout=io.StringIO())


@contextmanager
def a_copy(cluster: Cluster, prefix: str) -> Iterator[str]:
    """A database of its own, dropped afterwards."""
    name = f"{prefix}_{secrets.token_hex(4)}"
    cluster.create_database(name, template=DATABASE)
    try:
        yield name
    finally:
        cluster.drop_database(name)


def dump(cluster: Cluster, name: str, file: Path, kind: str = "custom") -> None:
    """A backup of a database, as docs/how-to/recover-from-a-disaster.md makes it; `kind` is pg_dump's format."""
    _run(cluster, "pg_dump", f"--format={kind}", f"--file={file}", f"--dbname={name}")


def restore(cluster: Cluster, name: str, file: Path) -> None:
    """A dump of the kind "custom", into a new database."""
    cluster.create_database(name)
    _run(cluster, "pg_restore", "--exit-on-error", f"--dbname={name}", str(file))


def _run(cluster: Cluster, program: str, *arguments: str) -> None:
    binaries = find_binaries()
    environment = binaries.environment() | {
        "PGPASSWORD": cluster.password(SUPERUSER),
        "PGHOST": str(cluster.socket_dir),
        "PGUSER": SUPERUSER,
    }
    done = subprocess.run([binaries.path(program), *arguments], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@contextmanager
def connected_to(name: str, *, role: str = APPLICATION, cluster: Cluster) -> Iterator[None]:
    """Point every connection of this process at the database `name`, signed in as `role`."""
    before = {alias: dict(connections[alias].settings_dict) for alias in ALIASES}
    now = {"NAME": name, "USER": role, "PASSWORD": cluster.password(role)}
    try:
        for alias in ALIASES:
            connections[alias].close()
            connections[alias].settings_dict.update(now)
        yield
    finally:
        for alias in ALIASES:
            connections[alias].close()
            connections[alias].settings_dict.update(before[alias])


@contextmanager
def two_copies(cluster: Cluster) -> Iterator[None]:
    """Two databases between which `use` changes, for what is rolled back: as migrated, and one to lay a world in."""
    with a_copy(cluster, "test") as bare, a_copy(cluster, "world") as other, connected_to(bare, cluster=cluster):
        _names.update(bare=bare, world=other)
        yield
        use("world")
        connections.close_all()
        use("bare")
        _names.clear()
        _open.clear()


def use(which: str) -> None:
    """Go on with this process's connections to `bare` or `world`; both stay open. Never away from a transaction."""
    if not _names or in_use() in (which, None) or connections["default"].in_atomic_block:
        return
    for alias in ALIASES:
        wrapper = connections[alias]
        _open[in_use(), alias] = wrapper
        connections[alias] = _open.get((which, alias)) or connections.create_connection(alias)
        if connections[alias].connection is not None and not connections[alias].is_usable():
            connections[alias].close()  # a test killed the database meanwhile
    for alias in ALIASES:  # every connection of an alias, of another thread too, has these same settings
        connections[alias].settings_dict["NAME"] = _names[which]


def in_use() -> str | None:
    """`bare`, `world`, or None where this process works on another database."""
    now = connections["default"].settings_dict["NAME"]
    return next((which for which, name in _names.items() if name == now), None)


_names: dict[str, str] = {}
_open: dict[tuple[str | None, str], BaseDatabaseWrapper] = {}
