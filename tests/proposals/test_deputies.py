"""Somebody was named to decide and is away: the deputy decides, never the maker, and with a right of their own."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from audit.models import Entry
from audit.perform import ConditionsNotMet, Denied
from compliance.people.duty import services as duty
from compliance.people.models import Membership
from compliance.people.staff import team_group
from compliance.proposals import queries
from compliance.proposals.models import State
from compliance.proposals.services import OtherCheckerNamed, SamePerson, confirm, name_checker, propose
from tests.proposals.conftest import NAME

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


def away(user, deputy):
    now = timezone.now()
    return duty.be_away(user, deputy=deputy, starts_at=now - HOUR, ends_at=now + HOUR, by=user)


@pytest.fixture
def named(who, team):
    return propose(NAME, team, by=who.alice, reason="growing", checker=who.bob)


def test_the_deputy_sees_it_and_decides(named, who, rename):
    assert not queries.waiting_for(who.erin).exists()
    with pytest.raises(OtherCheckerNamed):
        confirm(named, by=who.erin)
    away(who.bob, who.erin)
    assert list(queries.waiting_for(who.erin)) == [named]
    assert confirm(named, by=who.erin).state == State.PERFORMED
    assert len(rename.runs) == 1


def test_the_maker_is_no_deputy_for_this(named, who, rename):
    away(who.bob, who.alice)
    for again in (who.alice, who.alice_again, who.alices_key):
        with pytest.raises(SamePerson):
            confirm(named, by=again)
    assert not queries.waiting_for(who.alice).exists()
    assert rename.runs == []


def test_a_deputy_without_the_right_decides_nothing(named, who, rename):
    away(who.bob, who.carol)
    with pytest.raises(Denied):
        confirm(named, by=who.carol)
    assert not queries.waiting_for(who.carol).exists()


def test_when_the_absence_ends_so_does_the_deputys_say(named, who):
    duty.be_back(away(who.bob, who.erin), by=who.bob)
    with pytest.raises(OtherCheckerNamed):
        confirm(named, by=who.erin)


def test_the_maker_names_somebody_else(named, who):
    assert name_checker(named, checker=who.erin, by=who.alice).named_checker == who.erin
    with pytest.raises(OtherCheckerNamed):
        confirm(named, by=who.bob)
    with pytest.raises(ConditionsNotMet):
        name_checker(named, checker=who.alice_again, by=who.alice)
    with pytest.raises(Denied):
        name_checker(named, checker=who.bob, by=who.bob)
    assert confirm(named, by=who.erin).state == State.PERFORMED
    assert Entry.objects.filter(action="proposals.name_checker", outcome="done").count() == 1


def test_the_page_says_who_is_away_and_who_stands_in(named, who, team, client):
    absence = away(who.bob, who.erin)
    client.force_login(who.erin)
    text = client.get(reverse("proposals:detail", args=[named.pk])).content.decode()
    assert "Bob is away and you stand in." in text
    assert reverse("proposals:confirm", args=[named.pk]) in text
    for person in (who.alice, who.erin, who.carol):
        Membership.objects.create(user=person, team=team, role="officer", group=team_group(team, "officer"))
    duty.be_back(absence, by=who.bob)
    client.force_login(who.alice)
    page = reverse("proposals:detail", args=[named.pk])
    offered = client.get(page).content.decode()
    assert f'value="{who.erin.pk}"' in offered and f'value="{who.carol.pk}"' not in offered
    answer = client.post(reverse("proposals:name_checker", args=[named.pk]), {"checker": str(who.erin.pk)})
    assert (answer.status_code, answer.url) == (302, page)
    for other in (who.alice, who.carol):  # Carol is of the team and may not decide it
        wrong = client.post(reverse("proposals:name_checker", args=[named.pk]), {"checker": str(other.pk)})
        assert wrong.status_code == 422
