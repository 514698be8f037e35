"""The platform changes a player's e-mail or phone: nobody is overwritten, and nobody who is kept out slips in by it."""

import json
from datetime import date

import pytest

from audit.models import Entry
from cases.types.gaming import services as gaming
from compliance.people.exclusions.models import Duplicate
from compliance.people.services import known_of, open_account, register_customer
from compliance.platform import versions
from compliance.policy.records import Period
from tests.cases.test_api import platform

pytestmark = pytest.mark.django_db
NEW = "ada@example.org"


@pytest.fixture
def api(world, client):
    api = platform(world, client, scopes=["accounts:change", "accounts:read"])

    def change(account, **facts):
        headers = api.headers | ({"If-Match": facts.pop("if_match")} if "if_match" in facts else {})
        path = f"/api/v1/accounts/{account.reference}"
        return client.patch(path, json.dumps(facts), content_type="application/json", headers=headers)

    api.change = change
    return api


def changes(account):
    return Entry.objects.filter(action="people.change_contact", object_id=str(account.pk))


def test_what_is_sent_changes_and_what_is_not_stays(api, world):
    account = world.account()
    before = api.get(f"/accounts/{account.reference}").json()
    answer = api.change(account, email=" ADA@Example.org", language="en")
    assert answer.status_code == 200, answer.content
    account.refresh_from_db()
    assert (known_of(account, "email"), known_of(account, "phone")) == (NEW, "+905321234567")
    assert (account.language, account.time_zone) == ("en", "Europe/Istanbul")
    assert answer.json() == api.get(f"/accounts/{account.reference}").json()
    assert answer.json()["contact_version"] != before["contact_version"]
    assert NEW not in answer.content.decode()  # a key reads no identity data
    assert changes(account).count() == 1
    assert api.change(account, phone="").status_code == 200
    account.refresh_from_db()
    assert (known_of(account, "email"), known_of(account, "phone"), account.phone_index) == (NEW, "", None)
    assert api.change(account, email=NEW).status_code == 200
    assert changes(account).count() == 2  # what stays as it was is no change


def test_with_if_match_only_what_was_read_is_changed(api, world):
    account = world.account()
    known = api.get(f"/accounts/{account.reference}")["ETag"]
    assert api.change(account, email=NEW, if_match=known).status_code == 200
    late = api.change(account, email="late@example.org", if_match=known)
    assert (late.status_code, late.json()["code"]) == (412, "precondition_failed")
    account.refresh_from_db()
    assert known_of(account, "email") == NEW
    known = api.get(f"/accounts/{account.reference}")["ETag"]
    assert api.change(account, language="en", if_match=known).status_code == 200
    assert api.change(account, language="tr", if_match="*").status_code == 200


def test_what_was_read_in_an_older_form_of_the_api_can_be_named_too(api, world, client, monkeypatch):
    old, new = versions.VERSIONS[-1], "2999-01-01"
    monkeypatch.setattr(versions, "VERSIONS", [*versions.VERSIONS, new])
    monkeypatch.setattr(versions, "_changes", [])
    undone = {"older_answer": lambda body: {"label": body["reference"]}}
    versions.register(versions.Change(new, "GET /accounts/{ref}", **undone))
    account, headers = world.account(), api.headers | {"Mizan-Version": old}
    path = f"/api/v1/accounts/{account.reference}"
    read = client.get(path, headers=headers)
    assert read.json() == {"label": account.reference}
    for named, status in ((read["ETag"], 200), ('"other"', 412)):
        asked = {"content_type": "application/json", "headers": headers | {"If-Match": named}}
        assert client.patch(path, json.dumps({"language": "en"}), **asked).status_code == status


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"email": "nobody"}, "/email"),
        ({"phone": "12"}, "/phone"),
        ({"language": "xx"}, "/language"),
        *(({field: None}, f"/{field}") for field in ("email", "phone", "language")),
    ],
)
def test_what_does_not_fit_is_named_and_nothing_changes(api, world, wrong, field):
    account = world.account()
    answer = api.change(account, **({"time_zone": "Europe/Paris"} | wrong))
    assert answer.status_code == 422 and [one["pointer"] for one in answer.json()["errors"]] == [field]
    account.refresh_from_db()
    assert account.time_zone == "Europe/Istanbul" and not changes(account).exists()


@pytest.mark.parametrize("same", [{"email": "isil@example.com"}, {"phone": "0532 123 45 67"}])
def test_who_is_kept_out_does_not_come_back_by_a_change(api, world, same):
    """Somebody with another name takes over the e-mail or phone of an excluded person: stopped in the same moment."""
    out = world.account()
    half_a_year = Period(amount=6, unit="month")
    facts = {"kind": "self_exclusion", "period": half_a_year, "by": world.alice, "via": "phone", "words": "enough"}
    gaming.keep_out(out, **facts)
    person = {"full_name": "Can Er", "birth_date": date(1980, 2, 2), "nationality": "TR"}
    customer = register_customer(licensee=world.licensee, by=world.alice, **person)
    other = open_account(customer=customer, brand=world.brand, reference="P-can", by=world.alice)
    assert api.change(other, email="can@example.org", phone="+905551112233").status_code == 200
    assert not Duplicate.objects.filter(customer=other.customer).exists()
    assert api.change(other, **same).status_code == 200
    found = Duplicate.objects.get(customer=other.customer)
    assert found.person_id == out.customer.person_id
    assert found.restriction.stops_deposit and found.restriction.lifted_at is None


def test_others_players_and_keys_without_the_scope(api, world, client):
    account = world.account()
    opener = platform(world, client, scopes=["accounts:read", "accounts:write"])
    body = json.dumps({"language": "en"})
    path = f"/api/v1/accounts/{account.reference}"
    refused = client.patch(path, body, content_type="application/json", headers=opener.headers)
    assert (refused.status_code, refused.json()["code"]) == (403, "no_scope")
    account.reference = "P-nobody"
    assert api.change(account, language="en").status_code == 404
