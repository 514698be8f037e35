"""What the platform reads beside cases and accounts: the house, players, restrictions, contacts, proposals.

Lists hold still, filters narrow, nothing of others or of what is kept from it shows.
"""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audit.models import Entry
from cases.contacts.services import log_contact
from cases.restricting import restrict as restrict_case
from compliance.people.gate import EFFECTS, permissions_of
from compliance.people.models import Person
from compliance.people.restrictions import lift
from compliance.people.services import restrict
from compliance.platform import counts
from compliance.platform.scopes import Scope
from compliance.proposals.services import propose
from tests.cases.test_api import platform
from tests.cases.test_reading import read_all

READ = [scope for scope in Scope if scope.endswith(":read")]
STOPS = [["play"], ["withdraw"], ["sign_in", "deposit", "play"], list(EFFECTS)]


@pytest.fixture
def api(world, client):
    return platform(world, client, scopes=READ)


@pytest.fixture
def stranger(world, client):
    """A key of another licensee."""
    other = SimpleNamespace(licensee=world.mallory.memberships.get().team.queues.get().licensee)
    return platform(other, client, scopes=READ, owner=world.mallory)


def refuses(key, *paths):
    return [path for path in paths if key.get(path).status_code != 404] == []


def test_the_house_is_read(api, world, stranger):
    slug = world.licensee.slug
    [mine] = api.get("/licensees").json()["items"]
    assert mine == api.get(f"/licensees/{slug}").json()
    assert (mine["slug"], mine["jurisdiction"], mine["test"]) == (slug, "TR", False)
    assert api.get("/brands/brand").json()["name"] == world.brand.name
    policies = api.get("/policies").json()["items"]
    [held] = [one for one in policies if one["in_force"]]
    assert api.get(f"/policies/{held['version']}").json() == held
    assert [one["version"] for one in api.get(f"/policies?on={world.licensee.today()}").json()["items"]] == [
        held["version"]
    ]
    assert api.get("/policies?on=1990-01-01").json()["items"] == []
    assert world.verification().policy_version == held["version"]
    levels = {one["name"]: one["required"] for one in held["levels"]}
    assert "identity_front" in [one["purpose"] for one in levels["L1"]]
    days = [one["effective_from"] for one in policies]
    assert days == sorted(days, reverse=True)
    assert refuses(stranger, f"/licensees/{slug}") and refuses(api, "/brands/none", "/policies/TR-1990-01-01")


def test_counts_of_days_are_read_with_their_differences(api, world, stranger):
    today = world.licensee.today()
    for ago in range(1, 5):
        theirs = {"accounts": 0, "accounts_opened": 0 if ago % 2 else 3}
        counts.report(world.licensee, today - timedelta(days=ago), theirs, {}, by=world.alice)
    items, pages = read_all(api, "/daily-counts?limit=3")
    assert (len(items), pages) == (8, 3)
    assert [one["day"] for one in items] == sorted((one["day"] for one in items), reverse=True)
    differing = api.get("/daily-counts?agrees=false").json()["items"]
    assert [one["theirs"] for one in differing] == [3, 3] and not any(one["agrees"] for one in differing)
    assert len(api.get("/daily-counts?agrees=true&thing=accounts_opened").json()["items"]) == 2
    assert len(api.get(f"/daily-counts?day_from={today - timedelta(days=1)}").json()["items"]) == 2
    assert stranger.get("/daily-counts").json()["items"] == []


def test_customers_and_persons_are_links_and_levels(api, world, stranger):
    before = [world.account() for _number in range(4)]
    items, pages = read_all(api, "/customers?limit=2&expand=accounts", between=world.account)
    assert ([one["accounts"] for one in items], pages) == ([[one.reference] for one in before[::-1]], 2)
    customer = before[0].customer
    [found] = api.get(f"/customers?person={customer.person_id}").json()["items"]
    assert found == api.get(f"/customers/{customer.pk}").json()
    person = api.get(f"/persons/{customer.person_id}").json()
    assert person == {"id": str(customer.person_id), "customers": [str(customer.pk)]}
    assert api.get("/customers?level=L9").json()["items"] == []
    tomorrow = (timezone.now() + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert api.get(f"/customers?registered_after={tomorrow}").json()["items"] == []
    assert "Yıldırım" not in api.get("/customers?expand=accounts").content.decode()
    assert refuses(stranger, f"/persons/{customer.person_id}", f"/customers/{customer.pk}")
    # A customer of the same human elsewhere is not shown.
    Person.objects.get(pk=customer.person_id).customers.create(
        full_name="Ada", licensee=world.mallory.memberships.get().team.queues.get().licensee
    )
    assert api.get(f"/persons/{customer.person_id}").json() == person
    assert Entry.objects.filter(action="cases.list_customers", actor_kind="key").count() >= 3


@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(STOPS),
            st.sampled_from(["person", "customer", "account"]),
            st.sampled_from(["now", "later", "over", "lifted"]),
        ),
        max_size=4,
    ),
    st.sampled_from([None, *EFFECTS]),
)
def test_the_list_of_restrictions_says_what_the_gate_says(world, api, rows, effect):
    accounts = [world.account(), world.account()]
    for place, (stops, reach, when) in enumerate(rows):
        account = accounts[place % 2]
        reaches = {"person": account.customer.person, "customer": account.customer, "account": account}[reach]
        facts = {"cover_code": "check", "source": "verification", "by": world.alice}
        now = timezone.now()
        times = {"later": {"starts_at": now + timedelta(hours=1)}}
        times["over"] = {"starts_at": now - timedelta(hours=2), "until": now - timedelta(hours=1)}
        made = restrict(reaches, stops=stops, **facts, **times.get(when, {}))
        if when == "lifted":
            lift(made, by=world.alice, reason="mistake")
    for account in accounts:
        said = permissions_of(account.licensee_id, account.reference)
        stopped = {name for name in EFFECTS if not said[name].allowed}
        query = f"/restrictions?account={account.reference}" + (f"&effect={effect}" if effect else "")
        items = api.get(query).json()["items"]
        if effect in stopped if effect else stopped:
            assert {one["effect"] for one in items[0]["restrictions"]} == stopped
            assert items[0]["stop"] == (not (said["sign_in"].allowed and said["play"].allowed))
        else:
            assert items == []


