"""Undo for light acts: ten seconds, by whoever did it, as long as nobody touched the case; the undo is an entry too."""

import re
from datetime import timedelta

import pytest
import time_machine
from django.urls import reverse
from django.utils import timezone

from audit.models import Entry
from cases import services as engine
from cases import undoing
from cases.models import Case
from cases.snooze import REASONS, snooze
from cases.tags import services as tags

pytestmark = pytest.mark.django_db


@pytest.fixture
def case(world):
    return world.verification("L1")


@pytest.fixture
def desk(client, world):
    client.force_login(world.alice)
    return client


def act(client, route, case, **data):
    """Do it as the page does; the token of the undo that the next page offers."""
    page = client.post(reverse(f"cases:{route}", args=[case.number]), data, follow=True).content.decode()
    found = re.search(r'class="undo".*?name="what" value="([^"]+)"', page)
    return found and found[1]


def undo(client, token, follow=True):
    return client.post(reverse("cases:undo"), {"what": token}, follow=follow)


def test_each_light_act_is_undone_by_its_opposite_with_an_entry(world, desk, case):
    tag = tags.make(world.licensee, "bonus", by=world.bob)
    fresh = lambda: Case.objects.get(pk=case.pk)  # noqa: E731
    told = lambda name: Entry.objects.filter(action=name, matter=case.number).count()  # noqa: E731
    engine.assign(case, to=world.erin, by=world.bob)

    given = told("cases.assign")
    assert "Undone." in undo(desk, act(desk, "take_over", case)).content.decode()
    assert fresh().assignee == world.erin and told("cases.assign") == given + 2
    undo(desk, act(desk, "assign", case, to=""), follow=False)
    assert fresh().assignee == world.erin

    undo(desk, act(desk, "tag", case, put=str(tag.pk)), follow=False)
    assert not case.tagged.exists() and (told("tags.put"), told("tags.take_off")) == (1, 1)
    tags.put(case, tag, by=world.bob)
    undo(desk, act(desk, "tag", case, off=str(tag.pk)), follow=False)
    assert case.tagged.exists()

    asked = {"returns": "1", "because": next(iter(REASONS))}
    slept = desk.post(reverse("cases:snooze", args=[case.number]), asked, follow=True).content.decode()
    assert fresh().sleeps
    undo(desk, re.search(r'name="what" value="([^"]+)"', slept)[1], follow=False)
    assert not fresh().sleeps
    snooze(case, until=timezone.now() + timedelta(days=2), because=asked["because"], by=world.alice)
    undo(desk, act(desk, "wake", case), follow=False)
    assert fresh().sleeps


def test_not_too_late_not_by_somebody_else_and_not_over_what_came_since(world, desk, client, case):
    token = act(desk, "take_over", case)
    with time_machine.travel(timezone.now() + undoing.SHOWN_FOR + undoing.GRACE + timedelta(seconds=2), tick=False):
        late = undo(desk, token)
    assert "ten seconds" in late.content.decode()
    assert "nothing to undo" in undo(desk, token[:-3] + "abc").content.decode()
    engine.assign(case, to=world.erin, by=world.bob)  # somebody else acted meanwhile
    assert undo(desk, token).status_code == 409
    assert Case.objects.get(pk=case.pk).assignee == world.erin
    client.force_login(world.bob)
    assert "nothing to undo" in undo(client, token).content.decode()
    assert Case.objects.get(pk=case.pk).assignee == world.erin


def test_columns_are_chosen_kept_in_the_address_and_in_a_saved_view(world, desk, case):
    queue = reverse("cases:queue")
    page = desk.get(queue, {"view": "all", "cols": ["due", "why", "nonsense"]}).content.decode()
    assert "c-due" in page and "c-why" in page and "c-who" not in page and "c-by" not in page
    assert "cols=why%2Cdue" in page  # whatever leads on keeps them
    desk.post(reverse("cases:save-view"), {"view": "all", "cols": "why,due", "name": "Kısa"})
    assert "c-who" not in desk.get(queue + "?view=all&cols=why%2Cdue").content.decode()
    assert "c-who" in desk.get(queue, {"view": "all", "cols": "nonsense"}).content.decode()
