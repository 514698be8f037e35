"""What the platform reads: lists with filters, pages that hold still, what is shown in full, and nothing of others."""

from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audit.models import Entry
from compliance.people.models import Brand
from tests.cases.test_api import platform
from tests.papers import a_file

READ = ["accounts:read", "cases:read", "cases:write", "customers:write", "accounts:write", "documents:write"]


@pytest.fixture
def api(world, client):
    return platform(world, client, scopes=READ)


def read_all(api, path, between=lambda: None):
    """The items of every page, and how many pages there were."""
    items, after, pages = [], "", 0
    while pages < 50:
        page = api.get(f"{path}&after={after}").json()
        assert "items" in page, page
        items += page["items"]
        pages += 1
        if page["next"] is None:
            return items, pages
        after = page["next"]
        between()
    raise AssertionError("the pages do not end")


def test_accounts_are_read_page_by_page_while_more_come(api, world):
    before = [world.account().reference for _number in range(5)]
    items, pages = read_all(api, "/accounts?limit=2", between=world.account)
    assert [one["reference"] for one in items] == before[::-1]
    assert pages == 3


@settings(
    max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(st.integers(1, 4), st.lists(st.booleans(), min_size=1, max_size=4))
def test_cases_are_neither_skipped_nor_repeated_whatever_comes_in_between(api, world, limit, comes):
    known = [world.verification().number for _number in range(3)]
    more = iter(comes)
    items, _pages = read_all(
        api, f"/cases?limit={limit}", between=lambda: world.verification() if next(more, False) else None
    )
    numbers = [one["number"] for one in items]
    assert len(numbers) == len(set(numbers))
    assert [number for number in numbers if number in known] == known[::-1]


def test_filters_narrow_a_list(api, world):
    case, other = world.verification(), world.verification()
    reference = case.account.reference
    assert [one["number"] for one in api.get(f"/cases?account={reference}").json()["items"]] == [case.number]
    assert api.get("/cases?state=finished").json()["items"] == []
    assert len(api.get("/cases?state=received&kind=verification").json()["items"]) == 2
    tomorrow = (timezone.now() + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert api.get(f"/cases?opened_after={tomorrow}").json()["items"] == []
    assert api.get("/accounts?brand=none").json()["items"] == []
    mine = api.get(f"/accounts?customer={other.customer_id}").json()["items"]
    assert [one["reference"] for one in mine] == [other.account.reference]


def test_what_is_asked_for_is_shown_in_full(api, world):
    case = world.verification()
    assert api.hand_in(case.number, a_file()).status_code == 201
    [shown] = api.get("/cases?expand=documents").json()["items"]
    assert [one["purpose"] for one in shown["documents"]] == ["identity_front"]
    assert shown["documents"] == api.get(f"/cases/{case.number}/documents").json()["items"]
    assert api.get(f"/cases/{case.number}?expand=documents").json() == shown
    assert "documents" not in api.get("/cases").json()["items"][0] | api.get(f"/cases/{case.number}").json()
    reference = case.account.reference
    assert api.get(f"/accounts/{reference}?expand=customer").json()["level"] == "L0"
    customer = api.get(f"/customers/{case.customer_id}?expand=accounts").json()
    assert customer["accounts"] == [reference]
    assert "level" not in api.get(f"/accounts/{reference}").json()


def test_nothing_that_identifies_a_player_is_read(api, world):
    case = world.verification(full_name="Işıl Yıldırım", address="Moda Caddesi 7")
    paths = ["/cases", "/accounts?expand=customer", f"/customers/{case.customer_id}", f"/accounts/{case.account}"]
    said = "".join(api.get(path).content.decode() for path in paths)
    assert [word for word in ("Yıldırım", "Moda", "isil@", "532", "1991") if word in said] == []


@pytest.mark.parametrize(
    "path",
    [
        "/cases?expand=notes",
        "/cases/KYC-26-000001-0?expand=notes",
        "/accounts?expand=customer,risk",
        "/cases?after=nonsense",
    ],
)
def test_what_cannot_be_meant_is_refused_by_name(api, path):
    answer = api.get(path)
    assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json")
    assert answer.json()["code"] in ("unknown_expand", "bad_cursor")


@pytest.mark.parametrize("path", ["/cases?limit=0", "/cases?limit=101", "/cases?state=flagged", "/customers/x"])
def test_what_is_out_of_range_is_refused_by_place(api, path):
    assert api.get(path).status_code == 422


def test_another_licensees_key_reads_nothing(api, world, client):
    case = world.verification()
    other_licensee = world.mallory.memberships.get().team.queues.get().licensee
    key = platform(SimpleNamespace(licensee=other_licensee), client, scopes=READ, owner=world.mallory)
    for path in ("/cases?limit=9", "/accounts?limit=9"):
        assert key.get(path).json()["items"] == []
    for path in (f"/customers/{case.customer_id}", f"/accounts/{case.account}", f"/cases/{case.number}/documents"):
        assert key.get(path).status_code == 404
    mine = {one["slug"] for one in key.get("/brands").json()["items"]}
    assert mine == set(Brand.objects.filter(licensee=other_licensee).values_list("slug", flat=True))


def test_each_reading_is_in_the_log_without_what_was_asked_for(api, world):
    case = world.verification()
    api.get(f"/cases?account={case.account.reference}")
    entry = Entry.objects.get(action="cases.list", actor_kind="key")
    assert (entry.facts["data"]["rows"], len(entry.facts["data"]["query"])) == (1, 16)
    assert case.account.reference.encode() not in bytes(entry.entry)
    api.get(f"/customers/{case.customer_id}")
    assert Entry.objects.filter(action="audit.read", actor_kind="key", subject_id=str(case.customer_id)).count() == 1


def test_who_has_it_already_is_told_so(api, world):
    world.account()
    first = api.get("/accounts")
    again = api.client.get("/api/v1/accounts", headers=api.headers | {"If-None-Match": first["ETag"]})
    assert (again.status_code, again.content, again["ETag"]) == (304, b"", first["ETag"])
    world.account()
    assert api.get("/accounts")["ETag"] != first["ETag"]


def test_the_gate_is_never_known_already(world, client):
    account = world.account()
    gate = platform(world, client, scopes=["gate:read"])
    answer = gate.get(f"/accounts/{account.reference}/gate")
    assert (answer.status_code, "ETag" in answer) == (200, False)
    headers = gate.headers | {"If-None-Match": "*"}
    assert client.get(f"/api/v1/accounts/{account.reference}/gate", headers=headers).status_code == 200


def test_a_body_of_another_form_is_refused(api):
    answer = api.client.post("/api/v1/customers", "<a/>", content_type="text/xml", headers=api.headers)
    assert (answer.status_code, answer.json()["code"]) == (415, "wrong_media_type")
