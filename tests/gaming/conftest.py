from datetime import timedelta

import pytest
from django.utils import timezone

from audit import context
from audit.actors import system
from cases.queues import open_queue
from compliance.people.exclusions import clock
from compliance.people.services import create_user, join
from compliance.platform.scopes import Scope
from compliance.platform.services import issue_key
from tests.limits.conftest import a_player as a_player_under
from tests.world import PASSWORD, a_world


@pytest.fixture(autouse=True)
def in_context():
    with context.use(context.new("test")) as here:
        yield here


@pytest.fixture
def world(db):
    made = a_world()
    clock.tick()
    return made


@pytest.fixture
def house(world):
    """The world with a queue for play, Grace who looks after players, and a key of the platform."""
    open_queue(world.team, world.licensee, "gaming", by=system())
    world.grace = create_user(
        email=f"grace-{world.team.slug}@example.com", name="Grace", password=PASSWORD, by=system()
    )
    join(world.grace, world.team, "rg_officer", by=system())
    key, token = issue_key(
        owner=world.erin,
        licensee=world.licensee,
        name="platform",
        scopes=list(Scope),
        expires_at=timezone.now() + timedelta(days=1),
        created_by=world.erin,
        by=world.erin,
    )
    world.key, world.headers = key, {"Authorization": f"Bearer {token}"}
    return world


@pytest.fixture
def under(house):
    """`under("SE")`: a player there whose licensee has a queue of the team."""

    def made(jurisdiction, queue=True, **facts):
        account, player = a_player_under(jurisdiction, **facts)
        if queue:
            open_queue(house.team, account.licensee, "gaming", by=system())
        return account, player

    return made
