"""Stop play now: one person, at once, from every page that shows a player; lifting needs two persons and a day."""

import re
from datetime import timedelta

import pytest
import time_machine
from django.urls import reverse
from django.utils import timezone

from audit.models import Entry
from audit.perform import ConditionsNotMet, Denied
from cases import protection, restricting
from cases.queues import declare_conflict
from cases.types.verification import services as verification
from compliance.outbox.models import OutboxRow
from compliance.people.models import Restriction
from compliance.people.services import restrict
from compliance.proposals.models import Proposal
from compliance.proposals.queries import SecondPersonNeeded
from compliance.proposals.services import SamePerson, confirm, propose
from tests.browser.routes import addresses, signed_in
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


def test_the_button_is_for_who_works_on_the_case(world, client, case):
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


# ------------------------------------------------------------------------------------------------------ on every page
# Pages that name a case or a player and hold no button, each with its reason.
WITHOUT_BUTTON = {"/approvals/": "a list of what waits; each row leads to its page, which has the button"}


class Sample(dict):
    """Values of addresses; what has none leads to nothing that is there."""

    def __missing__(self, name):
        return "00000000-0000-0000-0000-000000000001" if name.endswith("_id") else "1"


def test_every_page_that_shows_a_player_has_the_button(world, client, case):
    """Every address of the product that answers a person who works on cases: nobody keeps a list of pages."""
    proposal = propose("verification.reject", case, by=world.alice, reason="person_differs")
    values = Sample(
        number=case.number,
        evidence_id=case.evidence.get().pk,
        proposal_id=proposal.pk,
        customer_id=case.customer_id,
        act="approve",
        field="phone",
    )
    shown, without = set(), set()
    client.force_login(world.bob)
    for address in [*addresses(signed_in, values), reverse("cases:search") + f"?q={case.account.reference}"]:
        answer = client.get(address, follow=True)
        path = answer.redirect_chain[-1][0] if answer.redirect_chain else address
        text = answer.content.decode() if answer.get("Content-Type", "").startswith("text/html") else ""
        main = text.partition("<main")[2]
        if answer.status_code != 200 or not (case.number in main or case.account.reference in main):
            continue
        shown.add(path)
        if 'name="reason" value="signs_of_harm"' not in main and "/stop-play/" not in main:
            without.add(path)
    assert len(shown) > 20
    assert without == set(WITHOUT_BUTTON)


# ------------------------------------------------------------------------------------------------- without any case
@pytest.fixture
def player(world):
    return world.account().customer


def page_of(player):
    return reverse("cases:stop-player", args=[player.pk])


def test_a_player_without_a_case_is_found_by_the_phone_and_stopped(world, client, player):
    client.force_login(world.alice)
    found = client.get(reverse("cases:search"), {"q": "0532 123 45 67"}).content.decode()
    assert f'href="{page_of(player)}"' in found and "Yıldırım" not in found
    page = client.get(page_of(player)).content.decode()
    assert player.accounts.get().reference in page and "Yıldırım" not in page
    assert Entry.objects.filter(action="audit.read", subject_id=str(player.pk), actor_id=str(world.alice.pk)).exists()
    assert client.post(page_of(player), {"reason": "no such reason"}).status_code == 422
    assert client.post(page_of(player), {"reason": "signs_of_harm"}).status_code == 302
    row = Restriction.objects.get()
    assert (row.customer_id, row.stops_play, row.cover_code) == (player.pk, True, "play_stopped")
    assert OutboxRow.objects.get(kind="people.gate_changed").payload == {"restriction_id": str(row.pk)}
    assert "Play is stopped already" in client.get(page_of(player)).content.decode()


@pytest.mark.parametrize("who", ["mallory", "carol"])
def test_who_works_on_none_of_the_licensees_cases_neither_finds_nor_stops_the_player(world, client, player, who):
    client.force_login(getattr(world, who))
    reference = player.accounts.get().reference
    assert page_of(player) not in client.get(reverse("cases:search"), {"q": reference}).content.decode()
    assert client.get(page_of(player)).status_code == 404
    assert client.post(page_of(player), {"reason": "player_asked"}).status_code == 404
    assert not Restriction.objects.exists()


