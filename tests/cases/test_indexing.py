"""Players and papers of before an index was there are found by it once it is filled, even if a run was cut off."""

import json
from io import StringIO

import pytest
from django.core.management import call_command

from audit import context
from audit.models import Entry
from cases.search import everywhere
from compliance.keys.services import seal
from compliance.people.indexing import fill_customers
from compliance.people.models import Customer
from documents.indexing import fill_documents
from documents.models import Document
from tests.papers import bring
from tests.world import a_world

pytestmark = pytest.mark.django_db


class Cut(Exception):
    """The run is killed here."""


def cut(done, total):
    raise Cut


@pytest.fixture
def world():
    with context.use(context.new("test")):
        yield a_world()


def hits(text, world):
    return [hit.number for hit in everywhere(text, user=world.alice).exact]


def test_players_of_before_are_found_again_and_a_cut_run_goes_on(world):
    names = ["Ольга Иванова", "Анна Петрова", "Иван Смирнов", "Alice Smith"]
    cases = [
        world.verification("L1", full_name=name, national_id=f"ZZ{n}{n}98{n}", nationality="GB")
        for n, name in enumerate(names)
    ]
    before = {
        row.pk: (bytes(row.national_id_tail_index), row.name_latin)
        for row in Customer.objects.exclude(national_id_sealed=None)
    }
    assert hits("1981", world) == [cases[1].number]
    Customer.objects.update(national_id_tail_index=None, name_latin="")
    assert hits("1981", world) == []
    with pytest.raises(Cut):
        fill_customers(say=cut, batch=2)
    assert Customer.objects.exclude(national_id_tail_index=None).count() == 2
    erased = Customer.objects.get(pk=cases[3].customer_id)
    Customer.objects.filter(pk=erased.pk).update(national_id_sealed=b"not what was sealed", national_id_tail_index=None)
    out = StringIO()
    with pytest.raises(SystemExit) as status:
        call_command("people", "index", "--json", stdout=out)
    assert status.value.code == 1 and json.loads(out.getvalue())["unreadable"] == 1
    after = {
        row.pk: (row.national_id_tail_index and bytes(row.national_id_tail_index), row.name_latin)
        for row in Customer.objects.exclude(national_id_sealed=None)
    }
    assert after | {erased.pk: before[erased.pk]} == before
    assert hits("1981", world) == [cases[1].number]
    assert fill_customers().filled == 0
    assert Entry.objects.filter(action="people.index").count() == 1


def test_papers_of_before_are_found_by_their_last_four(world):
    case = world.verification("L1")
    document = bring(case, "identity_front", "passport", by=world.alice).document
    plain = seal(document.audit_subject, "document_reading", b'{"number": "U12348901"}', aad=document.pk.bytes)
    Document.objects.filter(pk=document.pk).update(reading_sealed=plain, number_tail_index=None)
    assert hits("8901", world) == []
    out = StringIO()
    call_command("documents", "index", "--json", stdout=out)
    assert json.loads(out.getvalue()) == {"read": 1, "filled": 1, "unreadable": 0}
    assert hits("8901", world) == [case.number]
    assert fill_documents().read == 0
