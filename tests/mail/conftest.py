import mailbox

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


@pytest.fixture
def box(world, settings, tmp_path):
    """A maildir of the licensee, read by `polling.poll()`."""
    folder = tmp_path / "mail"
    made = mailbox.Maildir(folder, create=True)
    settings.MAILBOXES = [f"{world.licensee.slug}=maildir://{folder}?address=help@brand.example"]
    return made


@pytest.fixture
def case(world):
    return world.verification("L1")
