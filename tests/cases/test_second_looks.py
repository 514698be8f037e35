"""A share of closed cases is looked at again by somebody who took no part and does not know how they ended."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from audit.actors import system
from audit.models import Entry
from audit.perform import ConditionsNotMet, Denied, WrongState
from cases import services as engine
from cases.models import Case
from cases.quality import services
from cases.quality.models import SecondLook
from cases.search import everywhere
from cases.types.verification import services as verification
from compliance.people.conflicts.models import ConflictOfInterest
from compliance.people.services import create_user, join
from compliance.proposals.services import confirm, propose
from tests.papers import bring
from tests.world import PASSWORD

pytestmark = pytest.mark.django_db


def closed(world, act="approve", reason="all_checks_met"):
    """A case that Alice worked on and Bob decided."""
    case = world.verification("L1")
    bring(case, "identity_front", "passport", by=world.alice)
    case = verification.review(case, by=world.alice)
    engine.accept(case.evidence.get(), by=world.alice)
    confirm(propose(f"verification.{act}", case, by=world.alice, reason=reason), by=world.bob)
    return Case.objects.get(pk=case.pk)


@pytest.fixture
def lead(world):
    user = create_user(email="lead@example.com", name="Lena", password=PASSWORD, by=system())
    join(user, world.team, "manager", by=system())
    return user


@pytest.fixture
def everything_is_drawn(monkeypatch):
    monkeypatch.setattr(services, "_share", lambda version: 100)


@pytest.fixture
def look(world, everything_is_drawn):
    case = closed(world)
    assert services.draw() == 1
    return SecondLook.objects.get(case=case)


def page(client, user, name, *args, data=None):
    client.force_login(user)
    address = reverse(f"cases:{name}", args=args)
    return client.get(address) if data is None else client.post(address, data)


# ------------------------------------------------------------------------------------------------------- drawing
def test_the_share_is_what_the_policy_says(world, monkeypatch):
    """Five in a hundred, by a lot that depends on nothing but the case: 400 closings give about twenty."""
    lots = [services.lot(number, timezone.now()) for number in range(400)]
    assert 5 <= sum(lot < 5 for lot in lots) <= 40
    assert services._share(closed(world).policy_version) == 5


def test_a_closing_is_drawn_once_and_an_old_one_never(world, everything_is_drawn):
    case = closed(world)
    assert (services.draw(), services.draw()) == (1, 0)
    assert services.draw(now=timezone.now() + timedelta(days=10)) == 0
    entry = Entry.objects.get(action="quality.draw", matter=case.number)
    assert entry.facts["data"]["percent"] == 100


def test_what_nobody_judged_is_not_drawn(world, everything_is_drawn):
    case = world.verification("L1")
    verification.withdraw(case, by=world.alice, reason="player_asked")
    assert Case.objects.get(pk=case.pk).outcome == "withdrawn"
    assert services.draw() == 0


# ------------------------------------------------------------------------------------------------------ blindness
def test_who_took_part_or_looked_gets_no_second_look(world, client, look):
    assert services.waiting_for(world.bob).count() == 0  # decided it
    assert list(services.waiting_for(world.erin)) == [look]
    page(client, world.erin, "case", look.case.number)
    assert services.waiting_for(world.erin).count() == 0  # has seen how it ended
    with pytest.raises(Denied):
        services.take(by=world.alice)  # an agent has no such right


def test_until_the_verdict_is_in_the_case_is_nowhere_for_who_looks_again(world, client, look):
    number = look.case.number
    assert page(client, world.erin, "look-take", data={}).status_code == 302
    blind = page(client, world.erin, "look", look.pk)
    shown = blind.content.decode()
    assert blind.status_code == 200
    main = shown[shown.index("<main") : shown.index("</main>")]
    assert "Approved" not in main.replace('value="approved"', "").replace("<b>Approved</b>", "")
    assert world.bob.name not in main
    assert world.alice.name not in main
    assert page(client, world.erin, "case", number).status_code == 404
    assert not everywhere("isil@example.com", user=world.erin)
    assert not Case.objects.visible_to(world.erin).exists()
    picture = reverse("cases:look-image", args=[look.pk, look.case.evidence.get().pk, 1])
    assert client.get(picture)["Content-Type"] == "image/jpeg"

    client.force_login(world.erin)
    answer = client.post(reverse("cases:look", args=[look.pk]), {"outcome": "approved", "note": "Clear."}, follow=True)
    assert "You found the same" in answer.content.decode()
    assert page(client, world.erin, "case", number).status_code == 200
    look = SecondLook.objects.get(pk=look.pk)
    assert (look.state, services.note_of(look)) == ("agreed", "Clear.")


def test_only_who_holds_a_look_reaches_it(world, client, look, lead):
    services.take(by=world.erin)
    for user in (world.bob, world.alice, world.mallory, lead):
        assert page(client, user, "look", look.pk).status_code in (403, 404)
        assert page(client, user, "look-give-back", look.pk, data={}).status_code in (403, 404)
    with pytest.raises(Denied):
        services.judge(SecondLook.objects.get(pk=look.pk), by=world.bob, outcome="approved")


def test_what_is_given_back_goes_to_somebody_else(world, client, look):
    services.take(by=world.erin)
    page(client, world.erin, "look", look.pk)
    assert page(client, world.erin, "look-give-back", look.pk, data={}).status_code == 302
    assert services.take(by=world.erin) is None
    assert Case.objects.visible_to(world.erin).filter(pk=look.case_id).exists()


def test_who_knows_the_player_says_so_on_the_page_and_somebody_else_looks(world, client, look):
    held = services.take(by=world.erin)
    assert reverse("cases:look-conflict", args=[look.pk]) in page(client, world.erin, "look", look.pk).content.decode()
    assert page(client, world.erin, "look-conflict", look.pk).status_code == 200
    assert page(client, world.erin, "look-conflict", look.pk, data={}).status_code == 422
    assert page(client, world.erin, "look-conflict", look.pk, data={"relation": "family"}).status_code == 302
    for name in ("look", "look-conflict"):
        assert page(client, world.erin, name, look.pk).status_code == 404
    assert SecondLook.objects.get(pk=look.pk).reviewer is None
    assert services.take(by=world.erin) is None
    with pytest.raises(Denied):
        services.judge(held, by=world.erin, outcome="approved")


def test_a_conflict_stands_in_the_way_even_of_who_still_holds_the_look(world, client, look):
    held = services.take(by=world.erin)
    ConflictOfInterest.objects.create(user=world.erin, customer=look.case.customer)
    assert page(client, world.erin, "look", look.pk).status_code == 404
    with pytest.raises(Denied):
        services.judge(held, by=world.erin, outcome="approved")


def test_a_second_look_ends_once(world, look):
    services.take(by=world.erin)
    held = services.get_held(look.pk, user=world.erin)
    with pytest.raises(ConditionsNotMet):
        services.judge(held, by=world.erin, outcome="lapsed")
    services.judge(held, by=world.erin, outcome="rejected")
    with pytest.raises((WrongState, Denied)):
        services.judge(held, by=world.erin, outcome="approved")


# --------------------------------------------------------------------------------------------------- disagreement
@pytest.fixture
def disagreed(world, look):
    services.take(by=world.erin)
    held = services.get_held(look.pk, user=world.erin)
    return services.judge(held, by=world.erin, outcome="rejected", note="The face differs.")


def test_a_disagreement_comes_back_and_is_settled_by_the_lead(world, client, disagreed, lead):
    number = disagreed.case.number
    assert number in page(client, lead, "team").content.decode()
    text = page(client, lead, "look-settle", disagreed.pk).content.decode()
    assert "The face differs." in text
    assert page(client, world.erin, "look-settle", disagreed.pk).status_code == 403
    data = {"conclusion": "second", "note": "We read selfies stricter now."}
    assert page(client, lead, "look-settle", disagreed.pk, data=data).status_code == 302
    settled = SecondLook.objects.get(pk=disagreed.pk)
    assert (settled.state, settled.conclusion, settled.settled_by) == ("settled", "second", lead)
    assert Case.objects.get(number=number).outcome == "approved"  # settling changes nothing for the player
    actions = Entry.objects.filter(matter=number, action__startswith="quality.").order_by("id")
    assert list(actions.values_list("action", flat=True)) == [
        "quality.draw",
        "quality.take",
        "quality.disagree",
        "quality.settle",
    ]
    assert b"face" not in b"".join(bytes(entry.entry) for entry in actions)


def test_the_agreement_is_a_rate_only_from_ten_on(world, disagreed):
    since = timezone.now() - timedelta(days=1)
    assert services.agreement(SecondLook.objects.all(), since=since).rate is None
    assert services.Agreement(judged=10, agreed=9, waiting=0).rate == 0.9
