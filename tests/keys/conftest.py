import uuid

import pytest

from audit import context
from audit.actors import SubjectRef


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
