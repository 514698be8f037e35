"""A player whose cases are for few: every case, those to come too, until two persons lift it."""

import json

import pytest
from django.http import Http404
from django.urls import reverse

from audit.actors import system
from audit.models import Entry
from audit.perform import ConditionsNotMet, Denied
from cases import restricting
from cases.marks import services
from cases.marks.models import ClosedCase, PlayerMark
from cases.models import Case
from cases.queues import declare_conflict
from cases.types.verification import services as verification
from compliance.people.access import rights
from compliance.proposals.models import Proposal
from compliance.proposals.queries import SecondPersonNeeded
from compliance.proposals.services import confirm, propose

pytestmark = pytest.mark.django_db


@pytest.fixture
def case(world):
    return world.verification("L1")


def seen_by(user):
    return set(Case.objects.visible_to(user).values_list("number", flat=True))


def page(case):
    return reverse("cases:restrict", args=[case.number])


def test_one_marks_and_everything_of_the_player_is_for_those_named(world, case, client):
    other = world.verification("L1")
    assert seen_by(world.alice) >= {case.number, other.number}
    client.force_login(world.bob)
    chosen = {"player": "mark", "mark-kind": "well_known", "mark-people": [str(world.erin.pk)]}
    assert client.post(page(case), chosen | {"mark-kind": ""}).status_code == 422
    assert client.post(page(case), chosen).status_code == 302
    mark = PlayerMark.objects.get()
    verification.withdraw(case, by=world.bob)
    later = verification.open(case.account, level="L2", by=system())
    assert later.restricted and set(mark.closed.values_list("case__number", flat=True)) == {case.number, later.number}
    for user, sees in ((world.alice, False), (world.carol, False), (world.bob, True), (world.erin, True)):
        assert ({case.number, later.number} <= seen_by(user)) is sees
        assert other.number in seen_by(user)
    client.force_login(world.alice)
    assert client.get(reverse("cases:case", args=[later.number])).status_code == 404
    for words in (case.account.reference, case.customer.full_name, later.number):
        found = client.get(reverse("cases:search"), {"q": words}).content.decode()
        assert not any(f"/cases/{one.number}/" in found for one in (case, later))
    # The platform goes on: the player still hands files in. Restricted on its own, a case does not exist there.
    assert Case.objects.known_outside().filter(pk__in=[case.pk, later.pk]).count() == 2
    restricting.restrict(later, to=[world.erin], by=world.bob, because="legal")
    assert not Case.objects.known_outside().filter(pk=later.pk).exists()
    entry = Entry.objects.get(action="marks.set")
    assert b"well_known" not in bytes(entry.entry) and str(world.erin.pk).encode() in bytes(entry.entry)


def test_two_lift_it_and_what_was_restricted_on_its_own_stays(world, case, client):
    verification.withdraw(case, by=world.alice)
    own = verification.open(case.account, level="L2", by=world.alice)
    restricting.restrict(own, to=[world.erin], by=world.bob, because="legal")
    mark = services.mark(case, kind="works_here", to=[world.erin], by=world.bob)
    with pytest.raises(ConditionsNotMet, match="lift the mark"):
        restricting.unrestrict(case, by=world.bob)
    with pytest.raises(ConditionsNotMet, match="already"):
        services.mark(case, kind="well_known", to=[], by=world.bob)
    with pytest.raises(SecondPersonNeeded):
        services.lift(mark, by=world.bob, reason="mistaken")
    client.force_login(world.bob)
    assert client.post(page(case), {"player": "lift", "lift-reason": "no_longer"}).status_code == 302
    assert "Somebody else decides." in client.get(page(case)).content.decode()
    proposal = Proposal.objects.get()
    for stranger in (world.bob, world.alice, world.carol):
        with pytest.raises((Denied, Http404)):
            confirm(proposal, by=stranger)
    assert ClosedCase.objects.count() == 1
    confirm(proposal, by=world.erin)
    assert PlayerMark.objects.get().state == "lifted" and not ClosedCase.objects.exists()
    assert case.number in seen_by(world.alice) and own.number not in seen_by(world.alice)
    verification.withdraw(own, by=world.bob)
    assert not verification.open(case.account, level="L1", by=world.alice).restricted
    said = json.loads(bytes(Entry.objects.get(action="marks.lift").entry))["data"]
    assert said["proposal"] == str(proposal.pk)
    services.mark(Case.objects.get(pk=case.pk), kind="well_known", to=[], by=world.bob)


def test_who_may_not_decide_marks_nobody_and_who_knows_the_player_sees_nothing(world, case):
    for user in (world.alice, world.mallory):
        with pytest.raises(Denied):
            services.mark(case, kind="well_known", to=[], by=user)
    with pytest.raises(ConditionsNotMet):
        services.mark(case, kind="well_known", to=[world.mallory], by=world.bob)
    declare_conflict(world.erin, case.customer, by=world.erin)
    with pytest.raises(ConditionsNotMet):
        services.mark(case, kind="well_known", to=[world.erin], by=world.bob)
    mark = services.mark(case, kind="well_known", to=[], by=world.bob)
    declare_conflict(world.bob, case.customer, by=world.bob)
    with pytest.raises(Denied):
        propose(services.LIFT, mark, by=world.bob, reason="mistaken")
    assert ("seen_by_nobody", case.number) in {(one.kind, one.what) for one in rights.findings()}
