"""The engine's acts without pages: who gets what, what sleeps and returns, what rules raise, what merging keeps."""

from datetime import timedelta

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audit.actors import system
from audit.models import Entry
from audit.perform import ConditionsNotMet, Denied, WrongState
from cases import assignment, priority, snooze
from cases import services as engine
from cases.clocks.models import Clock, Pause
from cases.contacts.models import Task
from cases.contacts.services import log_contact, open_tasks
from cases.lists import Asked
from cases.models import Case
from cases.queues import declare_conflict
from cases.relations import merging
from cases.relations.models import Merge
from cases.timeline import of as timeline_of
from cases.types.verification import services as verification
from compliance.outbox.models import OutboxRow
from compliance.people.duty import services as duty
from compliance.people.services import create_user, join

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


@pytest.fixture
def case(world):
    return world.verification("L1")


def fresh(case):
    return Case.objects.get(pk=case.pk)


def away(user, deputy, *, by=None):
    now = timezone.now()
    return duty.be_away(user, deputy=deputy, starts_at=now - HOUR, ends_at=now + HOUR, by=by or user)


class TestGivingOut:
    def test_everybody_on_shift_gets_the_same_and_who_is_away_gets_none(self, world):
        for person in (world.alice, world.bob, world.erin):
            duty.come(person, by=person)
        away(world.erin, world.bob)
        for _one in range(15):
            world.verification("L1")
        queue = Case.objects.filter(licensee=world.licensee).first().queue
        assert assignment.give_out(queue, by=system()) == 15
        load = assignment.loads([world.alice, world.bob, world.erin])
        assert sorted(load[person.pk] for person in (world.alice, world.bob, world.erin)) == [0, 7, 8]
        assert load[world.erin.pk] == 0

    def test_nobody_gets_a_case_of_a_player_they_know_or_more_than_the_most(self, world, case):
        duty.come(world.alice, by=world.alice)
        declare_conflict(world.alice, case.customer, by=world.alice)
        assert assignment.give_out(case.queue, by=system()) == 0
        others = [world.verification("L1") for _one in range(3)]
        queue = assignment.set_assignment(case.queue, gives_out=True, most_each=2, by=system())
        assert assignment.give_out_all() == 2
        assert [fresh(one).assignee_id for one in others] == [world.alice.pk, world.alice.pk, None]
        assert assignment.give_out(queue, by=system()) == 0

    def test_a_shift_ends_by_itself(self, world, case):
        shift = duty.come(world.alice, by=world.alice)
        assert list(duty.on_shift()) == [world.alice]
        assert list(duty.on_shift(shift.ends_at + timedelta(seconds=1))) == []

    def test_nobody_says_for_another_that_they_are_here(self, world):
        with pytest.raises(Denied):
            duty.come(world.bob, by=world.alice)


class TestDeputies:
    def test_their_cases_are_the_deputys_and_come_back(self, world, case):
        engine.assign(case, to=world.bob, by=world.bob)
        absence = away(world.bob, world.erin)
        asked = Asked(view="mine")
        assert [one.number for one in asked.rows(world.erin)] == [case.number]
        assert not asked.rows(world.alice).exists()
        duty.be_back(absence, by=world.bob)
        assert not asked.rows(world.erin).exists()

    def test_a_deputy_who_is_away_hands_on_and_a_circle_ends(self, world, case):
        engine.assign(case, to=world.bob, by=world.bob)
        away(world.bob, world.erin)
        away(world.erin, world.alice)
        assert duty.acts_for(world.bob) == world.alice
        assert set(duty.stood_in_for(world.alice)) == {world.bob.human_id, world.erin.human_id}
        away(world.alice, world.bob)
        assert duty.acts_for(world.bob) is None
        assert world.bob.human_id not in duty.stood_in_for(world.bob)

    def test_nobody_gets_a_case_while_they_are_away_and_the_deputy_is_named(self, world, case):
        away(world.bob, world.erin)
        with pytest.raises(ConditionsNotMet, match="Erin stands in"):
            engine.assign(case, to=world.bob, by=world.alice)

    def test_one_does_not_stand_in_for_oneself_under_another_sign_in(self, world):
        again = create_user(email="again@example.com", name="Bob again", human=world.bob.human, by=system())
        join(again, world.team, "officer", by=system())
        with pytest.raises(Exception, match="another person"):
            away(world.bob, again)


