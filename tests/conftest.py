"""Fixtures of the whole suite. Run it with `python3 dev.py test [pytest arguments]`.

Most tests run in a transaction that is rolled back, on the database `test_...`. Tests that need real commits or real
processes use `stack`: one set of processes and one database for the session, never flushed, so each such test makes a
licensee of its own. pytest-django's flush (`transaction=True`) is refused: the audit log's triggers forbid TRUNCATE.
"""

from pathlib import Path
from uuid import uuid4

import pytest
from django.template import RequestContext
from django.test import client
from hypothesis import HealthCheck
from hypothesis import settings as settings_of_hypothesis

from compliance import collecting
from tests import database
from tests.stack import Stack
from tests.world import lay_ready

pytest_plugins = ["tests.chromium", "tests.sharing"]

# How long an example takes says how busy the machine is.
settings_of_hypothesis.register_profile("shared", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings_of_hypothesis.load_profile("shared")


def pytest_collection_modifyitems(items):
    for item in items:
        mark = item.get_closest_marker("django_db")
        if (mark or "db" in item.fixturenames) and not database.flushes(item):
            # Refusals are written on a second connection: both are wrapped, in every test.
            item.add_marker(pytest.mark.django_db(databases=database.ALIASES), append=False)


def pytest_collection_finish():
    collecting.loaded()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    if reason := database.flushes(item):
        pytest.fail(
            f"{reason} empties tables, and the audit log's triggers forbid that: use `committed`.", pytrace=False
        )
    database.use("world" if "world" in item.fixturenames else "bare")


@pytest.fixture(scope="session")
def migrated(django_db_blocker):
    """The cluster, with its `mizan` database migrated: what every other database is copied from."""
    cluster = database.the_cluster()
    with django_db_blocker.unblock():
        database.migrate(cluster)
    return cluster


@pytest.fixture(scope="session")
def django_db_setup(migrated, django_db_blocker):
    """In place of pytest-django's own: the application role may not create databases, and must not."""
    with database.two_copies(migrated):
        with django_db_blocker.unblock():
            database.use("world")
            lay_ready()
            database.use("bare")
        yield


@pytest.fixture(scope="session")
def stack(migrated):
    """Web server, worker with beat, and sequencer on a database that keeps what is committed."""
    with database.a_copy(migrated, "stack") as name, Stack(migrated, name) as running:
        yield running


@pytest.fixture(autouse=True)
def own_tombstones(settings, tmp_path_factory):
    """What a test shreds comes back with its transaction: no other test may find it written down as destroyed."""
    if Path(settings.TOMBSTONES_FILE) == Path(settings.DATA_DIR) / "keys" / "shredded.jsonl":
        settings.TOMBSTONES_FILE = tmp_path_factory.getbasetemp() / f"shredded-{uuid4().hex}.jsonl"


@pytest.fixture
def committed(own_tombstones, stack, django_db_setup, django_db_blocker, settings):
    """Connects this process to the stack's database, outside any transaction: what is committed stays."""
    settings.TOMBSTONES_FILE = stack.installation.extra["TOMBSTONES_FILE"]
    with django_db_blocker.unblock(), database.connected_to(stack.database, cluster=stack.cluster):
        yield stack


def keep_what_pages_were_given(store, signal, sender, template, context, **told):
    """Without the copies of the context at each part of a page and each widget, which were a tenth of its time.

    So Django's assertTemplateUsed says nothing about parts: ask what the page says.
    """
    if isinstance(context, RequestContext) and not (template.name or "_").rpartition("/")[2].startswith("_"):
        keep_all(store, signal, sender, template, context, **told)


keep_all, client.store_rendered_templates = client.store_rendered_templates, keep_what_pages_were_given


@pytest.fixture(autouse=True)
def quick_passwords(settings):
    """Five people a test, each hashed at the product's full cost, would be most of the suite's time."""
    settings.PASSWORD_HASHERS = ["tests.hashing.QuickArgon2"]