def test_a_player_whose_case_is_hidden_looks_as_one_without_a_case(world, client, case, player):
    """Before a stop, after it, and when its end was proposed: the same pages for both."""
    restricting.restrict(case, to=[world.erin], by=world.erin, because="sensitive")
    client.force_login(world.alice)
    with time_machine.travel(timezone.now(), tick=False):
        hidden, none = (seen_of(client, one) for one in (case.customer, player))
    assert hidden == none
    assert "Let the player play again" in none[3][1] and "Confirm" not in none[-1][1]
    assert [status for status, _text in none] == [200] * len(none)


def seen_of(client, player):
    """What somebody sees who looks the player up, stops play and proposes that it may go on."""
    reference = player.accounts.get().reference
    found, page = reverse("cases:search") + f"?q={reference}", page_of(player)
    names = {reference: "REFERENCE", str(player.pk): "PLAYER"}
    shown = [client.get(found), client.get(page)]
    assert client.post(page, {"reason": "player_asked"}).status_code == 302
    row = Restriction.objects.get(customer=player)
    names[str(row.pk)] = "ROW"
    lift = reverse("cases:lift-player", args=[player.pk, row.pk])
    shown += [client.get(found), client.get(page), client.get(lift)]
    assert client.post(lift, {"reason": "mistaken", "note": "wrong player"}).status_code == 302
    proposal = Proposal.objects.get(subject_id=row.pk)
    names[str(proposal.pk)] = "PROPOSAL"
    shown += [client.get(page), client.get(lift), client.get(reverse("proposals:detail", args=[proposal.pk]))]
    return [(answer.status_code, without(names, answer.content.decode())) for answer in shown]


def without(names, text):
    """The text without what differs on any two pages: names, and what is drawn anew for each."""
    for name, instead in names.items():
        text = text.replace(name, instead)
    text = re.sub(r"<time.*?</time>", "", text)
    text = re.sub(r'(name="csrfmiddlewaretoken" value|nonce|data-left)="[^"]*"', "", text)
    return re.sub(r'f-[0-9a-f]{18}|(?<=value=")[0-9a-f-]{36}(?=")', "", text)


def test_whoever_knows_the_player_does_not_find_them(world, client, player):
    declare_conflict(world.alice, player, by=world.alice)
    client.force_login(world.alice)
    reference = player.accounts.get().reference
    assert page_of(player) not in client.get(reverse("cases:search"), {"q": reference}).content.decode()
    assert client.get(page_of(player)).status_code == 404


def test_a_stop_without_a_case_is_lifted_by_two_after_a_day(world, client, player):
    row = protection.stop_player(player, by=world.alice, reason="player_asked")
    with time_machine.travel(timezone.now() + timedelta(hours=25), tick=True):
        client.force_login(world.alice)
        address = reverse("cases:lift-player", args=[player.pk, row.pk])
        assert client.get(address).status_code == 200
        assert client.post(address, {"reason": "mistaken", "note": "wrong player"}).status_code == 302
        proposal = Proposal.objects.get(subject_id=row.pk)
        with pytest.raises(SamePerson):
            confirm(proposal, by=world.alice)
        client.force_login(world.bob)
        assert client.get(reverse("proposals:detail", args=[proposal.pk])).status_code == 200
        confirm(proposal, by=world.bob)
    row.refresh_from_db()
    assert row.lifted_at is not None


def test_with_a_case_that_is_hidden_nobody_outside_it_lifts_the_stop(world, client, case):
    row = protection.stop_player(case.customer, by=world.alice, reason="player_asked")
    restricting.restrict(case, to=[world.erin], by=world.erin, because="sensitive")
    with time_machine.travel(timezone.now() + timedelta(hours=25), tick=True):
        proposal = proposed(world, row)
        client.force_login(world.bob)
        assert client.get(reverse("proposals:detail", args=[proposal.pk])).status_code == 404
        with pytest.raises(Denied):
            confirm(proposal, by=world.bob)
        row.refresh_from_db()
        assert row.lifted_at is None
        confirm(proposal, by=world.erin)
    row.refresh_from_db()
    assert row.lifted_at is not None
