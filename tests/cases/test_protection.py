"""Stop play now: one person, at once, from every page that shows a player; lifting needs two persons and a day."""

import re
from datetime import timedelta

import pytest
import time_machine
from django.urls import reverse
from django.utils import timezone

from audit.models import Entry
from audit.perform import ConditionsNotMet, Denied
from cases import protection
from cases.types.verification import services as verification
from compliance.outbox.models import OutboxRow
from compliance.people.models import Restriction
from compliance.people.services import restrict
from compliance.proposals.queries import SecondPersonNeeded
from compliance.proposals.services import SamePerson, confirm, propose
from tests.papers import bring

pytestmark = pytest.mark.django_db


@pytest.fixture
def case(world):
    case = world.verification("L1")
    bring(case, "identity_front", "passport", by=world.alice)
    return verification.review(case, by=world.alice)


def stop(world, case, reason="player_asked"):
    return protection.stop_play(case, by=world.alice, reason=reason)


def proposed(world, row):
    return propose(protection.LIFT, row, by=world.alice, reason="mistaken", note="wrong player")


def test_one_person_stops_play_in_one_act(world, client, case):
    client.force_login(world.alice)
    address = reverse("cases:stop-play", args=[case.number])
    page = client.get(address).content.decode()
    assert "stop at once" in page and "24 hours" in page
    assert Restriction.objects.count() == 0
    assert client.post(address, {"reason": "signs_of_harm"}).status_code == 302
    row = Restriction.objects.get()
    assert (row.customer_id, row.stops_play, row.stops_deposit, row.stops_marketing) == (case.customer_id, *[True] * 3)
    assert (row.stops_withdraw, row.stops_sign_in, row.until, row.cover_code) == (False, False, None, "play_stopped")
    entry = Entry.objects.get(action="people.restrict")
    assert (entry.matter, entry.facts["reason"]["code"]) == (case.number, "signs_of_harm")
    told = OutboxRow.objects.get(kind="people.gate_changed")
    assert told.payload == {"restriction_id": str(row.pk)}
    assert "Play stopped" in client.get(reverse("cases:case", args=[case.number])).content.decode()


def test_a_second_click_changes_nothing(world, case):
    assert stop(world, case) == stop(world, case, "third_party_asked")
    assert Restriction.objects.count() == Entry.objects.filter(action="people.restrict").count() == 1


def test_a_stop_that_is_asked_for_again_outlives_the_lift_that_was_proposed_before_it(world, case):
    row = stop(world, case)
    with time_machine.travel(timezone.now() + timedelta(days=2)):
        proposal = proposed(world, row)
        again = stop(world, case, "signs_of_harm")
        assert again != row
        confirm(proposal, by=world.bob)
        assert Restriction.objects.get(pk=row.pk).lifted_at is not None
        assert [held.pk for held in protection.restrictions.in_force(case.customer)] == [again.pk]
        reasons = [entry.facts["reason"]["code"] for entry in Entry.objects.filter(action="people.restrict")]
        assert sorted(reasons) == ["player_asked", "signs_of_harm"]
        with pytest.raises(ConditionsNotMet, match="lifted from"):
            confirm(proposed(world, again), by=world.bob)


def test_the_row_its_entry_and_what_the_platform_is_told_stand_or_fall_together(world, case, monkeypatch):
    def fails(*args, **kwargs):
        raise RuntimeError

    monkeypatch.setattr("compliance.people.restrictions.post", fails)
    with pytest.raises(RuntimeError):
        stop(world, case)
    assert not Restriction.objects.exists() and not Entry.objects.filter(action="people.restrict").exists()


def test_who_may_not_work_on_the_case_stops_nothing(world, client, case):
    for user, status in [(world.carol, 403), (world.mallory, 404)]:
        client.force_login(user)
        assert (
            client.post(reverse("cases:stop-play", args=[case.number]), {"reason": "player_asked"}).status_code
            == status
        )
    with pytest.raises(Denied):
        protection.stop_play(case, by=world.carol, reason="player_asked")
    assert not Restriction.objects.exists()


def test_every_page_that_shows_a_player_has_the_button(world, client, case):
    evidence = case.evidence.get()
    link = f'href="{reverse("cases:stop-play", args=[case.number])}"'
    places = [
        reverse("cases:case", args=[case.number]),
        reverse("cases:review", args=[case.number, evidence.pk]),
        reverse("cases:verification-decide", args=[case.number, "reject"]),
        reverse("cases:search") + f"?q={case.account.reference}",
    ]
    for user, there in [(world.alice, True), (world.carol, False)]:
        client.force_login(user)
        for place in places:
            answer = client.get(place)
            if there:
                assert answer.status_code == 200, place
            assert (link in answer.content.decode()) is there, (user.name, place)


def test_lifting_takes_two_persons_and_a_day(world, case):
    row = stop(world, case)
    with pytest.raises(SecondPersonNeeded):
        protection.lift(row, by=world.bob, reason="mistaken")
    proposal = proposed(world, row)
    with pytest.raises(SamePerson):
        confirm(proposal, by=world.alice)


@pytest.mark.parametrize(("hours", "lifted"), [(23, False), (25, True)])
def test_time_is_part_of_the_protection(world, case, hours, lifted):
    row = stop(world, case)
    with time_machine.travel(timezone.now() + timedelta(hours=hours), tick=True):
        proposal = proposed(world, row)
        if lifted:
            confirm(proposal, by=world.bob)
        else:
            with pytest.raises(ConditionsNotMet):
                confirm(proposal, by=world.bob)
    row.refresh_from_db()
    assert (row.lifted_at is not None) is lifted
    assert Entry.objects.filter(action="people.lift_restriction").count() == int(lifted)
    assert OutboxRow.objects.filter(kind="people.gate_changed").count() == 1 + int(lifted)


def test_what_another_kind_set_is_shown_without_its_source_and_not_lifted_here(world, client, case):
    row = restrict(case.customer, stops=["withdraw"], cover_code="check", source="monitoring", by=world.bob, log="aml")
    client.force_login(world.bob)
    page = client.get(reverse("cases:case", args=[case.number])).content.decode()
    shown = re.search(r'<section class="part" id="restrictions">.*?</section>', page, re.S)[0]
    assert "Withdrawals" in shown and "Routine check" in shown
    assert "monitoring" not in page and "lift" not in shown
    assert client.get(reverse("cases:lift", args=[case.number, row.pk])).status_code == 404
