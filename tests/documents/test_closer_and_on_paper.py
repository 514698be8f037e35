"""Looking closer and printing: each is an entry of its own, with what it was for."""

import json
from urllib.parse import urlsplit

import pytest
from django.urls import reverse

from audit.models import Entry
from audit.packing import unpack
from tests.papers import a_file, bring
from tests.world import a_world

pytestmark = pytest.mark.django_db
REASON = {"reason": "authority", "note": "Letter of 12 November"}


@pytest.fixture
def world(db):
    return a_world()


@pytest.fixture
def evidence(world):
    case = world.verification()
    return bring(case, "identity_front", "national_id", by=world.alice, data=a_file(size=(2800, 1200)), inspected=False)


def at(route, evidence, **more):
    return reverse(f"cases:{route}", kwargs={"number": evidence.case.number, "evidence_id": evidence.pk, **more})


def reads(evidence):
    """(purpose, view id) of each entry that says the file was looked at."""
    found = Entry.objects.filter(action="audit.read", object_id=str(evidence.document_id)).order_by("created_at")
    said = [json.loads(unpack(bytes(entry.entry)))["data"] for entry in found]
    return [(one["purpose"], one["view"]) for one in said]


def test_looking_closer_is_a_read_of_its_own_once_in_a_sitting(client, world, evidence):
    client.force_login(world.alice)
    door = at("image", evidence, page=1)
    assert f'data-full="{door}?look=full"' in client.get(at("review", evidence)).content.decode()
    plain = client.get(door, follow=True)
    for _again in range(2):
        closer = client.get(f"{door}?look=full", follow=True)
    assert closer.status_code == 200 and len(closer.content) > len(plain.content)
    (first, seen), (second, closer_seen) = reads(evidence)
    assert (first, second) == ("review", "review_full") and seen != closer_seen


def test_a_link_opens_the_look_that_it_was_made_for(client, world, evidence):
    client.force_login(world.alice)
    door = at("image", evidence, page=1)
    given = client.get(f"{door}?look=full")["Location"]
    assert client.get(urlsplit(given).path).status_code == 404
    assert client.get(f"{urlsplit(given).path}?look=print").status_code == 404
    assert client.get(f"{door}?look=whole").status_code == 404
    assert reads(evidence) == []


def test_who_works_on_the_case_prints_marked_pages_for_a_reason(client, world, evidence):
    client.force_login(world.alice)
    page = at("print-file", evidence)
    assert page in client.get(at("review", evidence)).content.decode()
    assert client.get(page).status_code == 200
    assert client.get(f"{at('image', evidence, page=1)}?look=print").status_code == 403, "no reason was given"
    assert not Entry.objects.filter(action="documents.print", outcome="done").exists()
    pages = client.post(page, REASON)
    door = f"{at('image', evidence, page=1)}?look=print"
    assert pages.status_code == 200 and f'src="{door}"' in pages.content.decode()
    assert client.get(door, follow=True)["Content-Type"] == "image/jpeg"
    client.force_login(world.erin)
    assert client.get(door).status_code == 403, "somebody else's reason"
    entry = Entry.objects.get(action="documents.print", object_id=str(evidence.document_id), outcome="done")
    said = bytes(entry.entry)
    assert (entry.actor_id, entry.matter) == (str(world.alice.pk), evidence.case.number)
    assert b'"authority"' in said and b"Letter" not in said  # the words are sealed
    assert [purpose for purpose, _view in reads(evidence)] == ["print"]


@pytest.mark.parametrize("typed", [{}, {"reason": "curious"}, {"reason": "other", "note": "  "}])
def test_without_a_reason_nothing_is_printed(client, world, evidence, typed):
    client.force_login(world.alice)
    answer = client.post(at("print-file", evidence), typed)
    assert answer.status_code == 422 and "?look=print" not in answer.content.decode()
    assert not Entry.objects.filter(action="documents.print").exists()


def test_who_only_reads_or_does_not_see_the_case_prints_nothing(client, world, evidence, refusals):
    page = at("print-file", evidence)
    for user, status in ((world.carol, 403), (world.mallory, 404)):
        client.force_login(user)
        assert client.get(page).status_code == client.post(page, REASON).status_code == status
    client.force_login(world.carol)
    assert page not in client.get(at("review", evidence)).content.decode()
    assert len(refusals("documents.print", evidence.document_id)) == 2
    assert not Entry.objects.filter(action="documents.print", outcome="done").exists()
