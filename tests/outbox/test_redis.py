"""With Redis as broker and cache, as on more than one machine: killed and emptied, no act is lost or doubled."""

import shutil
import subprocess
import sys
from datetime import timedelta

import pytest
from django.conf import settings
from django.utils import timezone
from redis import Redis, RedisError

from audit import context
from compliance.outbox.models import OutboxRow
from compliance.platform.scopes import Scope
from compliance.platform.services import issue_key
from compliance.platform.webhooks.models import Event
from tests import database
from tests.required import needs
from tests.stack import Stack, a_free_port
from tests.waiting import wait_until
from tests.world import a_test_licensee, a_world, an_administrator

sys.path.insert(0, str(settings.BASE_DIR / "clients" / "python"))
from mizan_client import Mizan  # noqa: E402

pytestmark = [pytest.mark.slow, needs("Redis", there=shutil.which("redis-server"), package="redis-server")]


class Server:
    """A Redis of this test's own, in memory only: what is killed comes back empty."""

    def __init__(self, folder):
        self.port, self._folder = a_free_port(), folder
        self.start()

    def start(self):
        keeps_nothing = ["--save", "", "--appendonly", "no", "--bind", "127.0.0.1", "--dir", self._folder]
        command = ["redis-server", "--port", str(self.port), *keeps_nothing]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT)
        self.client = Redis(port=self.port, socket_connect_timeout=2)
        wait_until(self._answers)

    def _answers(self):
        try:
            return self.client.ping()
        except RedisError:
            return False

    def kill(self):
        self._process.kill()
        self._process.wait()

    def calls(self, command):
        return self.client.info("commandstats").get(f"cmdstat_{command}", {}).get("calls", 0)


@pytest.fixture
def redis(tmp_path):
    server = Server(tmp_path)
    yield server
    server.kill()


@pytest.fixture
def house(redis, migrated, django_db_setup, django_db_blocker, tmp_path, settings):
    """A stack on Redis and a test licensee, where an account that ends in -stopped is an event at once; its client."""
    here = {"CELERY_BROKER_URL": f"redis://127.0.0.1:{redis.port}/0", "CACHE_URL": f"redis://127.0.0.1:{redis.port}/1"}
    here["LOG_KEY_DIR"] = str(tmp_path / "log")  # a log of its own: a key that signed another one refuses it
    with (
        django_db_blocker.unblock(),
        database.a_copy(migrated, "redis") as name,
        Stack(migrated, name, **here) as stack,
        database.connected_to(name, cluster=migrated),
        context.use(context.new("test")),
    ):
        settings.TOMBSTONES_FILE = stack.installation.extra["TOMBSTONES_FILE"]
        dave, licensee = an_administrator(a_world()), a_test_licensee()
        given = {"licensee": licensee, "name": "CRM", "created_by": dave, "by": dave, "owner": dave}
        ends, scopes = timezone.now() + timedelta(hours=1), [Scope.ACCOUNTS_WRITE, Scope.CUSTOMERS_WRITE]
        _row, key = issue_key(**given, scopes=scopes, expires_at=ends, rate_per_minute=6000)
        yield licensee, Mizan(stack.url, key=key, time_out=60.0), stack


def opens(mizan, *names):
    for name in names:
        customer = mizan.register_customer(full_name="Ada", birth_date="1990-01-01", nationality="TR")
        mizan.open_account(customer=customer, brand="brand", reference=f"{name}-stopped")


def told(licensee, number, stack):
    """A worker that lost its Redis may end by itself (kombu trips over the dead connection): whoever keeps it starts it
    again.
    """
    events = Event.objects.filter(licensee=licensee)
    wait_until(lambda: stack.mend() or events.count() >= number)
    return sorted(one.data["account"] for one in events)


def test_a_redis_that_is_killed_and_emptied_loses_no_act_and_doubles_none(house, redis):
    licensee, mizan, stack = house
    opens(mizan, "a", "b")
    assert told(licensee, 2, stack) == ["a-stopped", "b-stopped"]
    assert redis.calls("lpush") > 0 and redis.calls("brpop") > 0  # the messages went through it
    redis.kill()
    opens(mizan, "c", "d")  # an act needs no broker
    redis.start()
    opens(mizan, "e")
    redis.client.flushall()
    # Whose message is gone looks woken for half a minute; the test does not wait for it.
    OutboxRow.objects.open().update(woken_at=None)
    assert told(licensee, 5, stack) == [f"{name}-stopped" for name in "abcde"]
    wait_until(lambda: not OutboxRow.objects.open().filter(kind="people.gate_changed").exists())
    assert Event.objects.filter(licensee=licensee).count() == 5
