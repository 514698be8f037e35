"""A freeze: at once by one, looked at by another, never ended by time; outside it is a hold that chance made."""

import json
from datetime import timedelta

import pytest
import time_machine
from django.core import mail
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone

from audit.models import Entry
from audit.perform import ConditionsNotMet, Denied, WrongState
from cases.models import Case
from cases.types.monitoring import freezes, reminders, routine, services
from cases.types.monitoring.models import Freeze, Investigation, PlannedFreeze, RoutineHold
from cases.types.monitoring.rules import flags
from cases.types.monitoring.rules.models import Flag
from compliance.outbox.kinds import handler_of
from compliance.outbox.models import OutboxRow
from compliance.people.gate import permissions_of
from compliance.people.models import Restriction
from compliance.proposals.queries import SecondPersonNeeded
from compliance.proposals.services import SamePerson, confirm, propose
from tests.monitoring.conftest import an_investigation
from tests.monitoring.histories import a_rule, report, row

pytestmark = pytest.mark.django_db


@pytest.fixture
def account(world):
    return world.account()


@pytest.fixture
def found(world, ken, judy, account):
    return services.take_up(an_investigation(world, judy, account), by=ken)


@pytest.fixture
def freeze(found, ken):
    return freezes.place(found, by=ken, reason="funds_may_leave")


def gate(account):
    answer = permissions_of(account.licensee_id, account.reference)["withdraw"]
    return answer.allowed, answer.code, answer.until


def without_the_moment(entry):
    facts = {
        key: value for key, value in entry.facts.items() if key not in ("id", "ts", "mac", "req", "object", "subject")
    }
    if "sealed" in facts:
        facts["sealed"] = {key: value for key, value in facts["sealed"].items() if key in ("alg", "n")}
    return facts


def test_it_stops_withdrawals_at_once_and_shows_the_code_of_the_routine(freeze, account, found, ken):
    assert gate(account) == (False, routine.CODE, None)
    assert freezes.place(found, by=ken, reason="funds_may_leave").pk == freeze.pk
    placed = Entry.objects.get(action="freezes.place")
    assert (placed.log, placed.actor_id) == ("aml", str(ken.pk))


def test_the_main_log_tells_it_from_no_hold_by_chance(freeze, world):
    drawn = routine.hold(world.account().customer)
    restricted = [
        Entry.objects.get(action="people.restrict", object_id=str(row.pk)) for row in (freeze.restriction, drawn)
    ]
    assert without_the_moment(restricted[0]) == without_the_moment(restricted[1])
    assert restricted[0].facts["actor"] == {"id": "system", "t": "system"}
    rows = [Restriction.objects.filter(pk=row.pk).values().get() for row in (freeze.restriction, drawn)]
    for one in rows:
        for name in ("id", "customer_id", "starts_at"):
            one.pop(name)
    assert rows[0] == rows[1]
    told = [
        OutboxRow.objects.filter(payload__restriction_id=str(row.pk)).count() for row in (freeze.restriction, drawn)
    ]
    assert told[0] == told[1] > 0
    requests = {entry.facts["req"] for entry in Entry.objects.filter(action__in=("people.restrict", "freezes.place"))}
    assert len(requests) == 3, "the request of a person's page would tie both logs together"


def test_somebody_else_looks_and_the_same_person_never_does(freeze, ken, judy, world):
    with pytest.raises(Denied):
        freezes.second(freeze, by=ken)
    for stranger in (world.bob, world.carol):
        with pytest.raises(Denied):
            freezes.second(freeze, by=stranger)
    done = freezes.second(freeze, by=judy)
    assert (done.state, done.seconded_human_id) == ("seconded", judy.human_id)
    with pytest.raises(IntegrityError), transaction.atomic():
        Freeze.objects.filter(pk=freeze.pk).update(seconded_human=ken.human_id)


