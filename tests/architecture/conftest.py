import pytest

from audit import context
from tests.world import a_world


@pytest.fixture
def world(db):
    with context.use(context.new("test")):
        return a_world()
