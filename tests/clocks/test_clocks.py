"""Clocks of a case: started, paused, stopped by what happens to it; a warning and a breach each once; explained."""

from datetime import UTC, datetime, timedelta
from io import StringIO
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.core.management import call_command
from django.urls import reverse
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from audit.actors import system
from audit.models import Entry
from audit.perform import ConditionsNotMet
from cases import services as engine
from cases.clocks import arithmetic, services, sweeping
from cases.clocks.models import Clock, Kind, Pause
from cases.contacts.services import log_contact
from cases.types.verification import services as verification
from tests.papers import bring

HOUR = timedelta(hours=1)


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Europe/Istanbul")).astimezone(UTC)


MONDAY = at("2026-11-23 10:00")


@pytest.fixture
def frozen():
    with time_machine.travel(MONDAY, tick=False) as traveller:
        yield traveller


@pytest.fixture
def case(frozen, world, queue):
    case = world.verification("L1")
    sweeping.sweep()
    return case


def clock(case, kind):
    return Clock.objects.select_related("case").filter(case=case, kind=kind).latest("started_at")


def due(case, kind):
    found = clock(case, kind)
    return arithmetic.reading(found, services.pauses_of(found), at=timezone.now()).due_at


def waiting(world, case):
    bring(case, "identity_front", "passport", by=world.alice, inspected=False)
    case = verification.review(case, by=world.alice)
    engine.ask_again(case.evidence.get(), by=world.alice, reasons=["image_glare"])
    return verification.ask(case, by=world.alice)


@pytest.mark.django_db
class TestOfACase:
    def test_three_clocks_run_apart(self, case):
        assert due(case, Kind.FIRST_RESPONSE) == at("2026-11-23 11:00")
        assert due(case, Kind.RESOLUTION) == at("2026-11-24 10:00")
        assert not Clock.objects.filter(kind=Kind.NEXT_RESPONSE).exists()

    def test_what_the_product_sends_by_itself_is_no_answer_and_a_person_s_letter_is(self, world, case, frozen):
        frozen.shift(10 * timedelta(minutes=1))
        sweeping.sweep()
        assert clock(case, Kind.FIRST_RESPONSE).stopped_at is None  # the receipt went out
        asked_at = timezone.now()
        waiting(world, case)
        frozen.shift(timedelta(minutes=1))
        sweeping.sweep()
        assert clock(case, Kind.FIRST_RESPONSE).stopped_at == asked_at

    def test_waiting_for_the_player_pauses_the_resolution_from_the_letter_on(self, world, case, frozen):
        frozen.shift(HOUR)
        case = waiting(world, case)
        frozen.shift(timedelta(seconds=59))
        sweeping.sweep()
        pause = Pause.objects.get()
        assert (pause.reason, pause.began_at) == ("waiting_for_player", at("2026-11-23 11:00"))
        assert due(case, Kind.RESOLUTION) is None
        frozen.move_to(at("2026-11-24 10:00"))
        bring(case, "identity_front", "passport", by=world.alice, inspected=False)
        sweeping.sweep()
        assert due(case, Kind.RESOLUTION) == at("2026-11-24 18:00")  # one hour was used, seven are left
        assert not Entry.objects.filter(action="clocks.breach").exists()

    def test_a_contact_starts_and_stops_the_next_response(self, world, case, frozen):
        facts = {"category": "other", "outcome": "answered", "summary": "x", "by": world.alice}
        log_contact(case, channel="phone", direction="out", **facts)
        assert clock(case, Kind.FIRST_RESPONSE).stopped_at == MONDAY
        frozen.shift(HOUR)
        log_contact(case, channel="email", direction="in", **facts)
        frozen.shift(HOUR / 2)
        log_contact(case, channel="email", direction="in", **facts)  # several in a row count from the first
        assert due(case, Kind.NEXT_RESPONSE) == at("2026-11-23 12:00")
        log_contact(case, channel="email", direction="out", **facts | {"outcome": "no_answer"})
        assert clock(case, Kind.NEXT_RESPONSE).stopped_at is None
        log_contact(case, channel="email", direction="out", **facts)
        assert clock(case, Kind.NEXT_RESPONSE).stopped_at == MONDAY + 1.5 * HOUR

    def test_the_end_of_a_case_stops_all_its_clocks_at_that_moment(self, world, case, frozen):
        frozen.shift(HOUR / 4)
        ended = timezone.now()
        verification.withdraw(case, by=world.alice)
        frozen.shift(timedelta(days=9))
        sweeping.sweep()
        assert {one.stopped_at for one in Clock.objects.all()} == {ended}
        assert not Entry.objects.filter(action="clocks.breach").exists()

    def test_warned_at_three_quarters_and_breached_each_once(self, case, frozen):
        counted = []
        for minutes in (44, 1, 0, 14, 1, 0, 600):
            frozen.shift(timedelta(minutes=minutes))
            sweeping.sweep()
            rows = Entry.objects.filter(object_id=str(clock(case, Kind.FIRST_RESPONSE).pk))
            counted.append((rows.filter(action="clocks.warn").count(), rows.filter(action="clocks.breach").count()))
        assert counted == [(0, 0), (1, 0), (1, 0), (1, 0), (1, 1), (1, 1), (1, 1)]

    def test_new_hours_hold_for_what_starts_later(self, world, case, queue, hours, frozen):
        before = due(case, Kind.RESOLUTION)
        services.set_hours(queue, hours, {"resolution": 60}, by=system())
        later = world.verification("L1")
        sweeping.sweep()
        assert due(case, Kind.RESOLUTION) == before
        assert due(later, Kind.RESOLUTION) == at("2026-11-23 11:00")

    def test_a_queue_without_a_resolution_target_starts_each_clock_once(self, world, case, queue, hours, frozen):
        services.set_hours(queue, hours, {"first_response": 60}, by=system())
        later = world.verification("L1")
        assert sweeping.sweep()["started"] == 1
        services.stop(clock(later, Kind.FIRST_RESPONSE), by=system())
        assert [sweeping.sweep()["started"] for _sweep in range(2)] == [0, 0]
        assert list(Clock.objects.filter(case=later).values_list("kind", flat=True)) == ["first_response"]

    def test_a_legal_deadline_counts_real_time_and_never_pauses(self, case, frozen):
        legal = services.start_statutory(case, rule="TR.STR.DEADLINE", target=timedelta(days=10), by=system())
        with pytest.raises(ConditionsNotMet):
            services.pause(legal, by=system(), reason="anything")
        assert due(case, Kind.STATUTORY) == at("2026-12-03 10:00")
        assert services.start_statutory(case, rule="TR.STR.DEADLINE", target=HOUR, by=system()) == legal

    def test_the_page_lists_its_own_arithmetic(self, world, case, client, frozen):
        frozen.move_to(at("2026-11-24 09:30"))
        client.force_login(world.alice)
        page = client.get(reverse("cases:clocks", args=[case.number])).content.decode()
        assert "Resolution" in page and "7 h 30 min" in page
        assert page.index("Why this time?") > 0
        panel = client.get(reverse("cases:case", args=[case.number])).content.decode()
        assert reverse("cases:clocks", args=[case.number]) in panel
        client.force_login(world.mallory)
        assert client.get(reverse("cases:clocks", args=[case.number])).status_code == 404

    def test_a_year_without_a_calendar_stops_no_other_clock(self, world, case, queue, hours, frozen, caplog):
        lost = clock(case, Kind.RESOLUTION)
        Clock.objects.filter(pk=lost.pk).update(hours=lost.hours | {"country": "XX"}, look_at=MONDAY)
        frozen.shift(2 * HOUR)
        assert sweeping.sweep()["breached"] == 1  # the first response
        assert "XX" in caplog.text


