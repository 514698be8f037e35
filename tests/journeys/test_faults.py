"""kill -9 in the middle of uploads and decisions: the log verifies, no row lacks its file, no work is forgotten."""

import json
import random
import threading
import time
from http.client import HTTPException

import pytest
from django.db import connections
from django.db.models import F, Max, Q
from django.db.models.functions import Now

from audit import context
from audit.models import Entry
from cases import services as engine
from cases.models import Case, Evidence
from cases.types.verification import services as verification
from compliance.outbox.models import OutboxRow
from compliance.outbox.queries import STALE_CLAIM as OUTBOX_CLAIM
from compliance.proposals.services import propose
from documents.models import Document
from documents.queries import STALE_CLAIM as INSPECTION_CLAIM
from documents.storage import storage
from tests.journeys.people import Client, eventually, multipart
from tests.papers import a_file, bring
from tests.waiting import PATIENCE
from tests.whole import times
from tests.world import a_world

pytestmark = pytest.mark.slow
VICTIMS = ["web", "worker", "sequencer", "database"]  # in CI two for uploads, the others for decisions
KILLS = times(60, 3)  # one each second or two, until all is uploaded


@pytest.fixture
def world(committed):
    return a_world()


@pytest.fixture
def begun(committed):
    """Position of the last row that other tests left: theirs may be planned for a later hour."""
    return OutboxRow.objects.aggregate(last=Max("position"))["last"] or 0


class Uploader(threading.Thread):
    """Uploads file after file; remembers what the server accepted."""

    def __init__(self, stack, user, numbers):
        super().__init__(daemon=True)
        self.stack, self.user, self.numbers = stack, user, numbers
        self.accepted, self._client = 0, None

    def run(self):
        """Try each case until its file is accepted, as a person would."""
        for number in self.numbers:
            ends = time.monotonic() + PATIENCE
            while not self._upload(number):
                if time.monotonic() > ends:
                    return
                time.sleep(0.3)
            self.accepted += 1

    def _upload(self, number):
        try:
            self._client = self._client or Client(self.stack, self.user)
            fields = {
                "csrfmiddlewaretoken": self._client.token(f"/cases/{number}/"),
                "shows": "identity_front:passport",
            }
            body, headers = multipart(fields, "front.jpg", a_file(size=(1400, 900)))
            status, _page = self._client.post_raw(f"/cases/{number}/documents/", body, headers)
            return status == 302
        except (OSError, HTTPException, AssertionError, TypeError):
            return False  # the session is in the database: who signed in stays signed in


def prepared(world, count):
    with context.use(context.new("test")):
        return [world.verification("L1").number for _ in range(count)]


def settled(stack, numbers, begun):
    """Everything that was accepted is done: inspected, delivered, in the tree."""
    let_claims_grow_stale()

    def done():
        for alias in ("default", "log"):
            connections[alias].close()
        waiting = Document.objects.filter(evidence__case__number__in=numbers, state="received").count()
        ours = OutboxRow.objects.filter(done_at=None, failed_at=None, position__gt=begun)
        # What is planned for later and was never tried is no work that a kill could lose.
        return waiting == 0 and not ours.filter(Q(due_at__lte=Now()) | Q(attempts__gt=0)).exists()

    eventually(done, every=1)


def let_claims_grow_stale():
    """As if the time had passed after which the sweep takes over what a worker held that was killed."""
    for alias in ("default", "log"):
        connections[alias].close()
    OutboxRow.objects.exclude(claimed_at=None).update(claimed_at=F("claimed_at") - OUTBOX_CLAIM)
    Document.objects.exclude(claimed_at=None).update(claimed_at=F("claimed_at") - INSPECTION_CLAIM)


def check_house(stack, numbers, accepted):
    documents = Document.objects.filter(evidence__case__number__in=numbers)
    assert documents.count() >= accepted
    for document in documents:
        storage().open(document.pk).close()  # raises Missing when a row has no file
    assert documents.exclude(state="ready").count() == 0
    received = Entry.objects.filter(action="documents.receive", object_id__in=[str(d.pk) for d in documents]).count()
    assert received == documents.count()
    evidence = Evidence.objects.filter(case__number__in=numbers)
    attached = Entry.objects.filter(action="evidence.attach", matter__in=numbers)
    assert set(attached.values_list("object_id", flat=True)) == {str(e.pk) for e in evidence}
    said = eventually(lambda: audit_is_green(stack))
    assert said


def audit_is_green(stack):
    try:
        return stack.manage("audit", "verify", "--json", role="mizan_app")
    except Exception as error:  # pending entries are included a moment later
        if "tampered" in str(error):
            raise
        return None


@pytest.mark.parametrize("victim", times(VICTIMS, VICTIMS[1::2]))
def test_a_kill_in_the_middle_of_uploads_loses_nothing(victim, committed, begun, world):
    stack, chance = committed, random.Random(victim)
    numbers = prepared(world, times(6, 2))
    uploader = Uploader(stack, world.alice, numbers)
    uploader.start()
    for _ in range(KILLS):
        time.sleep(0.4 + 2 * chance.random())
        stack.kill(victim)
        stack.start(victim)
        stack.wait_until_ready()
        if not uploader.is_alive():
            break
    uploader.join(PATIENCE * len(numbers))
    assert uploader.accepted == len(numbers)
    settled(stack, numbers, begun)
    check_house(stack, numbers, uploader.accepted)


@pytest.mark.parametrize("victim", times(VICTIMS, VICTIMS[::2]))
def test_a_kill_in_the_middle_of_a_decision_leaves_none_half_done(victim, committed, begun, world):
    stack, chance = committed, random.Random(victim)
    with context.use(context.new("test")):
        proposals = [proposed(world) for _ in range(times(5, 1))]
    officer, told = Client(stack, world.bob), {}
    for proposal in proposals:
        decision = threading.Thread(target=lambda one=proposal: told.update({one.matter: confirmed(officer, one)}))
        decision.start()
        time.sleep(0.25 * chance.random())
        stack.kill(victim)
        stack.start(victim)
        stack.wait_until_ready()
        decision.join(PATIENCE)
        if told[proposal.matter] != 302:  # cut off: the officer looks again, and tries again if need be
            assert confirmed(officer, proposal) in (302, 409)
    numbers = [proposal.matter for proposal in proposals]
    settled(stack, numbers, begun)
    decided = Case.objects.filter(number__in=numbers).values_list("number", "outcome", "customer__level")
    assert sorted(decided) == sorted((number, "approved", "L1") for number in numbers)
    entries = Entry.objects.filter(matter__in=numbers, outcome="done")
    for action in ("verification.approve", "proposals.confirm"):
        assert sorted(entries.filter(action=action).values_list("matter", flat=True)) == sorted(numbers)
    assert json.loads(eventually(lambda: audit_is_green(stack)))


def confirmed(officer, proposal):
    """The status of an officer's confirmation, None when the answer was cut off."""
    try:
        body = f"csrfmiddlewaretoken={officer.token('/cases/')}".encode()
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        return officer.post_raw(f"/approvals/{proposal.pk}/confirm/", body, headers)[0]
    except (OSError, HTTPException, AssertionError, TypeError):
        return None


def proposed(world):
    case = world.verification("L1")
    bring(case, "identity_front", "passport", by=world.alice, inspected=False)
    case = verification.review(case, by=world.alice)
    engine.accept(case.evidence.get(), by=world.alice)
    return propose("verification.approve", case, by=world.alice, reason="all_checks_met")
