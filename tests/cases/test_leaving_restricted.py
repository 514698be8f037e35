"""Somebody named on a restricted case loses their role: what they were named for goes with it, and stays gone."""

from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse
from django.utils import timezone
from guardian.shortcuts import assign_perm

from audit.actors import system
from audit.models import Entry
from cases import restricting
from cases import services as engine
from cases.assignment import candidates
from cases.models import Case, CaseUserPermission
from cases.permissions import DECIDE, VIEW, WORK, may
from cases.queues import declare_conflict
from compliance.people import services as people
from compliance.people import staff
from compliance.people.access import rights
from compliance.people.access.models import Tenure
from compliance.people.models import User
from tests.world import PASSWORD

BACKEND = "compliance.people.access.backend.StaffBackend"


@pytest.fixture
def hidden(world):
    """A case that Bob and Alice see, and Bob has."""
    case = restricting.restrict(world.verification("L1"), to=[world.alice], by=world.bob, because="sensitive")
    engine.assign(case, to=world.bob, by=world.bob)
    return Case.objects.get(pk=case.pk)


def held(user, case):
    user = User.objects.get(pk=user.pk)
    return [right for right in (VIEW, WORK, DECIDE) if may(user, right, case)]


def rows(user):
    return CaseUserPermission.objects.filter(user=user).count()


def found(kind):
    return [one for one in rights.findings() if one.kind == kind]


def leaves(world):
    people.leave(world.bob, world.team, "officer", by=system())


def is_closed(world):
    people.deactivate_user(world.bob, by=system())
    staff.reactivate_user(world.bob, by=system())


def time_is_over(world):
    Tenure.objects.filter(membership__user=world.bob).update(
        since=timezone.now() - timedelta(days=2), until=timezone.now() - timedelta(seconds=1)
    )
    assert staff.end_what_is_over() == 1


@pytest.mark.parametrize("goes", [leaves, is_closed, time_is_over])
def test_the_grant_goes_with_the_role_and_no_role_revives_it(goes, world, hidden, client):
    assert held(world.bob, hidden) == [VIEW, WORK, DECIDE]
    goes(world)
    assert (held(world.bob, hidden), rows(world.bob)) == ([], 0)
    entry = Entry.objects.filter(action="cases.end_grant", matter=hidden.number).get()
    assert entry.facts["data"] == {"users": [str(world.bob.pk)], "rights": sorted([VIEW, WORK, DECIDE])}
    hidden.refresh_from_db(fields=["assignee"])
    assert hidden.assignee is None, "nobody has a case that they do not see"
    people.join(world.bob, world.team, "officer", by=system())
    assert held(world.bob, hidden) == []
    client.force_login(User.objects.get(pk=world.bob.pk), backend=BACKEND)
    shown = client.get(reverse("cases:case", args=[hidden.number]))
    assert (shown.status_code, shown.url.partition("?")[0]) == (302, reverse("cases:open-by-exception")), (
        "as any other officer"
    )
    assert held(world.alice, hidden) == [VIEW, WORK], "whoever else is named keeps theirs"
    assert not found("seen_by_nobody")


def test_a_mover_keeps_what_the_role_that_stays_bears(world, hidden):
    people.join(world.bob, world.team, "agent", by=system())
    people.leave(world.bob, world.team, "officer", by=system())
    assert held(world.bob, hidden) == [VIEW, WORK]
    hidden.refresh_from_db(fields=["assignee"])
    assert hidden.assignee == world.bob


def test_a_role_in_another_team_bears_nothing(world, hidden):
    elsewhere = people.create_team(name=f"Other {world.team.slug}", by=system())
    people.join(world.bob, elsewhere, "officer", by=system())
    leaves(world)
    assert held(world.bob, hidden) == []


def test_a_grant_without_a_role_gives_nothing_and_is_found(world, hidden):
    assert not found("named_without_role")
    for right in (VIEW, WORK):
        assign_perm(right, world.mallory, hidden)
    assert held(world.mallory, hidden) == []
    assert world.mallory not in candidates(hidden)
    [one] = found("named_without_role")
    assert (one.user, one.what) == (world.mallory.email, hidden.number)


def test_a_review_of_rights_counts_what_people_are_named_on_and_names_no_case(world, hidden, client):
    restricting.restrict(world.verification("L1"), to=[], by=world.bob, because="sensitive")
    person = people.create_user(
        email=f"admin-{world.team.slug}@example.com", name="Ada", password=PASSWORD, by=system()
    )
    people.join(person, world.team, "admin", by=system())
    client.force_login(User.objects.get(pk=person.pk), backend=BACKEND)
    page = client.get(reverse("staff:review")).content.decode()
    taken = b"".join(client.get(reverse("staff:people"), {"as": "csv"}).streaming_content).decode()
    for said in (page, taken):
        assert hidden.number not in said
    ours = {line.split(",")[0]: line for line in taken.splitlines() if "Restricted cases" in line}
    assert "Restricted cases: 1" in ours[world.alice.email]
    assert "Restricted cases: 2" in ours[world.bob.email]
    assert page.count("Restricted cases:") == len(ours) == 2


def test_the_last_one_gone_is_found_and_somebody_is_named(world, hidden, capsys):
    people.leave(world.alice, world.team, "agent", by=system())
    assert not found("seen_by_nobody")
    people.deactivate_user(world.bob, by=system())
    [one] = found("seen_by_nobody")
    assert one.what == hidden.number
    for nobody in (world.mallory, world.bob):
        with pytest.raises(CommandError):
            call_command("cases", "name-person", hidden.number, "--user", nobody.email)
    declare_conflict(world.erin, hidden.customer, by=world.erin)
    with pytest.raises(CommandError):
        call_command("cases", "name-person", hidden.number, "--user", world.erin.email)
    call_command("cases", "name-person", hidden.number, "--user", world.carol.email)
    assert held(world.carol, hidden) == [VIEW]
    assert not found("seen_by_nobody")
    assert Entry.objects.filter(action="cases.name_person", matter=hidden.number).count() == 1


def test_who_knows_the_player_is_nobody(world, hidden):
    people.leave(world.alice, world.team, "agent", by=system())
    declare_conflict(world.bob, hidden.customer, by=world.bob)
    assert [one.what for one in found("seen_by_nobody")] == [hidden.number]
    restricting.name_person(hidden, world.erin, by=system())
    restricting.unrestrict(hidden, by=world.erin)
    assert held(world.alice, hidden) == [] and held(world.carol, hidden) == [VIEW]
    assert not found("seen_by_nobody")
