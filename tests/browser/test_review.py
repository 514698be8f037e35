"""The review page of a real case in a browser: picture and declared data side by side, in a small window too."""

import json

import pytest
from django.urls import reverse

from audit import context
from compliance.keys.services import seal
from documents.models import Document
from tests.browser.looking import no_sideways_scroll, serve
from tests.papers import a_file, bring
from tests.world import a_world

pytestmark = [pytest.mark.browser, pytest.mark.django_db]
ZONE = {"surname": "YILDIRIM", "given_names": "ISIL", "birth_on": "1991-03-14", "number": "A12B34567"}


@pytest.fixture
def document_page(new_context, client):
    """The page of an identity card whose zone was read, in a window of 1366 x 768, without a server."""
    with context.use(context.new("test")):
        world = a_world()
        case = world.verification("L1", national_id="12345678950")
        evidence = bring(case, "identity_front", "national_id", by=world.alice, inspected=False)
    document = evidence.document
    facts = {"expires_on": {"value": "2031-01-02", "confidence": 97}, "mrz": {"value": "TD1", "confidence": 97}}
    said = json.dumps(ZONE | {"personal_number": "12345678950"}).encode()
    sealed = seal(document.audit_subject, "document_reading", said, aad=document.pk.bytes)
    Document.objects.filter(pk=document.pk).update(reading_sealed=sealed, facts=facts)
    client.force_login(world.alice)
    address = reverse("cases:review", kwargs={"number": case.number, "evidence_id": evidence.pk})
    html = client.get(address).content.decode()
    page = new_context().new_page()
    page.set_viewport_size({"width": 1366, "height": 768})
    picture = a_file(size=(1600, 1200))
    served = serve(page, html, path=address)
    page.route("**/page/1/", lambda route: route.fulfill(body=picture, content_type="image/jpeg"))
    page.goto(served)
    page.locator(".viewer img").evaluate("image => image.decode()")
    return page


def test_the_picture_and_every_row_that_is_compared_are_seen_together(document_page):
    rows = document_page.locator("table.compare tr")
    assert rows.count() >= 6
    boxes = [document_page.locator(".viewer img").bounding_box(), *(row.bounding_box() for row in rows.all())]
    assert boxes[0]["width"] > 400 and boxes[0]["height"] > 300
    for box in boxes:
        assert box["x"] >= 0 and box["x"] + box["width"] <= 1366
        assert box["y"] >= 0 and box["y"] + box["height"] <= 768
    no_sideways_scroll(document_page)
