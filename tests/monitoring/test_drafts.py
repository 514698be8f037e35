"""What is typed on the AML side stays in its compartment: no page of it keeps a draft."""

from uuid import uuid4

import pytest
from django.urls import reverse

from cases.drafts.models import Draft
from cases.types.monitoring.reports import services as reports
from cases.types.monitoring.rules.models import Flag, Rule
from compliance.proposals.models import Proposal
from tests.browser.routes import addresses
from tests.monitoring.conftest import an_investigation, suspicion
from tests.monitoring.histories import a_rule, report, row

pytestmark = pytest.mark.django_db
WORDS = "Üç hesaptan para geliyor"


class Sample(dict):
    """Values of addresses; what has none leads to nothing that is there."""

    def __missing__(self, name):
        return uuid4() if name.endswith("_id") else "1"


@pytest.fixture
def values(world, aml, client):
    ken, judy = aml
    account, found = world.account(), an_investigation(world, judy)
    a_rule("T01", by=ken)
    a_rule("T01", by=ken, live=False, cool_down_hours=48)
    report(world.licensee, [row(account, n) for n in range(3)], by=world.alice)
    client.force_login(ken)
    version = {"code": "T01", "number": 2}
    client.post(reverse("cases:monitoring-rule-shadow", kwargs=version))
    told = {"reason": "tuning", "note": "Too many"}
    assert client.post(reverse("cases:monitoring-rule-propose", kwargs=version), told).status_code == 302
    return Sample(
        number=found.number,
        report_id=reports.draft(found, kind="STR", by=ken).pk,
        flag_id=Flag.objects.get().pk,
        code=Rule.objects.first().code,
        kind="suspicion",
        source_id=suspicion(world, world.account().customer).pk,
        proposal_id=Proposal.objects.get().pk,
    )


def test_no_page_of_the_aml_side_keeps_what_is_typed(aml, client, values):
    """Every address under /aml/, from the URL conf: nobody keeps a list of pages."""
    client.force_login(aml[1])
    pages = {}
    for address in addresses(lambda rule: True, values):
        if address.startswith("/aml/"):
            answer = client.get(address)
            if answer.status_code == 200 and "<textarea" in (text := answer.content.decode()):
                pages[address] = "data-draft" in text
    assert len(pages) > 5, pages
    assert reverse("cases:aml-report", args=[values["report_id"]]) in pages
    assert reverse("aml-proposals:detail", args=[values["proposal_id"]]) in pages
    assert not [address for address, keeps in pages.items() if keeps]


@pytest.mark.parametrize(("page", "status"), [("/aml/reports/1/", 404), ("/exceptions/open/", 200)])
def test_the_door_keeps_nothing_of_a_page_of_before(aml, client, page, status):
    client.force_login(aml[0])
    given = {"draft_field": "note", "note": WORDS}
    headers = {"HX-Request": "true", "HX-Current-URL": f"https://mizan.example{page}?number=1"}
    place = reverse("cases:draft-of-field", args=["f-0123456789abcdef01"])
    assert client.post(place, given, headers=headers).status_code == status
    assert Draft.objects.exists() is (status == 200)
