"""Whatever people do in whatever order: no heavy act with fewer than two persons, each as often as it was agreed.

Ten thousand histories go through a model without a database (model.py); the product and the model are held against each
other, step by step, over as many as fit into seconds. What the log says of each step is tried elsewhere
(test_four_eyes.py); here it is silent.
"""

import os
import random
import uuid
from contextlib import contextmanager, suppress
from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audit.actors import system
from audit.perform import ConditionsNotMet, Denied, WrongState
from compliance.outbox.models import OutboxRow
from compliance.people.duty import services as duty
from compliance.people.duty.models import Absence
from compliance.people.models import Team
from compliance.policy.schema import Need
from compliance.proposals import acts
from compliance.proposals.models import Proposal
from compliance.proposals.queries import require_second_person
from compliance.proposals.services import confirm, expire_overdue, propose, send_back, void_overtaken, withdraw
from tests.proposals.conftest import NAME
from tests.proposals.model import HUMANS, PERSONS, Model

HISTORIES = 10_000
PROTECT = "team.protect"
PEOPLE = list(HUMANS)
REFUSALS = (Denied, WrongState, ConditionsNotMet, ValidationError)
BY_PEOPLE = ["propose", "propose", "confirm", "confirm", "send_back", "withdraw", "act_alone", "protect", "come_back"]
WITH_ANOTHER = ["propose", "go_away"]
BY_THEMSELVES = ["change_evidence", "report_change", "write_note", "let_expire"]

step = st.one_of(
    st.tuples(st.sampled_from(BY_PEOPLE), st.sampled_from(PEOPLE), st.none()),
    st.tuples(st.sampled_from(WITH_ANOTHER), st.sampled_from(PEOPLE), st.sampled_from(sorted(PERSONS))),
    st.tuples(st.sampled_from(BY_THEMSELVES), st.none(), st.none()),
)
histories = st.lists(step, max_size=12)


@pytest.fixture(autouse=True)
def silent_log(monkeypatch):
    for module in ("audit.perform", "compliance.proposals.services", "compliance.people.duty.services"):
        for name in ("record", "record_refusal"):
            monkeypatch.setattr(f"{module}.{name}", lambda *args, **kwargs: None, raising=False)


@pytest.fixture(autouse=True)
def protect(monkeypatch, rename):
    """An act that protects somebody: the policy asks for one person."""
    protective = rename.act()
    one = {slot: getattr(protective, slot) for slot in protective.__slots__}
    one |= {"name": PROTECT, "need": lambda team, **inputs: Need(False, "it protects", "TR.TEAMS", "TR-2026-02-01")}
    monkeypatch.setitem(acts._acts, PROTECT, acts.Act(**one))


class World:
    """The product itself, told to do the same as the model."""

    def __init__(self, who, rename, team):
        self.who, self.rename, self.team = who, rename, team
        self.rename.runs.clear()
        self.last, self.protected = None, 0

    def take(self, what, name, other=None):
        by = system() if name == "system" else getattr(self.who, name) if name else None
        given = (by,) if other is None else (by, getattr(self.who, other))
        with suppress(*REFUSALS):
            getattr(self, what)(*given)

    def propose(self, by, named=None):
        self.last = propose(NAME, self.team, by=by, reason="growing", checker=named)

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

    def protect(self, by):
        """As the acts that protect do: they ask whether one is enough, and whether this one is somebody."""
        if by.is_active and by.human_id is not None:
            require_second_person(PROTECT, self.team, proposal=None)
            self.protected += 1

    def go_away(self, by, deputy):
        if not hasattr(by, "email") or not by.is_active:
            return
        now = timezone.now()
        duty.be_away(by, deputy=deputy, starts_at=now - timedelta(hours=1), ends_at=now + timedelta(hours=1), by=by)

    def come_back(self, by):
        if hasattr(by, "email") and by.is_active:
            for absence in Absence.objects.filter(user__human_id=by.human_id, ends_at__gt=timezone.now()):
                duty.be_back(absence, by=by)

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

    def standing(self):
        """What came of it so far, in the words of the model."""
        names = {person.human_id: name for name, person in vars(self.who).items() if name in PERSONS}
        names[self.who.alice.human_id] = "alice"
        state = Proposal.objects.get(pk=self.last.pk).state if self.last else None
        done = Proposal.objects.filter(state="performed").order_by("decided_at", "created_at")
        runs = sorted((names[one.maker_human_id], names[one.checker_human_id]) for one in done)
        assert sorted(run["proposal"] for run in self.rename.runs) == sorted(str(one.pk) for one in done)
        escalated = OutboxRow.objects.filter(kind="proposals.escalate").count()
        return state, runs, self.protected, escalated