def test_when_time_runs_out_it_stays_and_the_reporting_officers_hear_that_something_waits(freeze, account, judy, ken):
    assert freezes.escalate_overdue() == 0
    with time_machine.travel(timezone.now() + freezes.SECOND_WITHIN + timedelta(minutes=1)):
        assert freezes.escalate_overdue() == 1 and freezes.escalate_overdue() == 0
        routine.end_due()
    assert Freeze.objects.get().state == "overdue" and gate(account)[0] is False
    letter = OutboxRow.objects.get(kind=reminders.REMIND)
    assert hours_between(freeze.second_by, letter.due_at) > 1, "exactly a day after a hold would name the hold"
    reminders.deliver(letter)
    assert [letter.to for letter in mail.outbox] == [[judy.email]]
    said = mail.outbox[0].subject + mail.outbox[0].body
    assert not any(word in said.lower() for word in ("aml", "freeze", "suspic", account.reference.lower()))
    assert freezes.second(freeze, by=judy).state == "seconded"


def test_two_lift_it_and_nobody_else(freeze, account, ken, judy, lara, world):
    with pytest.raises(SecondPersonNeeded):
        freezes.lift(freeze, by=judy, reason="cleared")
    proposal = propose(freezes.LIFT, freeze, by=judy, reason="cleared")
    for by, refused in ((judy, SamePerson), (ken, Denied), (world.bob, Denied)):
        with pytest.raises(refused):
            confirm(proposal, by=by)
    assert gate(account)[0] is False
    confirm(proposal, by=lara)
    assert Freeze.objects.get().state == "lifted" and routine.end_due() == 0
    assert gate(account)[0] is False, "a hold of minutes is none that chance made"
    assert routine.end_due(now=timezone.now() + routine.SHORTEST) == 1
    assert gate(account) == (True, None, None)
    lifted = Entry.objects.get(action="people.lift_restriction")
    assert (lifted.log, lifted.facts["actor"]["t"], lifted.facts["reason"]) == ("main", "system", {"code": "routine"})
    with pytest.raises(WrongState):
        freezes.second(freeze, by=lara)


def test_a_frozen_matter_does_not_end_as_if_nothing_had_been(freeze, found, ken, judy):
    services.hand_over(Investigation.objects.get(pk=found.pk), by=ken)
    with pytest.raises(ConditionsNotMet, match="frozen"):
        propose(
            "monitoring.end",
            found,
            by=judy,
            reason="mistaken",
            outcome="unfounded",
            words="Nothing at all was found here.",
        )


def test_the_page_freezes_and_another_agrees(found, ken, judy, client, account):
    place = reverse("cases:aml-act", args=[found.number, "freeze"])
    client.force_login(ken)
    assert client.post(place, {"reason": "funds_may_leave"}).status_code == 302
    freeze = Freeze.objects.get()
    assert b"Somebody else looks until" in client.get(reverse("cases:aml-investigation", args=[found.number])).content
    client.force_login(judy)
    assert found.number.encode() in client.get(reverse("cases:aml")).content
    second = reverse("cases:aml-act", args=[found.number, "second"])
    assert client.post(second, {"freeze": freeze.pk}).status_code == 302
    lift = reverse("cases:aml-lift", args=[found.number, freeze.pk])
    assert client.post(lift, {"reason": "cleared"}).status_code == 302
    assert Freeze.objects.get().state == "seconded" and gate(account)[0] is False


def hours_between(one, other):
    return (other - one) / timedelta(hours=1)


@pytest.fixture
def at_once(monkeypatch):
    monkeypatch.setattr(routine, "IN_STEP", 0.0)


def deliver_planned():
    for planned in OutboxRow.objects.filter(kind__in=(routine.HOLD, routine.ASK)):
        handler_of(planned.kind)(planned)


