"""The suite's databases: copies of one migrated database on the cluster that `dev.py test` started."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connections

from compliance.embedded.installation import Installation
from compliance.embedded.postgres import DATABASE, Cluster

ALIASES = ("default", "log")


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
    Installation(Path(settings.DATA_DIR), cluster, kind="test").migrate()


@contextmanager
def a_copy(cluster: Cluster, prefix: str) -> Iterator[str]:
    """A database of its own, dropped afterwards."""
    name = f"{prefix}_{secrets.token_hex(4)}"
    cluster.create_database(name, template=DATABASE)
    try:
        yield name
    finally:
        cluster.drop_database(name)


@contextmanager
def connected_to(name: str) -> Iterator[None]:
    """Point every connection of this process at the database `name`."""
    before = {alias: connections[alias].settings_dict["NAME"] for alias in ALIASES}
    try:
        for alias in ALIASES:
            connections[alias].close()
            connections[alias].settings_dict["NAME"] = name
        yield
    finally:
        for alias in ALIASES:
            connections[alias].close()
            connections[alias].settings_dict["NAME"] = before[alias]
