import pytest

from audit import context
from tests.world import a_world


@pytest.fixture
def in_context():
    with context.use(context.new("test")) as here:
        yield here


@pytest.fixture
def world(db, in_context):
    return a_world()
