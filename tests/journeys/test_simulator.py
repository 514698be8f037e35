"""An officer stops play while a player of the simulated platform has a session: there it ends, told by the webhook."""

import re
import subprocess
import threading

import pytest

from audit import context
from audit.actors import system
from cases.queues import open_queue
from compliance.embedded.environment import PYTHON, ROOT
from compliance.people.models import Account, Restriction
from compliance.platform.models import ApiKey
from compliance.platform.webhooks.models import Endpoint
from tests.journeys.people import Client, eventually
from tests.waiting import PATIENCE
from tests.world import a_test_licensee, a_world, an_administrator

pytestmark = pytest.mark.slow


@pytest.fixture
def world(committed):
    return a_world()


@pytest.fixture
def trial(world):
    """A test licensee, where nobody has to be verified before play; Bob's team works for it."""
    licensee = a_test_licensee()
    with context.use(context.new("test")):
        open_queue(world.team, licensee, "verification", by=system())
    return licensee


@pytest.fixture
def platform(stack, world, trial):
    """The command at work, and the lines it said. One player, whose second act is minutes after the first."""
    options = ["--licensee", trial.slug, "--by", an_administrator(world).email, "--listen", "127.0.0.1:0"]
    command = [PYTHON, ROOT / "manage.py", "platform", "simulate", *options, "--accounts", "1", "--rate", "0.01"]
    process = subprocess.Popen(
        [*command, "--currency", "TRY", "--seconds", "900"],
        cwd=ROOT,
        env=stack.installation.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    lines = []
    threading.Thread(target=lambda: lines.extend(iter(process.stdout.readline, "")), daemon=True).start()
    yield process, lines
    process.kill()
    process.wait()


def said(lines, words):
    return next((line for line in list(lines) if words in line), None)


def test_stop_play_ends_the_session_at_the_platform(stack, world, trial, platform):
    process, lines = platform
    eventually(lambda: said(lines, "signs in"))
    player = Account.objects.get(licensee=trial).customer
    officer, page = Client(stack, world.bob), f"/players/{player.pk}/stop-play/"
    reason = re.search(r'name="reason"[^>]*value="([^"]+)"|<option value="([^"]+)"', officer.get(page)[1])
    status, body = officer.post(page, {"reason": reason[1] or reason[2]}, page=page)
    assert status == 302, body
    line = eventually(lambda: said(lines, "STOP"))
    assert re.search(r"STOP \(play_stopped\): the session ended, [\d.]+ s after the event", line), line
    assert Restriction.objects.get(customer=player).stops_play

    process.terminate()  # in order: what was made for the run ends with it
    assert process.wait(PATIENCE) == 143, lines
    assert ApiKey.objects.get(licensee=trial).revoked_at is not None
    assert not Endpoint.objects.enabled().filter(licensee=trial).exists()