def test_a_restriction_of_the_aml_side_looks_as_any_other(api, world, stranger):
    """Nothing but the reference tells an account with a second, hidden reason from its twin (tipping-off)."""
    twin, flagged = world.account(), world.account()
    for account in (twin, flagged):
        restrict(account, stops=["withdraw"], cover_code="check", source="verification", by=world.alice)
    restrict(flagged.customer, stops=["withdraw"], cover_code="check", source="monitoring", by=world.alice)
    shown = {one.pop("account"): one for one in api.get("/restrictions").json()["items"]}
    assert shown[twin.reference] == shown[flagged.reference]
    assert read_all(api, "/restrictions?limit=1")[1] == 2
    assert stranger.get("/restrictions").json()["items"] == []


def said_to(case, world, **facts):
    given = {"channel": "phone", "direction": "in", "category": "verification", "outcome": "answered"}
    return log_contact(case, by=world.alice, summary="Asked about the card of Işıl", **given | facts)


def test_contacts_show_that_they_were_and_not_what_was_said(api, world, stranger):
    case, other = world.verification(), world.verification()
    for place in range(3):
        said_to(
            case, world, happened_at=datetime(2026, 11, 1 + place, tzinfo=UTC), channel=["phone", "chat"][place % 2]
        )
    said_to(other, world)
    items, pages = read_all(api, "/contacts?limit=2")
    assert (len(items), pages) == (4, 2)
    assert len(api.get(f"/contacts?case={case.number}").json()["items"]) == 3
    [chat] = api.get(f"/contacts?account={case.account.reference}&channel=chat").json()["items"]
    assert api.get(f"/contacts/{chat['id']}").json() == chat
    assert "Işıl" not in str(items) and set(chat) & {"summary", "logged_by"} == set()
    assert refuses(stranger, f"/contacts/{chat['id']}") and stranger.get("/contacts").json()["items"] == []
    restrict_case(case, to=[world.bob], by=world.erin, because="sensitive")
    assert [one["case"] for one in api.get("/contacts").json()["items"]] == [other.number]
    assert refuses(api, f"/contacts/{chat['id']}")


def test_a_proposal_is_seen_and_confirmed_by_nobodys_key(api, world, stranger):
    case = world.verification(level="L1")
    proposal = propose("verification.reject", case, by=world.alice, reason="person_differs")
    [shown] = api.get("/proposals?state=parked").json()["items"]
    assert (shown["case"], shown["act"], shown["decided_at"]) == (case.number, "verification.reject", None)
    assert api.get(f"/proposals/{proposal.pk}").json() == shown
    assert set(shown) & {"maker", "reason", "note"} == set()
    assert api.post(f"/proposals/{proposal.pk}/confirm", {}).status_code == 404
    assert api.client.post(f"/api/v1/proposals/{proposal.pk}", headers=api.headers).status_code == 405
    for query in ("case=KYC-26-000001-0", "act=verification.approve", "state=performed"):
        assert api.get(f"/proposals?{query}").json()["items"] == []
    assert refuses(stranger, f"/proposals/{proposal.pk}") and stranger.get("/proposals").json()["items"] == []
    restrict_case(case, to=[world.bob], by=world.erin, because="sensitive")
    assert api.get("/proposals").json()["items"] == [] and refuses(api, f"/proposals/{proposal.pk}")


def test_each_list_needs_its_scope_and_names_what_is_wrong(world, client, api):
    poor = platform(world, client, scopes=["ping"])
    lists = ("/customers", "/restrictions", "/contacts", "/proposals", "/policies", "/daily-counts")
    assert [path for path in lists if poor.get(path).status_code != 403] == []
    for path in ("/customers", "/restrictions", "/contacts", "/proposals", "/daily-counts"):
        answer = api.get(f"{path}?after=nonsense")
        assert (answer.status_code, answer.json()["code"]) == (400, "bad_cursor"), path
        assert api.get(f"{path}?limit=101").status_code == 422
        assert api.get(path)["ETag"]
    assert api.get("/customers?expand=secrets").json()["code"] == "unknown_expand"