@pytest.mark.usefixtures("at_once")
class TestByARule:
    """The rule's version says that a new flag holds withdrawals."""

    @pytest.fixture
    def flag(self, world, ken, account, monkeypatch):
        monkeypatch.setattr(routine, "SHARE_A_DAY", 0)
        monkeypatch.setattr(routine, "SHARE_ASKED_A_DAY", 0)
        a_rule("T01", by=ken, holds_withdrawals=True)
        report(world.licensee, [row(account, n, after=timedelta(hours=n)) for n in range(3)], by=world.alice)
        return Flag.objects.get()

    def test_it_comes_among_the_holds_that_chance_plans_and_looks_like_one(self, flag, world, account, monkeypatch):
        assert gate(account)[0] and not OutboxRow.objects.filter(kind=routine.HOLD).exists()
        assert routine.draw() == 1
        deliver_planned()
        freeze = Freeze.objects.get()
        assert gate(account) == (False, routine.CODE, None) and freeze.placed_by is None
        monkeypatch.setattr(routine, "SHARE_A_DAY", 144)
        other = world.account()
        routine.draw()
        rows = OutboxRow.objects.filter(kind=routine.HOLD).order_by("position")
        for one in rows[1:]:
            handler_of(one.kind)(one)
        drawn = RoutineHold.objects.get().restriction
        assert drawn.customer == other.customer and routine.draw() == 2, "nothing more is planned for the flag"
        assert len({json.dumps(one.payload) for one in rows}) == 1
        held = [freeze.restriction, drawn]
        entries = [Entry.objects.get(action="people.restrict", object_id=str(one.pk)) for one in held]
        assert without_the_moment(entries[0]) == without_the_moment(entries[1])
        assert len({one.facts["req"] for one in entries} | {placed().facts["req"]}) == 3
        facts = [Restriction.objects.filter(pk=one.pk).values().get() for one in held]
        for one in facts:
            for name in ("id", "customer_id", "starts_at"):
                one.pop(name)
        assert facts[0] == facts[1]

    def test_it_opens_an_investigation_and_somebody_looks(self, flag, account, judy, ken, client):
        routine.draw()
        deliver_planned()
        freeze = Freeze.objects.select_related("investigation").get()
        found = freeze.investigation
        assert (found.opened_by, found.flagged_at, found.suspicion_at) == ("system:system", flag.flagged_at, None)
        letters = OutboxRow.objects.filter(kind=reminders.REMIND, payload__user_id=str(judy.pk))
        assert 1 <= hours_between(freeze.restriction.starts_at, letters.get().due_at) < 6.1
        assert not letters.deliverable().exists(), "a hold by chance sends no letter"
        services.mark_urgent(found, urgent=True, by=ken)
        assert letters.count() == 2 and letters.deliverable().count() == 1, "what is urgent does not wait for it"
        assert (placed().log, placed().facts["actor"]["t"], placed().facts["reason"]) == (
            "aml",
            "system",
            {"code": "rule"},
        )
        client.force_login(ken)
        for place in (reverse("cases:aml"), reverse("cases:aml-investigation", args=[found.number])):
            assert "A rule" in client.get(place).content.decode()
        assert freezes.second(freeze, by=ken).state == "seconded"

    def test_it_holds_once_and_not_where_the_flag_was_closed_before(self, flag, world, account, judy):
        flags.close(flag, by=judy, outcome="explained")
        report(world.licensee, [row(account, 7, after=timedelta(hours=4))], by=world.alice)
        routine.draw()
        deliver_planned()
        assert not Freeze.objects.exists() and gate(account)[0]
        assert Entry.objects.filter(action="freezes.forgo", log="aml").count() == 1
        assert routine.draw() == 0 and PlannedFreeze.objects.exclude(done_at=None).count() == 1

    def test_who_is_frozen_already_is_not_held_twice(self, flag, account, world, judy):
        freeze = freezes.place(an_investigation(world, judy, account), by=judy, reason="report_follows")
        routine.draw()
        deliver_planned()
        assert Freeze.objects.get() == freeze and Restriction.objects.count() == 1
        assert freeze.investigation.leads.filter(kind="flag").exists()


def placed():
    return Entry.objects.get(action="freezes.place")


def test_of_a_critical_flag_the_reporting_officers_hear_that_something_waits(world, ken, judy, lara, account):
    a_rule("T01", by=ken, severity="critical")
    a_rule("T02", by=ken, severity="high", when={"ge": [{"count": "deposits", "within": "24h"}, 1]}, parameters={})
    report(world.licensee, [row(account, 0)], by=world.alice)
    assert Flag.objects.count() == 1 and not OutboxRow.objects.filter(kind=reminders.REMIND).exists()
    report(world.licensee, [row(account, n, after=timedelta(hours=n)) for n in (1, 2)], by=world.alice)
    other = world.account()
    report(world.licensee, [row(other, n, after=timedelta(hours=n)) for n in range(3)], by=world.alice)
    rows = OutboxRow.objects.filter(kind=reminders.REMIND)
    assert {one.payload["user_id"] for one in rows} == {str(judy.pk), str(lara.pk)} and rows.count() == 2
    minutes = [hours_between(timezone.now(), one.due_at) * 60 for one in rows]
    assert all(4 < one <= 25 for one in minutes) and len(set(minutes)) == 2, "each at a moment of its own"
    for one in rows:
        reminders.deliver(one)
    assert {letter.to[0] for letter in mail.outbox} == {judy.email, lara.email}
    assert len({letter.body for letter in mail.outbox}) == 1 and "flag" not in mail.outbox[0].body


