"""Invented players and cases in bulk are rows like any other, and the log says where they came from."""

import json

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse

from audit.actors import system
from audit.models import Entry
from cases import numbers
from cases.demo.crowd import generate
from cases.models import Case, Queue
from cases.search import everywhere
from compliance.people.models import Customer

pytestmark = pytest.mark.django_db


@pytest.fixture
def crowd(world):
    queue, said = Queue.objects.get(team=world.team), []
    facts = {"customers": 60, "cases": 25, "by": system(), "seed": "try"}
    generate(queue, world.brand, say=lambda what, so_far: said.append((what, so_far)), **facts)
    assert said == [("customers", 60), ("cases", 25)]
    return world


def test_the_desk_works_with_them(crowd, client):
    client.force_login(crowd.alice)
    assert client.get(reverse("cases:queue"), {"view": "all"}).content.decode().count('class="key"') == 25
    case = Case.objects.first()
    assert client.get(reverse("cases:case", args=[case.number])).status_code == 200
    exact, _similar = everywhere(case.account.reference, user=crowd.alice)
    assert [found.number for found in exact] == [case.number]
    assert Customer.objects.named_like(case.customer.full_name).filter(pk=case.customer_id).exists()


def test_their_numbers_are_real_and_the_series_goes_on_after_them(crowd):
    given = list(Case.objects.values_list("number", flat=True))
    assert [numbers.parse(number) for number in given] == given
    assert crowd.verification("L1").number not in given


def test_the_log_has_one_entry_for_the_batch(crowd):
    (entry,) = Entry.objects.filter(action="demo.generate")
    assert json.loads(bytes(entry.entry))["data"] == {"customers": 60, "cases": 25, "seed": "try"}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [(["--customers", "2", "--cases", "3"], "at most as many"), ([], "demo seed")],
)
def test_what_cannot_be_added_is_said(world, arguments, words, monkeypatch):
    if arguments:
        monkeypatch.setattr("cases.demo.management.commands.demo.TEAM", world.team.slug)
        monkeypatch.setattr("cases.demo.management.commands.demo.LICENSEE", world.licensee.slug)
    with pytest.raises(CommandError, match=words) as refused:
        call_command("demo", "crowd", *arguments)
    assert refused.value.returncode == 2
