"""Under load what lies between an act and its delivery is taken away: nothing is lost or done twice (F-07, F-11).

The web server is killed between commit and answer, the broker's messages are wiped, and each that is left comes twice.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from celery import current_app
from django.conf import settings
from django.utils import timezone
from standardwebhooks.webhooks import Webhook

from audit import context
from compliance.outbox.models import OutboxRow
from compliance.people.models import Account, Restriction
from compliance.platform.scopes import Scope
from compliance.platform.services import issue_key
from compliance.platform.webhooks import services
from compliance.platform.webhooks.models import Delivery, Event
from tests.required import needs
from tests.waiting import PATIENCE, wait_until
from tests.webhooks.receiver import Receiver
from tests.whole import PART
from tests.world import a_test_licensee, a_world, an_administrator

sys.path.insert(0, str(settings.BASE_DIR / "clients" / "python"))
from mizan_client import Mizan  # noqa: E402

pytestmark = pytest.mark.slow
CALLERS, EACH = 3, 4
STRACE = shutil.which("strace")


@pytest.fixture
def house(committed):
    """A test licensee, where an account that ends in -stopped is restricted at once; its key and its endpoint."""
    dave, licensee = an_administrator(a_world()), a_test_licensee()
    with context.use(context.new("test")), Receiver() as receiver:
        given = {"licensee": licensee, "name": "CRM", "created_by": dave, "by": dave}
        ends = timezone.now() + timedelta(hours=1)
        scopes = [Scope.ACCOUNTS_WRITE, Scope.CUSTOMERS_WRITE, Scope.EVENTS_READ]
        _row, key = issue_key(owner=dave, scopes=scopes, expires_at=ends, rate_per_minute=None, **given)
        endpoint, receiver.secret = services.add_endpoint(url=receiver.url, **given)
        # It outlasts a restart of the web server, as a platform that keeps its idempotency keys would.
        mizan = Mizan(committed.url, key=key, tries=600, time_out=5.0, sleep=lambda _asked: time.sleep(0.25))
        yield licensee, mizan, receiver
        services.disable(endpoint, by=dave)


def opens(mizan, caller):
    """One platform's thread: accounts that are stopped, each asked for under a name of its own until it is answered."""
    for number in range(EACH):
        name = f"{caller}-{number}"
        player = {"full_name": "Ada", "birth_date": "1990-01-01", "nationality": "TR"}
        customer = mizan.register_customer(**player, idempotency_key=f"c-{name}")
        mizan.open_account(customer=customer, brand="brand", reference=f"{name}-stopped", idempotency_key=f"a-{name}")


def wipe_the_broker():
    queue = Path(settings.CELERY_BROKER_TRANSPORT_OPTIONS["data_folder_in"])
    for message in queue.glob("*.msg"):
        message.unlink(missing_ok=True)


def everything_twice(licensee):
    """Each act's row and each delivery is handed to the workers two times more."""
    rows = OutboxRow.objects.filter(kind="people.gate_changed").order_by("-position")[:40]
    for row_id in rows.values_list("pk", flat=True):
        for _time in range(2):
            current_app.send_task("outbox.deliver", kwargs={"row_id": str(row_id)})
    for delivery_id in Delivery.objects.filter(event__licensee=licensee).values_list("pk", flat=True):
        for _time in range(2):
            current_app.send_task("webhooks.deliver", kwargs={"delivery_id": str(delivery_id)})


