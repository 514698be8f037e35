"""The original over the API: whole or the range asked for, to keys with the scope, of what passed its inspection."""

import io
from datetime import timedelta

import pytest
from django.utils import timezone

from cases import services as engine
from compliance.platform.services import issue_key
from documents.inspection import inspect_now
from documents.serving import Outside, asked
from documents.storage import storage
from documents.uploads import seal_file
from tests.documents import samples
from tests.world import a_world

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("header", "part"),
    [
        ("", None),
        ("bytes=0-0", (0, 1)),
        ("bytes=10-19", (10, 20)),
        ("bytes=90-", (90, 100)),
        ("bytes=90-500", (90, 100)),
        ("bytes=-10", (90, 100)),
        ("bytes=-500", (0, 100)),
        ("bytes=20-10", None),
        ("bytes=0-1,5-6", None),
        ("bytes=-", None),
        ("items=0-1", None),
        ("bytes=0-" + "9" * 400, None),
    ],
)
def test_what_a_range_header_asks_for(header, part):
    assert asked(header, 100) == part


@pytest.mark.parametrize("header", ["bytes=100-", "bytes=-0", "bytes=500-600"])
def test_a_range_outside_of_the_file_is_told(header):
    with pytest.raises(Outside):
        asked(header, 100)


@pytest.fixture
def world(db):
    return a_world()


@pytest.fixture
def taken(world, client):
    """Data of a file, and `get(range, scopes)` on its original."""
    verification = world.verification()
    data = samples.photo(900, 700)
    upload = seal_file(customer=verification.customer, name="kimlik ön.jpg", stream=io.BytesIO(data))
    evidence = engine.bring(verification, upload, purpose="identity_front", document_type="national_id", by=world.alice)

    def get(wanted=None, scopes=("documents:read",), number=verification.number, reason="authority", **more):
        _key, token = issue_key(
            owner=world.bob,
            licensee=world.licensee,
            name="platform",
            scopes=list(scopes),
            expires_at=timezone.now() + timedelta(days=1),
            created_by=world.bob,
            by=world.bob,
        )
        headers = {"Authorization": f"Bearer {token}"} | ({"Range": wanted} if wanted else {}) | more
        return client.get(f"/api/v1/cases/{number}/documents/{evidence.pk}/original?reason={reason}", headers=headers)

    return data, evidence, get


def test_the_original_is_given_byte_for_byte_and_never_shown(taken, entries):
    data, evidence, get = taken
    assert get().status_code == 404  # not inspected yet
    inspect_now(evidence.document_id)
    answer = get()
    assert (answer.status_code, answer.getvalue()) == (200, data)
    assert (answer["Content-Length"], answer["Content-Type"]) == (str(len(data)), "image/jpeg")
    assert answer["Content-Disposition"].startswith("attachment; filename*=UTF-8''kimlik%20%C3%B6n.jpg")
    assert (answer["X-Content-Type-Options"], answer["Accept-Ranges"]) == ("nosniff", "bytes")
    assert answer["Content-Security-Policy"].startswith("sandbox")


def test_ranges_are_given_as_asked(taken):
    data, evidence, get = taken
    inspect_now(evidence.document_id)
    for wanted, part in (("bytes=100-20000", data[100:20001]), ("bytes=-7", data[-7:])):
        answer = get(wanted)
        assert (answer.status_code, answer.getvalue()) == (206, part)
        assert answer["Content-Length"] == str(len(part))
    assert answer["Content-Range"] == f"bytes {len(data) - 7}-{len(data) - 1}/{len(data)}"
    assert get(f"bytes={len(data)}-").status_code == 416
    several = get("bytes=0-1,5-6")
    assert (several.status_code, several.getvalue()) == (200, data)


def test_a_part_goes_on_only_with_the_file_it_began_with(taken):
    data, evidence, get = taken
    inspect_now(evidence.document_id)
    tag = get()["ETag"]
    assert get("bytes=5-9", **{"If-Range": tag}).status_code == 206
    for other in ('"another"', f"W/{tag}", "Sun, 22 Nov 2026 00:00:00 GMT"):
        answer = get("bytes=5-9", **{"If-Range": other})
        assert (answer.status_code, answer.getvalue()) == (200, data)


def test_the_reason_is_asked_for_and_stands_in_the_log(taken, entries):
    data, evidence, get = taken
    inspect_now(evidence.document_id)
    assert get(reason="").status_code == get(reason="curious").status_code == 422
    assert entries("audit.read", evidence.document_id) == []
    assert get(reason="dispute").status_code == 200
    (entry,) = entries("audit.read", evidence.document_id)
    assert b"original_dispute" in entry


def test_who_has_no_scope_or_may_not_see_the_case_gets_nothing(taken):
    data, evidence, get = taken
    inspect_now(evidence.document_id)
    assert get(scopes=("documents:write",)).status_code == 403
    assert get(number="KYC-26-000000-0").status_code == 404


def test_a_changed_file_gives_nothing(taken):
    data, evidence, get = taken
    inspect_now(evidence.document_id)
    path = storage()._path(evidence.document_id)
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    assert get().status_code == get("bytes=-7").status_code == 404
