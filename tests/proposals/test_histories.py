"""Whatever people do in whatever order: no heavy act with fewer than two persons, each as often as it was agreed.

What the log says of each step is tried elsewhere (test_four_eyes.py); here it is silent, so that thousands of
histories fit into seconds.
"""

import os
import random
import uuid
from contextlib import contextmanager, suppress

import pytest
from django.db import transaction
from django.db.models.functions import Now
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audit.actors import system
from audit.perform import ConditionsNotMet, Denied, WrongState
from compliance.outbox.models import OutboxRow
from compliance.people.models import Team
from compliance.proposals.models import Proposal
from compliance.proposals.services import confirm, expire_overdue, propose, send_back, void_overtaken, withdraw
from tests.proposals.conftest import NAME

PEOPLE = ["alice", "alice_again", "alices_key", "bob", "bobs_key", "erin", "carol", "dave", "system"]
REFUSALS = (Denied, WrongState, ConditionsNotMet)
BY_PEOPLE = ["propose", "propose", "confirm", "confirm", "send_back", "withdraw", "act_alone"]
BY_THEMSELVES = ["change_evidence", "report_change", "write_note", "let_expire"]

step = st.one_of(
    st.tuples(st.sampled_from(BY_PEOPLE), st.sampled_from(PEOPLE)),
    st.tuples(st.sampled_from(BY_THEMSELVES), st.none()),
)
histories = st.lists(step, max_size=12)


@pytest.fixture(autouse=True)
def silent_log(monkeypatch):
    for module in ("audit.perform", "compliance.proposals.services"):
        for name in ("record", "record_refusal"):
            monkeypatch.setattr(f"{module}.{name}", lambda *args, **kwargs: None)


class World:
    def __init__(self, who, rename, team):
        self.who, self.rename, self.team = who, rename, team
        self.rename.runs.clear()
        self.last = None

    def take(self, what, name):
        by = system() if name == "system" else getattr(self.who, name) if name else None
        with suppress(*REFUSALS):
            getattr(self, what)(by)
            self.check()

    def propose(self, by):
        self.last = propose(NAME, self.team, by=by, reason="growing")

    def confirm(self, by):
        if self.last:
            confirm(self.last, by=by)

    def send_back(self, by):
        if self.last:
            send_back(self.last, by=by, note="No")

    def withdraw(self, by):
        if self.last:
            withdraw(self.last, by=by)

    def act_alone(self, by):
        # Not with one performed a moment ago: here all is one transaction, in which that id would still open the door.
        parked = Proposal.objects.parked().first()
        self.rename.run(self.team, by=by, reason="growing", proposal=parked and str(parked.pk), maker="")

    def change_evidence(self, by):
        Team.objects.filter(pk=self.team.pk).update(slug=f"desk-{uuid.uuid4().hex[:8]}")

    def report_change(self, by):
        self.change_evidence(by)
        void_overtaken(self.team)

    def write_note(self, by):
        Team.objects.filter(pk=self.team.pk).update(name="a note")

    def let_expire(self, by):
        before = len(self.rename.runs)
        Proposal.objects.parked().update(expires_at=Now())
        expire_overdue()
        assert len(self.rename.runs) == before

    def check(self):
        """Every run was agreed to by two humans, and every agreement ran once."""
        found = list(Proposal.objects.values("pk", "state", "maker_human_id", "checker_human_id"))
        performed = [one for one in found if one["state"] == "performed"]
        assert sorted(run["proposal"] for run in self.rename.runs) == sorted(str(one["pk"]) for one in performed)
        for one in performed:
            assert len({one["maker_human_id"], one["checker_human_id"]} - {None}) == 2
        assert sum(one["state"] == "parked" for one in found) <= 1
        return found

    def check_the_end(self):
        """What expired, and nothing else, was handed to the managers."""
        expired = {str(one["pk"]) for one in self.check() if one["state"] == "expired"}
        rows = OutboxRow.objects.filter(kind="proposals.escalate").values_list("payload", flat=True)
        assert sorted(row["proposal_id"] for row in rows) == sorted(expired)


@contextmanager
def rolled_back():
    """One history, then as if it had never been. Marked as pytest's own wrapper: `confirm` must be outermost."""
    outer = transaction.atomic()
    outer._from_testcase = True
    with outer:
        yield
        transaction.set_rollback(True)


def live_through(history, who, rename, team):
    with rolled_back():
        world = World(who, rename, team)
        for what, name in history:
            world.take(what, name)
        world.check_the_end()


@given(history=histories)
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_heavy_act_with_fewer_than_two_persons(who, rename, team, history):
    live_through(history, who, rename, team)


@pytest.mark.slow
def test_many_histories(who, rename, team):
    """As many as HISTORIES says. Drawn without hypothesis; the seed is in the message of a failure."""
    seed = random.randrange(2**32)
    draw = random.Random(seed)
    for number in range(int(os.environ.get("HISTORIES", "500"))):
        history = [
            (draw.choice(BY_PEOPLE), draw.choice(PEOPLE)) if draw.random() < 0.7 else (draw.choice(BY_THEMSELVES), None)
            for _step in range(draw.randint(3, 8))
        ]
        try:
            live_through([("propose", draw.choice(["alice", "bob"])), *history], who, rename, team)
        except AssertionError as error:
            raise AssertionError(f"seed {seed}, history {number}: {history}") from error


def test_a_history_can_take_effect(who, rename, team):
    """Else the tests above would prove nothing."""
    with rolled_back():
        world = World(who, rename, team)
        for what, name in [("propose", "alices_key"), ("confirm", "bobs_key"), ("confirm", "bob"), ("confirm", "erin")]:
            world.take(what, name)
        world.check()
        assert len(rename.runs) == 1
