"""Invented players and cases in bulk are rows like any other, and the log says where they came from."""

import io
import json

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse

from audit.actors import system
from audit.models import Entry
from cases import numbers
from cases.demo.crowd import generate
from cases.models import Case, Evidence, Queue
from cases.search import everywhere
from compliance.people.models import Customer
from documents.models import Document

pytestmark = pytest.mark.django_db


@pytest.fixture
def crowd(world):
    queue, said = Queue.objects.get(team=world.team), []
    facts = {"customers": 60, "cases": 25, "by": system(), "seed": "try"}
    generate(queue, world.brand, documents=120, say=lambda *so_far: said.append(so_far), **facts)
    assert said == [("customers", 60, 60), ("documents", 120, 120), ("cases", 25, 25)]
    return world


def test_the_desk_works_with_them(crowd, client):
    client.force_login(crowd.alice)
    assert client.get(reverse("cases:queue"), {"view": "all"}).content.decode().count('class="key"') == 25
    case = Case.objects.first()
    assert client.get(reverse("cases:case", args=[case.number])).status_code == 200
    hits = everywhere(case.account.reference, user=crowd.alice)
    assert [found.number for found in hits.exact] == [case.number]
    assert Customer.objects.named_like(case.customer.full_name).filter(pk=case.customer_id).exists()


def test_their_numbers_are_real_and_the_series_goes_on_after_them(crowd):
    given = list(Case.objects.values_list("number", flat=True))
    assert [numbers.parse(number) for number in given] == given
    assert crowd.verification("L1").number not in given


def test_the_log_has_one_entry_for_the_batch(crowd):
    (entry,) = Entry.objects.filter(action="demo.generate")
    assert json.loads(bytes(entry.entry))["data"] == {"customers": 60, "cases": 25, "documents": 120, "seed": "try"}


def test_a_case_has_the_papers_that_its_state_says(crowd, client):
    assert Document.objects.count() == 120
    states = {
        state: set(Evidence.objects.filter(case__state=state).values_list("purpose", "state"))
        for state in Case.objects.values_list("state", flat=True)
    }
    assert states["waiting"] == {("identity_front", "accepted"), ("address", "returned")}
    assert states["open"] == {("identity_front", "pending"), ("address", "pending")}
    client.force_login(crowd.alice)
    case = Case.objects.filter(state="in_review").first()
    file = case.evidence.get(state="pending")
    page = client.get(reverse("cases:review", args=[case.number, file.pk]))
    assert page.status_code == 200


def generated(*arguments, out=None):
    call_command("cases", "generate", "--seed", "TRY", "--json", "--no-progress", *arguments, stdout=out)


def test_the_command_fills_the_queue_that_it_is_told(world, client):
    said = io.StringIO()
    where = ["--licensee", world.licensee.slug, "--team", world.team.slug]
    generated("--customers", "10", "--cases", "3", "--documents", "15", *where, out=said)
    assert json.loads(said.getvalue()) == {"seed": "TRY", "customers": "10", "cases": "3", "documents": "15"}
    real = Document.objects.exclude(name_sealed=None)
    assert (Document.objects.count(), real.count(), Case.objects.count()) == (15, 15, 3 + 8)
    assert set(real.values_list("state", flat=True)) == {"ready"}
    with pytest.raises(CommandError, match="used before"):
        generated(*where)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--customers", "2", "--cases", "3"], "at most as many"),
        ([], "several queues"),
        (["--team", "none"], "no such"),
    ],
)
def test_what_cannot_be_generated_is_said(world, arguments, words):
    with pytest.raises(CommandError, match=words) as refused:
        generated(*arguments)
    assert refused.value.returncode == 2


def test_nothing_is_invented_in_production(world, settings):
    settings.IN_PRODUCTION = True
    with pytest.raises(CommandError, match="production"):
        generated()