@pytest.mark.django_db
def test_hours_are_set_from_the_command_line(world):
    of = ["--team", world.team.slug, "--licensee", world.licensee.slug, "--kind", "verification"]
    out = StringIO()
    call_command(
        "clocks", "set-hours", *of, "--zone", "Europe/Istanbul", "--country", "TR", "--first", "60", stdout=out
    )
    assert "first_response" in out.getvalue()
    call_command("clocks", "sweep", "--json", stdout=out)
    assert '"breached": 0' in out.getvalue()


HOURS = {
    "zone": "Europe/London",
    "week": {day: [["09:00", "17:00"]] for day in ("mon", "tue", "wed", "thu", "fri")},
    "country": "GB",
}
MINUTES = st.lists(st.integers(1, 4000), min_size=0, max_size=8)


@given(st.integers(0, 60 * 24 * 300), MINUTES, st.sampled_from([HOURS, {}]), st.integers(1, 3000))
def test_pauses_push_the_due_time_and_the_explanation_adds_up(start, marks, hours, target):
    began = datetime(2026, 3, 1, tzinfo=UTC) + timedelta(minutes=start)
    counting = Clock(hours=hours, target=timedelta(minutes=target), started_at=began)
    moments, moment = [], began
    for mark in marks:
        moment += timedelta(minutes=mark)
        moments.append(moment)
    pauses = [
        Pause(began_at=first, ended_at=last, reason="x")
        for first, last in zip(moments[::2], moments[1::2], strict=False)
    ]
    due_at = arithmetic.when(counting, pauses, counting.target)
    for until in (due_at, due_at + timedelta(days=3)):
        reading = arithmetic.reading(counting, pauses, at=until)
        lines = arithmetic.explain(counting, pauses, at=until)
        assert sum((line.counted for line in lines), timedelta()) == reading.elapsed
    assert arithmetic.reading(counting, pauses, at=due_at).elapsed == counting.target
    assert due_at >= arithmetic.when(counting, [], counting.target)
