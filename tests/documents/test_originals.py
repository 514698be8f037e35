"""What a browser gets of a file: pictures by addresses that expire, and the original for who has a right and a
reason.
"""

import io
import time
from datetime import timedelta

import pytest
import time_machine
from django.urls import reverse
from django.utils import timezone

from audit.models import Entry
from cases import services as engine
from compliance.people.access.confirmation import SIGNED_IN_AT
from documents import links
from documents.inspection import inspect_now
from documents.uploads import seal_file
from tests.documents import samples
from tests.world import a_world

pytestmark = pytest.mark.django_db
REASON = {"reason": "authority", "note": "Letter of 12 November"}


@pytest.fixture
def world(db):
    return a_world()


@pytest.fixture
def data():
    return samples.photo(900, 700)


@pytest.fixture
def evidence(world, data):
    case = world.verification()
    upload = seal_file(customer=case.customer, name="kimlik ön.jpg", stream=io.BytesIO(data))
    evidence = engine.bring(case, upload, purpose="identity_front", document_type="national_id", by=world.alice)
    inspect_now(evidence.document_id)
    return evidence


@pytest.fixture
def as_(client):
    """The browser of somebody who signed in `ago` seconds ago."""

    def as_(user, ago=0):
        client.force_login(user)
        session = client.session
        session[SIGNED_IN_AT] = time.time() - ago
        session.save()
        return client

    return as_


def address(route, evidence, **at):
    return reverse(f"cases:{route}", kwargs={"number": evidence.case.number, "evidence_id": evidence.pk, **at})


def test_an_officer_who_says_why_gets_the_original_byte_for_byte(as_, world, evidence, data):
    browser = as_(world.bob)
    page = address("original", evidence)
    assert page in browser.get(address("review", evidence)).content.decode()
    assert "kimlik ön.jpg" in browser.get(page).content.decode()
    asked = browser.post(page, REASON)
    assert asked.status_code == 302
    answer = browser.get(asked["Location"])
    assert (answer.status_code, answer.getvalue()) == (200, data)
    assert answer["Content-Disposition"].startswith("attachment; filename*=UTF-8''kimlik%20%C3%B6n.jpg")
    assert answer["Content-Security-Policy"].startswith("sandbox; default-src 'none'")
    assert (answer["X-Content-Type-Options"], answer["Cache-Control"]) == ("nosniff", "private, no-store")
    part = browser.get(asked["Location"], headers={"Range": "bytes=7-19", "If-Range": answer["ETag"]})
    assert (part.status_code, part.getvalue()) == (206, data[7:20])
    released = Entry.objects.get(action="documents.release_original", object_id=str(evidence.document_id))
    said = bytes(released.entry)
    assert (released.actor_id, released.matter) == (str(world.bob.pk), evidence.case.number)
    assert b'"authority"' in said and b"Letter" not in said  # the words are sealed
    assert Entry.objects.filter(action="audit.read", object_id=str(evidence.document_id)).count() == 1


def test_who_has_no_right_is_refused_and_that_is_recorded(as_, world, evidence, refusals):
    page = address("original", evidence)
    for user, status in ((world.alice, 403), (world.carol, 403), (world.mallory, 404)):
        browser = as_(user)
        assert browser.get(page).status_code == browser.post(page, REASON).status_code == status
        link = links.link_to(f"take-original:{evidence.pk}", viewer=user)  # even a link that is theirs
        assert browser.get(address("take-original", evidence, link=link)).status_code == status
    assert page not in as_(world.alice).get(address("review", evidence)).content.decode()
    assert len(refusals("documents.release_original", evidence.document_id)) == 6
    assert not Entry.objects.filter(action="documents.release_original", outcome="done").exists()


@pytest.mark.parametrize("typed", [{}, {"reason": "curious"}, {"reason": "other", "note": "  "}])
def test_without_a_reason_nothing_is_given(as_, world, evidence, typed):
    answer = as_(world.bob).post(address("original", evidence), typed)
    assert answer.status_code == 422
    assert 'role="alert"' in answer.content.decode()
    assert not Entry.objects.filter(action="documents.release_original").exists()


def test_who_signed_in_long_ago_is_asked_again(as_, world, evidence):
    page, browser = address("original", evidence), as_(world.bob, ago=3600)
    asked = browser.get(page)
    assert (asked.status_code, asked["Location"].partition("?")[0]) == (302, reverse("account_reauthenticate"))
    assert browser.post(page, REASON).status_code == 302
    assert not Entry.objects.filter(action="documents.release_original").exists()


def test_an_address_opens_for_its_viewer_within_a_minute(as_, world, evidence):
    taken = as_(world.bob).post(address("original", evidence), REASON)["Location"]
    picture = as_(world.bob).get(address("image", evidence, page=1))["Location"]
    assert as_(world.erin).get(taken).status_code == 404
    assert as_(world.alice).get(picture).status_code == 404
    browser = as_(world.bob)
    assert browser.get(picture.replace("/page/1/", "/page/2/")).status_code == 404
    assert browser.get(picture[:-2] + "/").status_code == 404
    assert browser.get(picture).status_code == 200
    with time_machine.travel(timezone.now() + timedelta(seconds=links.SECONDS + 2)):
        assert browser.get(picture).status_code == browser.get(taken).status_code == 404
        assert browser.get(address("image", evidence, page=1), follow=True).status_code == 200


def test_a_picture_is_never_given_in_parts_and_never_runs(as_, world, evidence, data):
    answer = as_(world.alice).get(address("image", evidence, page=1), follow=True, headers={"Range": "bytes=0-9"})
    assert (answer.status_code, answer["Accept-Ranges"], answer["Content-Type"]) == (200, "none", "image/jpeg")
    assert answer["Content-Security-Policy"].startswith("sandbox; default-src 'none'")
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer.content != data
