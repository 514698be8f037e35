"""The gate: answers from the rows, the lowest permission wins, public codes only, and it fails closed."""

from datetime import date, timedelta

import pytest
from django.db import OperationalError
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from compliance.people.models import Brand, Licensee, Person, Restriction
from compliance.people.services import open_account, register_customer, restrict

EFFECTS = Restriction.EFFECTS


@pytest.fixture
def account(licensee, alice, in_context):
    brand = Brand.objects.create(licensee=licensee, name="Lale", slug="lale")
    facts = {"full_name": "Işıl Yıldırım", "birth_date": date(1991, 3, 14), "nationality": "TR"}
    customer = register_customer(licensee=licensee, by=alice, **facts)
    return open_account(customer=customer, brand=brand, reference="P-1", by=alice)


@pytest.fixture
def ask(api, key):
    def ask(reference="P-1", **headers):
        return api.get(f"/api/v1/accounts/{reference}/gate", headers=headers or key.headers)

    return ask


def test_without_a_restriction_everything_is_allowed(account, ask):
    answer = ask()
    assert answer.status_code == 200
    allowed = {"allowed": True, "code": None, "until": None}
    assert answer.json() == {"account": "P-1", "stop": False} | dict.fromkeys(EFFECTS, allowed)


@pytest.mark.parametrize("reach", ["person", "customer", "account"])
def test_a_restriction_shows_at_once_wherever_it_hangs(account, ask, alice, reach):
    about = {"person": account.customer.person, "customer": account.customer, "account": account}[reach]
    restrict(about, stops=["play", "deposit"], cover_code="play_stopped", source="protection", by=alice)
    answer = ask().json()
    assert answer["stop"] is True
    assert answer["play"] == answer["deposit"] == {"allowed": False, "code": "play_stopped", "until": None}
    assert answer["withdraw"]["allowed"] and answer["sign_in"]["allowed"]


def test_what_set_it_never_leaves_the_house(account, ask, alice):
    restrict(account.customer, stops=["withdraw"], cover_code="check", source="monitoring", by=alice, log="aml")
    assert b"monitoring" not in ask().content


@settings(
    max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None
)
@given(
    st.lists(
        st.tuples(
            st.sets(st.sampled_from(EFFECTS), min_size=1),
            st.sampled_from(["check", "play_stopped", "self_excluded"]),
            st.sampled_from([None, -2, -1, 1, 2, 3]),  # ends in hours from now
            st.booleans(),  # lifted
            st.sampled_from([-5, 1]),  # starts in hours from now
        ),
        max_size=5,
    )
)
def test_the_lowest_permission_wins(account, ask, alice, rows):
    now = timezone.now()
    Restriction.objects.all().delete()
    running = []
    for stops, code, ends, lifted, starts in rows:
        until = now + timedelta(hours=ends) if ends else None
        if until and until <= now + timedelta(hours=starts):
            continue
        facts = {f"stops_{effect}": True for effect in stops}
        Restriction.objects.create(
            customer=account.customer,
            cover_code=code,
            source="x",
            starts_at=now + timedelta(hours=starts),
            until=until,
            lifted_at=now if lifted else None,
            lifted_by=alice.pk if lifted else None,
            **facts,
        )
        if starts < 0 and not lifted and (ends is None or ends > 0):
            running.append((stops, code, until))
    answer = ask().json()
    for effect in EFFECTS:
        against = [(until, code) for stops, code, until in running if effect in stops]
        assert answer[effect]["allowed"] is (not against), effect
        if against:
            assert answer[effect]["code"] in {code for _until, code in against}
            if any(until is None for until, _code in against):
                assert answer[effect]["until"] is None
            else:
                assert answer[effect]["until"][:19] == max(u for u, _c in against).isoformat()[:19]


def test_strangers_and_unknown_accounts_learn_nothing(account, ask, issue, alice):
    assert ask("P-2").status_code == 404
    other = issue("gate:read", licensee=Licensee.objects.create(name="Gül", slug="gul", jurisdiction="TR"))
    assert ask(**other.headers).status_code == 404
    assert ask(**issue("cases:read").headers).status_code == 403
    assert ask(Authorization="Bearer nothing").status_code == 401
    assert Person.objects.count() == 1


@pytest.mark.parametrize("broken", ["compliance.platform.services.find_key", "compliance.platform.api.permissions_of"])
def test_trouble_of_the_database_closes_the_gate(account, ask, monkeypatch, broken):
    def fails(*args, **kwargs):
        raise OperationalError("the connection was closed")

    monkeypatch.setattr(broken, fails)
    answer = ask()
    assert answer.status_code == 503
    assert (answer.json()["code"], answer.json()["stop"]) == ("gate_closed", True)
    assert "allowed" not in answer.json()
