"""Whatever people do in whatever order: no heavy act with fewer than two persons, each as often as it was agreed."""

import uuid
from contextlib import contextmanager, suppress

import pytest
from django.db import transaction
from django.db.models.functions import Now
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audit.actors import system
from audit.perform import ConditionsNotMet, Denied, WrongState
from compliance.people.models import Team
from compliance.proposals.models import Proposal
from compliance.proposals.services import confirm, expire_overdue, propose, send_back, withdraw
from tests.proposals.conftest import NAME

PEOPLE = ["alice", "alice_again", "alices_key", "bob", "bobs_key", "erin", "carol", "dave", "system"]
REFUSALS = (Denied, WrongState, ConditionsNotMet)

person = st.sampled_from(PEOPLE)
step = st.one_of(
    st.tuples(st.just("propose"), person),
    st.tuples(st.just("confirm"), person),
    st.tuples(st.just("confirm"), person),
    st.tuples(st.just("send_back"), person),
    st.tuples(st.just("withdraw"), person),
    st.tuples(st.just("act_alone"), person),
    st.tuples(st.just("change_evidence"), st.none()),
    st.tuples(st.just("write_note"), st.none()),
    st.tuples(st.just("let_expire"), st.none()),
)
histories = st.lists(step, max_size=12)


class World:
    def __init__(self, who, rename, team):
        self.who, self.rename, self.team = who, rename, team
        self.rename.runs.clear()

    def take(self, what, name):
        by = system() if name == "system" else getattr(self.who, name) if name else None
        with suppress(*REFUSALS):
            getattr(self, what)(by)

    def last(self):
        return Proposal.objects.order_by("-created_at", "-version").first()

    def propose(self, by):
        propose(NAME, self.team, by=by, reason="growing")

    def confirm(self, by):
        if proposal := self.last():
            confirm(proposal, by=by)

    def send_back(self, by):
        if proposal := self.last():
            send_back(proposal, by=by, note="No")

    def withdraw(self, by):
        if proposal := self.last():
            withdraw(proposal, by=by)

    def act_alone(self, by):
        parked = Proposal.objects.parked().first()
        self.rename.run(self.team, by=by, reason="growing", proposal=parked and str(parked.pk), maker="")

    def change_evidence(self, by):
        Team.objects.filter(pk=self.team.pk).update(slug=f"desk-{uuid.uuid4().hex[:8]}")

    def write_note(self, by):
        Team.objects.filter(pk=self.team.pk).update(name="a note")

    def let_expire(self, by):
        Proposal.objects.parked().update(expires_at=Now())
        expire_overdue()

    def check(self):
        performed = Proposal.objects.filter(state="performed")
        assert sorted(run["proposal"] for run in self.rename.runs) == sorted(str(one.pk) for one in performed)
        for one in performed:
            assert len({one.maker_human_id, one.checker_human_id} - {None}) == 2
            assert one.checker.human_id == one.checker_human_id != one.maker.human_id
        assert Proposal.objects.parked().count() <= 1


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
            world.check()


@given(history=histories)
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_heavy_act_with_fewer_than_two_persons(who, rename, team, history):
    live_through(history, who, rename, team)


@pytest.mark.slow
@given(history=histories)
@settings(max_examples=2_000, deadline=None, suppress_health_check=list(HealthCheck))
def test_many_histories(who, rename, team, history):
    live_through(history, who, rename, team)


def test_a_history_can_take_effect(who, rename, team):
    """Else the tests above would prove nothing."""
    with rolled_back():
        world = World(who, rename, team)
        for what, name in [("propose", "alices_key"), ("confirm", "bobs_key"), ("confirm", "bob"), ("confirm", "erin")]:
            world.take(what, name)
        world.check()
        assert len(rename.runs) == 1