def standing_of(model):
    return model.last and model.last.state, sorted(model.runs), model.protected, model.escalated


@contextmanager
def rolled_back():
    """One history, then as if it had never been. Marked as pytest's own wrapper: `confirm` must be outermost."""
    outer = transaction.atomic()
    outer._from_testcase = True
    with outer:
        yield
        transaction.set_rollback(True)


def hold_against_each_other(history, who, rename, team):
    """The product does what the model says, after every step."""
    with rolled_back():
        world, model = World(who, rename, team), Model()
        for number, taken in enumerate(history):
            world.take(*taken)
            model.take(*taken)
            assert world.standing() == standing_of(model), f"step {number}: {taken}"


def drawn(draw):
    """A history without hypothesis: quicker, and its seed is in the message of a failure."""
    named = draw.choice([None, "bob", "erin"])
    history = [("propose", draw.choice(["alice", "bob"]), named)]
    if named and draw.random() < 0.5:
        history += [("go_away", named, draw.choice(sorted(PERSONS)))]
    for _step in range(draw.randint(3, 12)):
        chance = draw.random()
        if chance < 0.6:
            history.append((draw.choice(BY_PEOPLE), draw.choice(PEOPLE), None))
        elif chance < 0.8:
            history.append((draw.choice(WITH_ANOTHER), draw.choice(PEOPLE), draw.choice(sorted(PERSONS))))
        else:
            history.append((draw.choice(BY_THEMSELVES), None, None))
    return history


def test_ten_thousand_histories_and_no_effective_heavy_act_with_fewer_than_two_persons():
    seed = random.randrange(2**32)
    draw, effective, expired, by_deputies = random.Random(seed), 0, 0, 0
    for number in range(HISTORIES):
        model = Model()
        for what, who, other in drawn(draw):
            before = (len(model.runs), model.protected, model.escalated)
            named, parked = model.last and model.last.named, model.parked
            model.take(what, who, other)
            after = (len(model.runs), model.protected, model.escalated)
            told = f"seed {seed}, history {number}: {what} by {who}"
            if after[0] > before[0]:
                assert what == "confirm", told  # nothing else takes effect
                maker, checker = model.runs[-1]
                assert maker != checker and HUMANS[who] == checker and who in PERSONS, told
                effective += 1
                by_deputies += named not in (None, checker)
            if what == "protect" and HUMANS[who] and who != "dave":
                assert after[1] == before[1] + 1, told  # it never waits
            if what == "let_expire":
                assert after == (before[0], before[1], before[2] + parked), told
                expired += parked
    assert min(effective, expired) > 100 and by_deputies > 20, (
        effective,
        expired,
        by_deputies,
    )  # else it proves nothing


@given(history=histories)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_product_does_what_the_model_says(who, rename, team, history):
    hold_against_each_other(history, who, rename, team)


@pytest.mark.slow
def test_it_does_so_in_many_histories(who, rename, team):
    """As many as HISTORIES says."""
    seed = random.randrange(2**32)
    draw = random.Random(seed)
    for number in range(int(os.environ.get("HISTORIES", "100"))):
        history = drawn(draw)
        try:
            hold_against_each_other(history, who, rename, team)
        except AssertionError as error:
            raise AssertionError(f"seed {seed}, history {number}: {error}: {history}") from error


def test_a_history_can_take_effect(who, rename, team):
    """Else the tests above would prove nothing: a key's proposal, a named person who is away, and their deputy."""
    history = [
        ("propose", "alices_key", "bob"),
        ("confirm", "erin", None),
        ("go_away", "bob", "erin"),
        ("confirm", "bobs_key", None),
        ("confirm", "alice_again", None),
        ("confirm", "erin", None),
        ("confirm", "bob", None),
    ]
    hold_against_each_other(history, who, rename, team)
    model = Model()
    for taken in history:
        model.take(*taken)
    assert model.runs == [("alice", "erin")]
