"""A player whose cases are for few: every case, those to come too, until two persons lift it."""

import json

import pytest
from django.db import connection
from django.http import Http404
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from audit.actors import system
from audit.models import Entry
from audit.perform import ConditionsNotMet, Denied
from cases import restricting
from cases.marks import services
from cases.marks.models import ClosedCase, PlayerMark
from cases.models import Case
from cases.queues import declare_conflict, open_queue
from cases.relations import merging
from cases.types.gaming import care
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
        services.mark(case, kind="well_known", to=[world.erin], by=world.bob)
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
    services.mark(Case.objects.get(pk=case.pk), kind="well_known", to=[world.erin], by=world.bob)


def test_who_may_not_decide_marks_nobody_and_who_knows_the_player_sees_nothing(world, case):
    for user in (world.alice, world.mallory):
        with pytest.raises(Denied):
            services.mark(case, kind="well_known", to=[], by=user)
    with pytest.raises(ConditionsNotMet):
        services.mark(case, kind="well_known", to=[world.mallory], by=world.bob)
    for alone in ([], [world.alice]):
        with pytest.raises(ConditionsNotMet, match="Who may see them: choose one more who may decide"):
            services.mark(case, kind="well_known", to=alone, by=world.bob)
    mark = services.mark(case, kind="well_known", to=[world.erin], by=world.bob)
    declare_conflict(world.erin, case.customer, by=world.erin)
    declare_conflict(world.bob, case.customer, by=world.bob)
    with pytest.raises(Denied):
        propose(services.LIFT, mark, by=world.bob, reason="mistaken")
    assert ("seen_by_nobody", case.number) in {(one.kind, one.what) for one in rights.findings()}


def test_nobody_undoes_the_mark_of_one_case_alone(world, case, client):
    own = case
    restricting.restrict(own, to=[world.alice], by=world.bob, because="legal")
    verification.withdraw(own, by=world.bob)
    case = verification.open(own.account, level="L2", by=world.bob)
    mark = services.mark(case, kind="well_known", to=[world.erin], by=world.bob)
    restricting.restrict(case, to=[], by=world.bob, because="legal")
    assert not mark.closed.exists()
    assert case.number not in seen_by(world.erin) and own.number in seen_by(world.alice)
    for one in (case, own):
        client.force_login(world.bob)
        assert "Let those named below see it" in client.get(page(one)).content.decode()
        assert client.post(page(one), {"open": "1"}).status_code == 302
        for user, sees in ((world.alice, False), (world.carol, False), (world.bob, True), (world.erin, True)):
            assert (one.number in seen_by(user)) is sees
    assert set(mark.closed.values_list("case", flat=True)) == {case.pk, own.pk}


def test_a_mark_that_closes_no_case_is_lifted_too(world, case):
    restricting.restrict(case, to=[world.erin], by=world.bob, because="legal")
    mark = services.mark(case, kind="well_known", to=[world.erin], by=world.bob)
    assert not mark.closed.exists()
    assert set(PlayerMark.objects.decided_by(world.bob)) == {mark}
    for stranger in (world.alice, world.carol, world.mallory):
        assert not PlayerMark.objects.decided_by(stranger).exists()
    proposal = propose(services.LIFT, mark, by=world.bob, reason="mistaken")
    confirm(proposal, by=world.erin)
    assert PlayerMark.objects.get().state == "lifted" and case.number not in seen_by(world.alice)


def test_only_cases_closed_for_the_same_reason_are_merged_and_the_mark_opens_what_it_closed(world, case):
    open_queue(world.team, world.licensee, "gaming", by=system())
    first, second, third = (
        care.look_after(case.account, rule=f"TEST.{name}", reckoning={}, by=system(), contact=False)
        for name in ("A", "B", "C")
    )
    merging.merge(third, second, by=world.bob, because="opened_twice")
    restricting.restrict(first, to=[world.erin], by=world.bob, because="legal")
    mark = services.mark(case, kind="well_known", to=[world.erin], by=world.bob)
    first, second = (Case.objects.get(pk=one.pk) for one in (first, second))
    for source, target in ((first, second), (second, first)):
        assert any("restricted on its own" in words for words in merging.unmet(source, target))
    with pytest.raises(ConditionsNotMet, match="restricted on its own"):
        merging.merge(first, second, by=world.bob, because="opened_twice")
    merging.unmerge(merging.merged_into(third), by=world.bob)
    confirm(propose(services.LIFT, mark, by=world.bob, reason="mistaken"), by=world.erin)
    assert {second.number, third.number, case.number} <= seen_by(world.carol)
    assert first.number not in seen_by(world.carol)


def test_who_is_named_last_sees_what_comes_later(world, case):
    mark = services.mark(case, kind="well_known", to=[world.erin], by=world.bob)
    restricting.name_person(case, world.carol, by=system())
    restricting.name_person(case, world.carol, by=system())
    assert mark.named.filter(user=world.carol).count() == 1
    assert Entry.objects.filter(action="marks.name").count() == 1
    verification.withdraw(case, by=world.bob)
    later = verification.open(case.account, level="L2", by=system())
    assert {case.number, later.number} <= seen_by(world.carol)


def test_opening_marking_and_lifting_hold_the_player(world, case):
    """Each of them waits for the others: a case opened in that moment is closed, or given back, like the rest."""
    open_queue(world.team, world.licensee, "gaming", by=system())

    def holds(run):
        with CaptureQueriesContext(connection) as queries:
            found = run()
        said = [query["sql"] for query in queries]
        [held] = [n for n, sql in enumerate(said) if 'FROM "people_customer"' in sql and "FOR NO KEY UPDATE" in sql][:1]
        written = next(n for n, sql in enumerate(said) if sql.startswith(("INSERT", "UPDATE")))
        assert held < written
        return found

    holds(lambda: care.look_after(case.account, rule="TEST.A", reckoning={}, by=system(), contact=False))
    mark = holds(lambda: services.mark(case, kind="well_known", to=[world.erin], by=world.bob))
    proposal = propose(services.LIFT, mark, by=world.bob, reason="mistaken")
    holds(lambda: restricting.restrict(case, to=[world.erin], by=world.bob, because="legal"))
    holds(lambda: restricting.unrestrict(case, by=world.bob))
    with CaptureQueriesContext(connection) as queries:
        confirm(proposal, by=world.erin)
    said = [query["sql"] for query in queries]
    held = next(n for n, sql in enumerate(said) if 'FROM "people_customer"' in sql and "FOR NO KEY UPDATE" in sql)
    assert held < next(n for n, sql in enumerate(said) if sql.startswith('UPDATE "marks_playermark"'))
