"""One file proves several things: offered for a second purpose later, in one act, and judged for each apart."""

import re

import pytest
from django.urls import reverse

from audit.models import Entry
from audit.perform import ConditionsNotMet, Denied
from cases import reusing
from cases import services as engine
from cases.models import Evidence
from cases.types.verification import services as verification
from documents.models import Document
from tests.papers import bring

pytestmark = pytest.mark.django_db


@pytest.fixture
def case(world):
    return verification.review(world.verification("L3"), by=world.alice)


@pytest.fixture
def statement(world, case):
    """A bank statement, offered as proof of address."""
    return bring(case, "address", "bank_statement", by=world.alice, inspected=False)


def again(evidence, purpose, *, by, to=None, paper="bank_statement"):
    return reusing.use_also(evidence, to or evidence.case, purpose=purpose, document_type=paper, by=by)


def test_an_agent_offers_it_from_the_page_and_each_purpose_has_its_own_verdict(world, case, statement, client):
    engine.accept(statement, by=world.alice)
    client.force_login(world.alice)
    page = client.get(reverse("cases:review", args=[case.number, statement.pk])).content.decode()
    offered = re.findall(r'value="(\w+:\w+)"', re.search(r'<select name="also".*?</select>', page, re.DOTALL)[0])
    assert "funds:bank_statement" in offered and not [one for one in offered if one.startswith("address")]
    address = reverse("cases:use-also", args=[case.number, statement.pk])
    assert client.post(address, {"also": "address:utility_bill"}).status_code == 422
    answer = client.post(address, {"also": "funds:bank_statement"})
    second = case.evidence.get(purpose="funds")
    assert answer.url == reverse("cases:review", args=[case.number, second.pk])
    assert (second.document_id, second.state, Document.objects.count()) == (statement.document_id, "pending", 1)
    entry = Entry.objects.filter(action="evidence.attach").latest("id")
    assert b'"also":"address"' in bytes(entry.entry) and str(world.alice.pk).encode() in bytes(entry.entry)
    engine.ask_again(second, by=world.alice, reasons=["screenshot"])
    statement.refresh_from_db()
    assert statement.state == "accepted"
    third = again(statement, "payment_ownership", by=world.bob)
    engine.accept(third, by=world.bob)
    assert set(case.evidence.values_list("purpose", "state")) == {
        ("address", "accepted"),
        ("funds", "returned"),
        ("payment_ownership", "accepted"),
    }


def test_a_file_of_a_finished_case_serves_the_one_that_is_open(world, case, statement):
    verification.withdraw(case, by=world.alice)
    case.refresh_from_db()
    assert reusing.case_for(case, by=world.alice) is None
    later = verification.open(case.account, level="L3", by=world.alice)
    assert reusing.case_for(case, by=world.alice) == later
    second = again(statement, "funds", by=world.alice, to=later)
    assert (second.case_id, second.document_id) == (later.pk, statement.document_id)


def test_what_it_cannot_be_used_for_is_said(world, case, statement):
    with pytest.raises(Denied):
        again(statement, "funds", by=world.carol)
    for purpose, paper in (("address", "bank_statement"), ("identity_front", "bank_statement"), ("wealth", "x")):
        with pytest.raises(ConditionsNotMet, match="cannot be offered"):
            again(statement, purpose, by=world.alice, paper=paper)
    stranger = world.verification("L3", full_name="Ali Veli")
    with pytest.raises(Denied, match="another player"):
        again(statement, "funds", by=world.alice, to=stranger)
    engine.reject(statement, by=world.alice, reasons=["document_altered"])
    with pytest.raises(ConditionsNotMet, match="refused for good"):
        again(statement, "funds", by=world.alice)
    assert case.evidence.count() == 1


def test_the_last_thing_waited_for_may_be_here_already(world, case, statement):
    """What the player was asked for was in the house: the case goes on without them."""
    verification.ask(case, by=world.alice, missing=["funds"])
    again(Evidence.objects.get(pk=statement.pk), "funds", by=world.alice)
    case.refresh_from_db()
    assert case.state == "in_review"
