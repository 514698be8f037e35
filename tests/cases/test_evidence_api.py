"""What the platform reads of a file's verdict, and what it may not: reasons that stay inside, notes, others' cases."""

import pytest

from audit.models import Entry
from cases import services as engine
from cases.types.verification import services as verification
from tests.cases.test_api import platform
from tests.cases.test_reading import read_all
from tests.papers import bring

pytestmark = pytest.mark.django_db


@pytest.fixture
def api(world, client):
    return platform(world, client, scopes=["cases:read"])


@pytest.fixture
def case(world):
    """In review: three papers were handed in and nobody judged them."""
    case = world.verification("L2")
    for purpose, document_type in (
        ("identity_front", "national_id"),
        ("identity_back", "national_id"),
        ("address", "bank_statement"),
    ):
        bring(case, purpose, document_type, by=world.alice, inspected=False)
    return verification.review(case, by=world.alice)


def of(case, purpose):
    return case.evidence.get(purpose=purpose)


def test_why_a_file_was_sent_back_is_shown_once_the_player_was_told(api, world, case):
    engine.write_note(case, by=world.alice, text="Looks like Photoshop to me")
    for purpose in ("identity_front", "address"):
        engine.accept(of(case, purpose), by=world.alice)
    back = engine.ask_again(of(case, "identity_back"), by=world.alice, reasons=["image_blurry"])
    address = f"/cases/{case.number}/evidence/{back.pk}"
    before = api.get(address).json()
    assert (before["status"], before["reasons"]) == ("returned", [])
    verification.ask(case, by=world.alice)
    said = api.get(address).json()
    assert [one["code"] for one in said["reasons"]] == ["image_blurry"]
    assert "net" in said["reasons"][0]["text"] and "decided_by" not in said  # in the player's language
    everything = api.get(f"/cases/{case.number}/evidence").content.decode()
    assert "Photoshop" not in everything and str(world.alice.pk) not in everything


def test_the_reason_of_a_refusal_stays_inside(api, world, case):
    fake = engine.reject(of(case, "identity_front"), by=world.bob, reasons=["document_altered"])
    address = f"/cases/{case.number}/evidence/{fake.pk}"
    assert api.get(address).json()["reasons"] == []
    verification.withdraw(case, by=world.alice)
    [reason] = api.get(address).json()["reasons"]
    assert reason["code"] is None and reason["text"]
    assert "altered" not in api.get(address).content.decode()


def test_the_list_holds_still_and_narrows(api, world, case):
    engine.accept(of(case, "address"), by=world.alice)
    items, pages = read_all(api, f"/cases/{case.number}/evidence?limit=2")
    assert (len(items), pages) == (3, 2)
    assert [one["purpose"] for one in items] == ["address", "identity_back", "identity_front"]
    assert items[0] == api.get(f"/cases/{case.number}/evidence?status=accepted").json()["items"][0]
    [front] = api.get(f"/cases/{case.number}/evidence?purpose=identity_front").json()["items"]
    assert front == api.get(f"/cases/{case.number}/evidence/{front['id']}").json()


def test_one_file_is_read_and_only_in_its_case(api, world, client, case):
    front, other = of(case, "identity_front"), world.verification("L1")
    assert api.get(f"/cases/{case.number}/documents/{front.pk}").json() == {
        "id": str(front.pk),
        "purpose": "identity_front",
        "document_type": "national_id",
        "status": "pending",
    }
    for kind in ("documents", "evidence"):
        assert api.get(f"/cases/{other.number}/{kind}/{front.pk}").status_code == 404
        assert api.get(f"/cases/{case.number}/{kind}/{front.pk}").status_code == 200
    assert Entry.objects.filter(matter=case.number, actor_kind="key").exists()  # the reading is an entry
    stranger = platform(
        type("House", (), {"licensee": world.mallory.memberships.get().team.queues.get().licensee}),
        client,
        scopes=["cases:read"],
        owner=world.mallory,
    )
    for path in ("evidence", f"evidence/{front.pk}", f"documents/{front.pk}"):
        assert stranger.get(f"/cases/{case.number}/{path}").status_code == 404
