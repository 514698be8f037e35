"""A team's defaults stand between the product's and a person's own choice; what a manager fixes, nobody changes."""

import pytest
from django.urls import reverse

from audit.actors import system
from audit.models import Entry
from audit.perform import Denied
from cases.notices import choosing
from cases.notices.hours import NORMAL_HOURS
from cases.notices.kinds import KINDS
from compliance.people.services import create_team, create_user, join

pytestmark = pytest.mark.django_db
OFF, PAGE, BOTH = (False, False), (True, False), (True, True)


@pytest.fixture
def lead(world):
    user = create_user(email="lead@example.com", name="Lea", password=None, by=system())
    join(user, world.team, "manager", by=system())
    return user


def matrix(**changed):
    return {name: (kind.page, kind.mail) for name, kind in KINDS.items()} | changed


def test_own_choice_before_the_teams_before_the_products_and_what_is_fixed_before_all(world, lead):
    choosing.choose(world.erin, matrix(watched=OFF, at_risk=OFF), NORMAL_HOURS)
    wanted = matrix(watched=BOTH, at_risk=PAGE, breached=PAGE, care=OFF)
    choosing.set_defaults(world.team, wanted, fixed=["at_risk", "care"], by=lead)
    erin, bob = (choosing.choices_of(user) for user in (world.erin, world.bob))
    assert (erin["watched"], bob["watched"]) == (OFF, BOTH)
    assert (erin["at_risk"], bob["at_risk"]) == (PAGE, PAGE)
    assert erin["breached"] == PAGE and erin["care"] == BOTH and erin["mention"] == BOTH
    assert choosing.choices_of(world.mallory) == matrix()  # of another team
    choosing.choose(world.erin, matrix(watched=BOTH, at_risk=BOTH), NORMAL_HOURS)
    assert choosing.choices_of(world.erin)["at_risk"] == PAGE
    other = create_team(name="Other", slug="other", by=system())
    join(lead, other, "manager", by=system())
    join(world.bob, other, "officer", by=system())
    choosing.set_defaults(other, matrix(breached=BOTH, watched=OFF), fixed=[], by=lead)
    assert choosing.choices_of(world.bob)["watched"] == BOTH  # what any of the teams tells
    assert Entry.objects.filter(action="notices.set_defaults").count() == 2


def test_the_page_is_for_the_managers_of_the_team(world, lead, client):
    page = reverse("cases:team-notices", args=[world.team.slug])
    with pytest.raises(Denied):
        choosing.set_defaults(world.team, matrix(), fixed=[], by=world.bob)
    client.force_login(world.bob)
    assert client.get(page).status_code == 404
    client.force_login(lead)
    assert page in client.get(reverse("cases:notice-settings")).content.decode()
    on = {f"{name}_{way}": "on" for name in KINDS for way in ("page", "mail") if name != "watched"}
    assert client.post(page, on | {"mention_fixed": "on"}).status_code == 302
    assert choosing.choices_of(world.erin)["watched"] == OFF
    assert "mention" in choosing.fixed_for(world.erin)
    client.force_login(world.erin)
    assert "Set by your team." in client.get(reverse("cases:notice-settings")).content.decode()
