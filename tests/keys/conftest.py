import uuid

import pytest

from audit import context
from audit.actors import SubjectRef
from tests.house import a_house


@pytest.fixture(autouse=True)
def in_context():
    with context.use(context.new("test")) as here:
        yield here


@pytest.fixture
def a_subject():
    return SubjectRef("customer", str(uuid.uuid4()))


@pytest.fixture
def another_subject():
    return SubjectRef("customer", str(uuid.uuid4()))


@pytest.fixture
def house(migrated, tmp_path, django_db_setup, django_db_blocker):
    """An installation of this test's own (tests/house.py), outside any transaction."""
    with django_db_blocker.unblock(), a_house(migrated, tmp_path) as made:
        yield made
