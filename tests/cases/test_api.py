"""The operator's platform: register, open, hand in, read; and what it gets when something is wrong."""

import json
from datetime import timedelta

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from audit.models import Entry
from cases.models import Case
from compliance.platform.services import issue_key
from documents.models import Document
from documents.services import Refused
from tests.papers import a_file

pytestmark = pytest.mark.django_db
ALL = ["customers:write", "accounts:write", "cases:read", "cases:write", "documents:write"]
PLAYER = {"full_name": "Işıl Yıldırım", "birth_date": "1991-03-14", "nationality": "TR"}


class Platform:
    def __init__(self, client, token):
        self.client = client
        self.headers = {"Authorization": f"Bearer {token}"}

    def post(self, path, body, **headers):
        return self.client.post(
            f"/api/v1{path}", json.dumps(body), content_type="application/json", headers=self.headers | headers
        )

    def get(self, path):
        return self.client.get(f"/api/v1{path}", headers=self.headers)

    def hand_in(self, number, data, name="front.jpg", **fields):
        form = {"purpose": "identity_front", "document_type": "passport"} | fields
        form["file"] = SimpleUploadedFile(name, data, "image/jpeg")
        return self.client.post(f"/api/v1/cases/{number}/documents", form, headers=self.headers)

    def player(self, reference="P-1"):
        """A customer with an account and an open verification; the case as the API shows it."""
        customer = self.post("/customers", PLAYER)
        assert customer.status_code == 201, customer.content
        account = {
            "customer": customer.json()["id"],
            "brand": "brand",
            "reference": reference,
            "email": "isil@example.com",
        }
        assert self.post("/accounts", account).status_code == 201
        opened = self.post("/verifications", {"account": reference, "level": "L1"})
        assert opened.status_code == 201, opened.content
        return opened.json()


def platform(world, client, scopes=ALL, owner=None):
    owner = owner or world.bob
    expires_at = timezone.now() + timedelta(days=1)
    facts = {"owner": owner, "licensee": world.licensee, "name": "platform", "scopes": scopes, "expires_at": expires_at}
    _key, token = issue_key(**facts, created_by=owner, by=owner)
    return Platform(client, token)


@pytest.fixture
def api(world, client):
    return platform(world, client)


def test_from_a_new_customer_to_a_file_in_the_case(api):
    case = api.player()
    assert (case["state"], case["items"][0]) == ("received", {"purpose": "identity_front", "status": "missing"})
    handed = api.hand_in(case["number"], a_file())
    assert (handed.status_code, handed.json()["status"]) == (201, "pending")
    read = api.get(f"/cases/{case['number']}").json()
    assert read["items"][0]["status"] == "pending"


def test_the_same_file_is_offered_for_a_second_purpose_and_refused_for_the_same(api):
    number, data = api.player()["number"], a_file()
    card = {"document_type": "national_id"}
    assert api.hand_in(number, data, **card).status_code == 201
    second = api.hand_in(number, data, purpose="identity_back", **card)
    assert (second.status_code, second.json()["purpose"]) == (201, "identity_back")
    assert Document.objects.filter(customer__accounts__reference="P-1").count() == 1
    items = {item["purpose"]: item["status"] for item in api.get(f"/cases/{number}").json()["items"]}
    assert items["identity_front"] == items["identity_back"] == "pending"


def test_every_step_is_in_the_log_under_the_key(api):
    number = api.player()["number"]
    entries = Entry.objects.filter(matter=number, actor_kind="key").values_list("action", flat=True)
    assert "verification.open" in entries
    facts = Entry.objects.filter(action="verification.open", matter=number).get().facts
    assert facts["src"]["app"] == "api"
    assert facts["actor"]["auth"] == "api_key"


def test_wrong_fields_are_named_by_pointer(api):
    response = api.post("/customers", {"full_name": "", "birth_date": "14.03.1991", "nationality": "TR"})
    assert response.status_code == 422
    assert response["Content-Type"] == "application/problem+json"
    assert "/birth_date" in {error["pointer"] for error in response.json()["errors"]}
    response = api.post("/customers", PLAYER | {"national_id": "12345678901"})
    assert [error["pointer"] for error in response.json()["errors"]] == ["/national_id"]


@pytest.mark.parametrize(
    ("data", "code"), [(b"", "empty"), (b"GIF89a" * 50, "wrong_type"), (a_file()[:900], "truncated")]
)
def test_a_bad_file_is_a_problem_with_a_code_and_leaves_nothing(data, code, api):
    number = api.player()["number"]
    before = set(settings.VAULT_DIR.rglob("*"))
    response = api.hand_in(number, data)
    assert (response.status_code, response.json()["code"]) == (422, code)
    assert not Document.objects.filter(customer__cases__number=number).exists()
    assert {path for path in set(settings.VAULT_DIR.rglob("*")) - before if path.is_file()} == set()


def test_a_file_that_could_not_be_stored_may_be_sent_again_under_its_key(api, monkeypatch):
    number = api.player()["number"]

    def away(*file, **about):
        raise Refused("busy")

    monkeypatch.setattr("cases.api.accept", away)
    api.headers["Idempotency-Key"] = "k-file"
    response = api.hand_in(number, a_file())
    assert (response.status_code, response.json()["code"], response["Retry-After"]) == (503, "busy", "5")
    monkeypatch.undo()
    assert api.hand_in(number, a_file()).status_code == 201


def test_another_licensees_key_sees_nothing(api, world, client):
    case = api.player()
    other = world.mallory.memberships.get().team.queues.get().licensee
    expires_at = timezone.now() + timedelta(days=1)
    facts = {"owner": world.mallory, "licensee": other, "name": "other", "scopes": ALL, "expires_at": expires_at}
    _key, token = issue_key(**facts, created_by=world.mallory, by=world.mallory)
    stranger = Platform(client, token)
    assert stranger.get(f"/cases/{case['number']}").status_code == 404
    assert stranger.hand_in(case["number"], a_file()).status_code == 404
    assert stranger.post("/verifications", {"account": "P-1", "level": "L1"}).status_code == 404


def test_a_key_without_the_scope_is_refused_and_the_refusal_recorded(world, client):
    reader = platform(world, client, scopes=["cases:read"])
    before = Entry.objects.using("log").filter(outcome="refused").count()
    response = reader.post("/customers", PLAYER)
    assert (response.status_code, response.json()["code"]) == (403, "no_scope")
    assert Entry.objects.using("log").filter(outcome="refused").count() == before + 1


def test_a_repeated_request_opens_one_case(api):
    customer = api.post("/customers", PLAYER, **{"Idempotency-Key": "k1"})
    again = api.post("/customers", PLAYER, **{"Idempotency-Key": "k1"})
    assert again.json() == customer.json()
    assert again["Idempotent-Replayed"] == "true"
    other = api.post("/customers", PLAYER | {"full_name": "Somebody Else"}, **{"Idempotency-Key": "k1"})
    assert other.status_code == 422


def test_a_key_decides_nothing(api, world, client):
    number = api.player()["number"]
    for path in ("decide/approve", "start", "ask"):
        assert client.post(f"/cases/{number}/{path}/", headers=api.headers).status_code in (302, 403)
    assert Case.objects.get(number=number).state == "open"


def test_the_description_is_openapi_3_1_and_names_every_scope(api):
    document = api.client.get("/api/v1/openapi.json", headers=api.headers).json()
    assert document["openapi"].startswith("3.1")
    operations = [operation for path in document["paths"].values() for operation in path.values()]
    assert len(operations) >= 6
    assert all(operation["security"] and operation["summary"] for operation in operations)