def test_acts_under_faults_happen_once_and_all_are_told(house, stack):
    licensee, mizan, receiver = house
    callers = [threading.Thread(target=opens, args=(mizan, caller), daemon=True) for caller in range(CALLERS)]
    for caller in callers:
        caller.start()
    mine = Account.objects.filter(licensee=licensee)
    wait_until(lambda: mine.count() >= 2)
    wipe_the_broker()
    stack.kill("web")
    stack.start("web")
    wait_until(lambda: mine.count() >= CALLERS * EACH // 2)
    wipe_the_broker()
    for caller in callers:
        caller.join(PATIENCE)
    wipe_the_broker()
    everything_twice(licensee)
    # Whose message was wiped looks woken for half a minute; the test does not wait for it.
    OutboxRow.objects.open().update(woken_at=None)
    Delivery.objects.open().update(woken_at=None)
    events = Event.objects.filter(licensee=licensee)
    wait_until(lambda: events.count() == CALLERS * EACH and len({*heard(receiver)}) == CALLERS * EACH)
    everything_twice(licensee)
    wait_until(lambda: not Delivery.objects.open().filter(event__licensee=licensee).exists())
    assert mine.count() == Restriction.objects.filter(account__licensee=licensee).count() == CALLERS * EACH
    assert sorted(event.data["account"] for event in events) == sorted(mine.values_list("reference", flat=True))
    assert {*heard(receiver)} == {event.public_id for event in events}
    assert len(heard(receiver)) == len(receiver.got) == CALLERS * EACH


def heard(receiver):
    """The ids of what arrived, each verified."""
    return [
        Webhook(receiver.secret).verify(body, {name.lower(): value for name, value in headers.items()})["id"]
        for _path, headers, body in list(receiver.got)
    ]


@needs("strace", there=STRACE, package="strace")
def test_a_web_worker_killed_at_each_step_of_a_request_does_it_once_and_tells_it_once(house, stack, tmp_path):
    """Each step is a message that it sends: to the database, then to the caller; the commit lies in between.

    On until a worker lives: so the kills reach past the commit, however much a worker sends.
    """
    licensee, mizan, receiver = house
    player = {"full_name": "Ada", "birth_date": "1990-01-01", "nationality": "TR"}
    customer = mizan.register_customer(**player, idempotency_key="ada")

    def opens_one(name):
        mizan.open_account(customer=customer, brand="brand", reference=f"{name}-stopped", idempotency_key=name)

    with one_worker(stack):
        opens_one("first")
        with traced_workers(stack, tmp_path / "calm") as calm:
            opens_one("calm")
        steps = most_sent(calm)
        assert steps > 10, calm.read_text()
        # The last ones, around the commit and the answer, always; of those before it every tenth in CI.
        before = [step for step in range(1, steps - 7) if not PART or step % 10 == 0]
        killed = list(killed_at([*before, *range(steps - 7, steps + 30)], stack, tmp_path, opens_one))
    assert any(map(fell_after_the_commit, killed)), f"{steps} steps, {len(killed)} killed"
    answered = len(killed) + 3  # also the first, the calm one, and the one at whose step nobody was killed any more
    OutboxRow.objects.open().update(woken_at=None)  # the sweep takes over what was not woken, sooner than by itself
    accounts, events = Account.objects.filter(licensee=licensee), Event.objects.filter(licensee=licensee)
    wait_until(lambda: len({*heard(receiver)}) == answered)
    wait_until(lambda: not Delivery.objects.open().filter(event__licensee=licensee).exists())
    assert accounts.count() == Restriction.objects.filter(account__licensee=licensee).count() == answered
    assert sorted(event.data["account"] for event in events) == sorted(accounts.values_list("reference", flat=True))
    assert len(heard(receiver)) == answered


@contextmanager
def one_worker(stack):
    """One web worker, so that whoever answers was asked before: the first question of a new one takes more steps."""
    master = stack.pid("web")
    before = len(workers_of(master))
    for _ in range(before - 1):
        os.kill(master, signal.SIGTTOU)
    wait_until(lambda: len(workers_of(master)) == 1)
    try:
        yield
    finally:
        for _ in range(before - 1):
            os.kill(master, signal.SIGTTIN)
        wait_until(lambda: len(workers_of(master)) == before)
        stack.wait_until_ready()


def workers_of(master):
    return Path(f"/proc/{master}/task/{master}/children").read_text().split()


def killed_at(steps, stack, folder, ask):
    """Ask at each step, up to the first at which nobody is killed: what the killed ones sent, each in a file."""
    for step in steps:
        log = folder / f"step-{step}"
        with traced_workers(stack, log, "-e", f"inject=sendto:signal=SIGKILL:when={step}"):
            ask(f"step-{step}")
        if "killed by SIGKILL" not in log.read_text():
            return
        yield log
    pytest.fail(f"still killed at step {step}")


def fell_after_the_commit(log):
    """Whether the last message that went out was the commit, or the head of an answer without its body."""
    sent = re.findall(r"sendto\((.*)\) += \d+$", log.read_text(), re.MULTILINE)
    return bool(sent) and ("COMMIT" in sent[-1] or "HTTP/1.1 201" in sent[-1])


@contextmanager
def traced_workers(stack, log, *options):
    """What the web server's workers send while this is open, in the file `log`."""
    workers = workers_of(stack.pid("web"))
    pids = [option for pid in workers for option in ("-p", pid)]
    command = [STRACE, "-f", "-o", log, "-e", "trace=sendto", *options, *pids]
    tracer = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        for line in tracer.stderr:  # one for each process, with its threads
            workers = [pid for pid in workers if f"Process {pid} attached" not in line]
            if not workers:
                break
        yield log
    finally:
        tracer.terminate()
        tracer.communicate()
        stack.wait_until_ready()


def most_sent(log):
    """How much the thread sent that answered the request."""
    sent = re.findall(r"^(\d+) +sendto\(", log.read_text(), re.MULTILINE)
    return max(map(sent.count, sent), default=0)
