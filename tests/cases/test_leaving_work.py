"""Somebody leaves in the middle of work: what waits, runs or is half here is over with it, and stays so.

How soon the other processes know is what tests/people/test_leaving.py asks and `python3 dev.py bench gate` measures.
"""

import pytest

from audit.actors import system
from audit.models import Entry
from cases import services as engine
from cases.bulk import services as bulk
from cases.bulk.models import Batch
from cases.drafts import services as drafts
from cases.drafts.models import Draft
from cases.models import Case, Note
from cases.types.monitoring.rules import backtests
from cases.types.verification import services as verification
from compliance.people import services as people
from compliance.people import staff
from compliance.people.models import User
from documents import resumable
from documents.models import PartialUpload
from tests.monitoring.histories import START, a_rule

pytestmark = pytest.mark.django_db


def leaves(user):
    """Closed, and opened again: nothing of it comes back."""
    people.deactivate_user(user, by=system())
    staff.reactivate_user(user, by=system())


def ended(user):
    entry = Entry.objects.filter(action="people.deactivate_user", object_id=str(user.pk)).get()
    return dict(one.split(":") for one in entry.facts["data"]["ended"])


def test_open_cases_go_back_to_the_queue_and_closed_ones_stay_theirs(world):
    cases = [world.verification("L1") for _one in range(3)]
    for case in cases:
        engine.assign(case, to=world.alice, by=world.bob)
    verification.withdraw(cases[2], by=world.alice)
    leaves(world.alice)
    assert not Case.objects.open().filter(assignee=world.alice).exists()
    assert ended(world.alice)["cases"] == "2"
    assert Case.objects.get(pk=cases[2].pk).assignee == world.alice
    entry = Entry.objects.filter(action="cases.assign", matter=cases[0].number).order_by("-id").first()
    assert entry.facts["actor"]["t"] == "system"
    assert engine.take_next(by=world.bob, kind="verification").assignee == world.bob


@pytest.mark.parametrize("stage", ["queued", "running"])
def test_acts_on_many_cases_stop_and_a_message_pushed_later_changes_nothing(world, stage):
    for _one in range(3):
        world.verification("L1")
    batch = bulk.ask("note", Case.objects.visible_to(world.alice), order=("id",), by=world.alice)
    bulk.preview(batch, {"text": "Asked the bank."})
    Batch.objects.filter(pk=batch.pk).update(stage=stage)
    unstarted = bulk.ask("note", Case.objects.visible_to(world.alice), order=("id",), by=world.alice)
    leaves(world.alice)
    assert ended(world.alice)["batches"] == "2"
    assert not Batch.objects.filter(pk=unstarted.pk).exists()
    Batch.objects.filter(pk=batch.pk, stage="running").update(alive_at="2026-01-01T00:00:00Z")  # its worker died
    bulk.run(batch)
    bulk.sweep()
    batch.refresh_from_db()
    assert (batch.stage, batch.text_sealed, Note.objects.count()) == ("cancelled", None, 0)


def test_drafts_are_gone(world):
    case = world.verification("L1")
    drafts.keep(case, "note", "half a sentence", by=world.alice)
    drafts.keep(case, "note", "somebody else's", by=world.bob)
    leaves(world.alice)
    assert [draft.user for draft in Draft.objects.all()] == [world.bob]
    assert ended(world.alice)["drafts"] == "1"


def test_a_file_that_is_half_here_takes_no_further_byte(world):
    case = world.verification("L1")
    upload = resumable.begin(
        customer=case.customer,
        name="front.pdf",
        declared="application/pdf",
        size=1000,
        matter=case.number,
        target={},
        by=world.alice,
    )
    leaves(world.alice)
    upload.refresh_from_db()
    with pytest.raises(resumable.Over):
        resumable.append(upload, None, offset=0, length=10)
    assert ended(world.alice)["uploads"] == "1"
    assert resumable.sweep() == 1
    assert not PartialUpload.objects.exists()


def test_a_back_test_stops_and_the_main_log_says_nothing_of_it(world):
    grace = people.create_user(email="grace@example.com", name="Grace", by=system())
    people.join(grace, world.team, "analyst", by=system())
    grace = User.objects.get(pk=grace.pk)
    day = world.licensee.day_of(START)
    test = backtests.ask(a_rule(by=grace, live=False), world.licensee, from_on=day, to_on=day, grid={}, by=grace)
    leaves(grace)
    backtests.run(str(test.pk))
    test.refresh_from_db()
    assert test.cancelled_at is not None
    assert test.findings == {}
    assert "backtest" not in str(Entry.objects.filter(log="main").order_by("-id").first().facts)
    assert not [name for name in ended(grace) if "test" in name]
