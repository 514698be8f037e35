"""The suite's own ground: the right role, both connections, nothing left between tests."""

from types import SimpleNamespace

import pytest
from django.contrib.contenttypes.models import ContentType
from django.db import ProgrammingError, connections

from tests.database import flushes

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("alias", ["default", "log"])
def test_tests_sign_in_as_the_application(alias):
    with connections[alias].cursor() as cursor:
        cursor.execute("SELECT current_user, current_database()")
        role, name = cursor.fetchone()
    assert role == "mizan_app"
    assert name.startswith("test_")


@pytest.mark.parametrize("statement", ["CREATE TABLE mine (id int)", "TRUNCATE django_content_type", "CREATE ROLE me"])
def test_the_application_may_not_touch_the_schema(statement):
    with (
        pytest.raises(ProgrammingError, match="permission denied|must be owner"),
        connections["default"].cursor() as cursor,
    ):
        cursor.execute(statement)


@pytest.mark.parametrize("again", [1, 2])
@pytest.mark.parametrize("alias", ["default", "log"])
def test_nothing_stays_between_tests(alias, again):
    assert not ContentType.objects.using(alias).filter(app_label="left_behind").exists()
    ContentType.objects.using(alias).create(app_label="left_behind", model="thing")


@pytest.mark.parametrize(
    ("mark", "fixtures", "flush"),
    [
        (pytest.mark.django_db(transaction=True), [], "transaction"),
        (pytest.mark.django_db(reset_sequences=True), [], "reset_sequences"),
        (None, ["transactional_db"], "transactional_db"),
        (None, ["live_server"], "live_server"),
        (pytest.mark.django_db, ["db"], None),
        (None, ["committed"], None),
    ],
)
def test_a_test_that_would_empty_tables_is_noticed(mark, fixtures, flush):
    item = SimpleNamespace(get_closest_marker=lambda name: mark and mark.mark, fixturenames=fixtures)
    assert flushes(item) == flush