class TestSnoozing:
    def test_it_returns_at_its_minute_to_queue_and_person_without_any_sweep(self, world, case):
        engine.assign(case, to=world.alice, by=world.alice)
        due = fresh(case).due_at
        snooze.snooze(case, by=world.alice, until=timezone.now() + HOUR, because="technical")
        mine = Asked(view="mine").rows(world.alice)
        assert not mine.exists()
        assert Asked(view="all").rows(world.alice).count() == 1  # nothing ever hides from "all open"
        Case.objects.filter(pk=case.pk).update(snoozed_until=timezone.now())
        assert mine.get().pk == case.pk
        assert snooze.wake_due() == 1
        assert snooze.wake_due() == 0
        back = fresh(case)
        assert (back.assignee_id, back.queue_id, back.due_at) == (world.alice.pk, case.queue_id, due)
        assert OutboxRow.objects.filter(kind="cases.happened", payload__what="woke").count() == 1
        assert "back from being snoozed" in " ".join(item.title for item in timeline_of(case))

    def test_the_player_brings_it_back_earlier(self, world, case):
        facts = {"channel": "phone", "direction": "in", "category": "other", "outcome": "answered", "summary": "Asked."}
        snooze.snooze(case, by=world.alice, until=timezone.now() + HOUR, because="technical", wakes_on="player")
        log_contact(case, by=world.alice, **facts | {"direction": "out"})
        assert fresh(case).sleeps
        log_contact(case, by=world.alice, **facts)
        assert not fresh(case).sleeps

    def test_take_next_leaves_it_asleep(self, world, case):
        snooze.snooze(case, by=world.alice, until=timezone.now() + HOUR, because="technical")
        assert engine.take_next(by=world.alice, kind="verification") is None

    @pytest.mark.parametrize(
        ("days", "because", "urgent"), [(0, "technical", 0), (61, "technical", 0), (1, "", 0), (1, "technical", 3)]
    )
    def test_without_a_time_a_reason_or_for_something_urgent_it_is_refused(self, days, because, urgent, world, case):
        Case.objects.filter(pk=case.pk).update(priority=urgent)
        with pytest.raises(ConditionsNotMet):
            snooze.snooze(case, by=world.alice, until=timezone.now() + timedelta(days=days), because=because)


class TestPriority:
    def test_a_rule_raises_once_and_a_person_has_the_last_word(self, world, case):
        case.customer.risk = "high"
        case.customer.save()
        assert priority.apply_rules() == 1
        assert (fresh(case).priority, fresh(case).raised_by) == (1, ["risk"])
        priority.set_priority(case, 0, by=world.alice, because="looked_into")
        assert priority.apply_rules() == 0
        assert fresh(case).priority == 0

    def test_words_of_harm_make_it_urgent(self, world, case):
        log_contact(
            case,
            by=world.alice,
            channel="phone",
            direction="in",
            category="other",
            outcome="answered",
            summary="She said: I want to kill myself.",
        )
        assert Task.objects.filter(case=case, kind="care").exists()
        priority.apply_rules()
        assert fresh(case).priority == priority.URGENT

    @settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(before=st.integers(0, 3), level=st.integers(0, 3))
    def test_no_rule_ever_lowers(self, world, case, before, level):
        Case.objects.filter(pk=case.pk).update(priority=before, raised_by=[])
        rule = priority.Rule("made_up", "Made up", level, lambda: priority.Q(pk=case.pk))
        priority._apply(rule)
        assert fresh(case).priority == max(before, level)


class TestMerging:
    @pytest.fixture
    def twice(self, world):
        """The first attempt was withdrawn, the second goes on."""
        account = world.account()
        first = verification.open(account, level="L1", by=world.alice)
        promise = log_contact(
            first,
            by=world.alice,
            channel="phone",
            direction="in",
            category="other",
            outcome="call_back",
            summary="Will call.",
            call_back_at=timezone.now() + HOUR,
        ).call_back
        first = verification.withdraw(first, by=world.alice)
        return first, verification.open(account, level="L1", by=world.alice), promise

    def test_it_keeps_everything_and_undoing_restores_it(self, world, twice):
        first, second, promise = twice
        engine.write_note(first, by=world.alice, text="Of the first.")
        before = {name: getattr(fresh(first), name) for name in ("state", "outcome", "assignee_id", "due_at")}
        done = merging.merge(first, second, by=world.alice, because="goes_on")
        assert fresh(first).merged_into_id == second.pk
        assert [task.case_id for task in open_tasks(world.alice)] == [second.pk]  # the promise survives
        assert "Of the first." in [item.said for item in timeline_of(second, user=world.alice)]
        with pytest.raises(Denied):
            engine.write_note(fresh(first), by=world.alice, text="Not here.")
        with pytest.raises(Denied):
            merging.unmerge(done, by=world.alice)  # undone by who decides
        merging.unmerge(done, by=world.bob)
        assert {name: getattr(fresh(first), name) for name in before} == before
        assert Task.objects.get(pk=promise.pk).case_id == first.pk
        with pytest.raises(WrongState):
            merging.unmerge(done, by=world.bob)
        written = Entry.objects.filter(action__startswith="relations.").values_list("action", flat=True)
        assert sorted(written) == ["relations.merge", "relations.take_in", "relations.unmerge", "relations.unmerge"]

    def test_legal_deadlines_run_on_and_targets_pause(self, world, twice):
        first, second, _promise = twice
        now = timezone.now()
        legal = Clock.objects.create(case=first, kind="statutory", rule="x", target=HOUR, started_at=now)
        hours = {"zone": "UTC", "week": {"mon": [["09:00", "17:00"]]}}
        target = Clock.objects.create(case=first, kind="next_response", hours=hours, target=HOUR, started_at=now)
        merging.merge(first, second, by=world.alice, because="goes_on")
        assert [pause.clock_id for pause in Pause.objects.all()] == [target.pk]
        assert Clock.objects.get(pk=legal.pk).stopped_at is None

    def test_other_players_kinds_and_itself_are_refused(self, world, twice):
        first, second, _promise = twice
        for source, target in ((first, world.verification("L1")), (first, first), (second, first)):
            with pytest.raises(ConditionsNotMet):
                merging.merge(source, target, by=world.alice, because="goes_on")
        assert not Merge.objects.exists()
        with pytest.raises(Denied):
            merging.merge(first, second, by=world.carol, because="goes_on")
