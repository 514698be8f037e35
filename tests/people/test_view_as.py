"""What somebody else sees, without any content; and what people hold beside roles, in the review and its file."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from audit import context
from audit.actors import system
from audit.models import Entry
from cases import restricting
from cases import services as engine
from compliance.people import services as people
from compliance.platform import services as platform
from compliance.platform.scopes import Scope
from tests.world import a_world, an_administrator


@pytest.fixture
def world(db):
    with context.use(context.new("test")):
        yield a_world()


@pytest.fixture
def dave(world, client):
    dave = an_administrator(world)
    client.force_login(dave)
    return dave


def seen(client, person):
    answer = client.get(reverse("cases:view-as", args=[person.pk]))
    assert answer.status_code == 200
    return answer.context, answer.content.decode()


def counts(context):
    return {str(item["label"]): item["count"] for part in context["sections"] for item in part["items"]}


def test_counts_are_those_of_the_person_and_no_player_is_named(world, client, dave):
    cases = [world.verification("L1") for _one in range(2)]
    engine.assign(cases[0], to=world.alice, by=world.bob)
    context, page = seen(client, world.alice)
    assert counts(context)["My open cases"] == 1
    assert 2 in counts(context).values(), "the queue of her team"
    assert "Yıldırım" not in page and cases[0].number not in page
    assert f"{cases[0].customer_id}" not in page
    assert set(counts(seen(client, world.mallory)[0]).values()) <= {0, None}, "another team"
    assert Entry.objects.filter(action="access.view_as", actor_id=str(dave.pk)).count() == 2


def test_nothing_of_the_aml_side_and_nothing_of_who_left(world, client, dave):
    ken = people.create_user(email="ken@example.com", name="Ken", by=system())
    people.join(ken, world.team, "analyst", by=system())
    context, page = seen(client, ken)
    assert "sections" not in context and "not shown to anybody else" in page
    people.deactivate_user(world.alice, by=system())
    assert "this person sees nothing" in seen(client, world.alice)[1]


def test_it_is_for_who_looks_after_staff(world, client):
    client.force_login(world.alice)
    assert client.get(reverse("cases:view-as", args=[world.bob.pk])).status_code == 403


def held(world):
    case = restricting.restrict(world.verification("L1"), to=[world.alice], by=world.bob, because="sensitive")
    expires = timezone.now() + timedelta(days=30)
    facts = {"owner": world.bob, "licensee": world.licensee, "created_by": world.erin, "by": system()}
    key, _token = platform.issue_key(name="platform", scopes=[Scope.CASES_READ], expires_at=expires, **facts)
    return case, key


def test_the_review_names_keys_and_counts_restricted_cases(world, client, dave):
    case, key = held(world)
    page = client.get(reverse("staff:review")).content.decode()
    part = page[page.index("Held beside roles") :]
    assert "Restricted cases: " in part and key.prefix in part and "cases:read" in part
    assert case.number not in part, "which, only those named on them may know"
    platform.revoke_key(key, by=system())
    restricting.unrestrict(case, by=world.bob)
    assert "Held beside roles" not in client.get(reverse("staff:review")).content.decode()


def test_so_does_its_file(world, client, dave):
    case, key = held(world)
    lines = b"".join(client.get(reverse("staff:people"), {"as": "csv"}).streaming_content).decode().splitlines()
    [of_key] = [line for line in lines if key.prefix in line]
    assert world.bob.email in of_key and world.licensee.slug in of_key and world.erin.email in of_key
    assert case.number not in "".join(lines)
    named = [line for line in lines if "Restricted cases: 1" in line]
    assert {world.alice.email, world.bob.email} == {line.split(",")[0].strip('"') for line in named}