@pytest.mark.usefixtures("at_once")
class TestChance:
    def test_players_are_held_by_chance_and_let_go_by_time(self, world, monkeypatch):
        monkeypatch.setattr(routine, "SHARE_A_DAY", 144 * 0.5)  # half of them in ten minutes
        monkeypatch.setattr(routine, "THIN", 0)
        for _ in range(4):
            world.account()
        assert routine.draw() == 2 and not Restriction.objects.exists()
        deliver_planned()
        held = RoutineHold.objects.select_related("restriction")
        assert {row.restriction.source for row in held} == {routine.SOURCE} and len(held) == 2
        assert all(
            routine.SHORTEST <= row.ends_at - row.restriction.starts_at <= routine.LONGEST + timedelta(minutes=1)
            for row in held
        )
        assert routine.end_due() == 0
        assert routine.end_due(now=timezone.now() + routine.LONGEST + timedelta(hours=1)) == 2
        assert not Restriction.objects.filter(lifted_at=None).exists()

    def test_they_fall_on_any_moment_and_not_on_that_of_the_beat(self, world, monkeypatch):
        monkeypatch.setattr(routine, "SHARE_A_DAY", 144 * 60)
        world.account()
        now = timezone.now()
        assert routine.draw(now=now) == 60
        late = sorted((row.due_at - now).total_seconds() for row in OutboxRow.objects.filter(kind=routine.HOLD))
        assert 0 <= late[0] < 150 and 450 < late[-1] <= 600 and len({int(moment) for moment in late}) > 40
        deliver_planned()
        assert Restriction.objects.count() == 1, "a player is held once at a time"

    def test_who_is_held_by_chance_is_frozen_without_a_second_hold(self, found, ken, account, world):
        drawn = routine.hold(account.customer)
        RoutineHold.objects.create(restriction=drawn, ends_at=timezone.now() + timedelta(hours=3))
        told = OutboxRow.objects.filter(payload__restriction_id=str(drawn.pk)).count()
        freeze = freezes.place(found, by=ken, reason="funds_may_leave")
        assert freeze.restriction_id == drawn.pk and not RoutineHold.objects.exists()
        assert OutboxRow.objects.filter(payload__restriction_id=str(drawn.pk)).count() == told
        later = timezone.now() + timedelta(days=60)
        assert routine.end_due(now=later) == 0 and not routine._end_one(drawn.pk, later)
        # Lifted and, before its end, frozen again: the same hold goes on.
        QuerySet.update(Freeze.objects.all(), state="lifted", lifted_at=timezone.now())
        routine.let_end(drawn, at=timezone.now())
        again = freezes.place(found, by=ken, reason="funds_may_leave")
        assert again.pk != freeze.pk and again.restriction_id == drawn.pk and not RoutineHold.objects.exists()
        assert Restriction.objects.count() == 1

    def test_a_few_last_for_weeks(self):
        lengths = sorted(routine._length() for _ in range(5000))
        assert lengths[0] >= routine.SHORTEST and lengths[2500] < timedelta(days=2)
        assert sum(length > routine.LONGEST for length in lengths) > 20 and lengths[-1] > timedelta(days=20)

    def test_some_are_asked_for_papers_by_chance(self, world, monkeypatch):
        monkeypatch.setattr(routine, "SHARE_A_DAY", 0)
        monkeypatch.setattr(routine, "SHARE_ASKED_A_DAY", 144 * 2)
        customer = world.account().customer
        routine.draw()
        deliver_planned()  # twice the same player: the second finds an open matter
        assert Case.objects.filter(customer=customer, opened_by="system:system").count() == 1
        assert not Restriction.objects.exists()

    def test_a_fraction_happens_as_often_as_it_says(self):
        hits = sum(routine._by_chance(0.25) for _ in range(4000))
        assert 850 < hits < 1150 and routine._by_chance(3.0) == 3
