"""A licensee with one team: Alice is an agent, Bob an officer, Carol an auditor, all made by the product's own acts."""

from datetime import date
from types import SimpleNamespace

import pytest
from allauth.mfa.totp.internal import auth as codes
from django.core.cache import cache

from audit import context
from audit.actors import system
from audit.models import Entry
from compliance.people import services as people
from tests.people.directory import CLIENT, SECRET, Directory, come
from tests.people.signing import PASSWORD, again

IDENTITY_NUMBER = "17291716060"  # passes the check digits of a Turkish number; a documented specimen


@pytest.fixture(autouse=True)
def a_code_lasts_as_long_as_its_test(monkeypatch):
    """Its half minute may begin anywhere in a test, and a busy machine takes longer than one."""
    now = list(codes.yield_hotp_counters_from_time())
    monkeypatch.setattr(codes, "yield_hotp_counters_from_time", lambda: iter(now))


@pytest.fixture
def here(db):
    with context.use(context.new("test")) as opened:
        yield opened


@pytest.fixture
def house(here):
    licensee = people.create_licensee(
        name="Anadolu Bahis", slug="anadolu", jurisdiction="TR", time_zone="Europe/Istanbul", by=system()
    )
    brand = people.create_brand(licensee=licensee, name="Anadolu", slug="anadolu", by=system())
    return SimpleNamespace(licensee=licensee, brand=brand, team=people.create_team(name="Doğrulama", by=system()))


@pytest.fixture
def member(house):
    """A sign-in with a role in the team. Nobody signs in with it: hashing a password takes longer than most tests."""

    def make(name, *roles):
        user = people.create_user(email=f"{name}@example.com", name=name.title(), by=system())
        for role in roles:
            people.join(user, house.team, role, by=system())
        return user

    return make


@pytest.fixture
def signed(house):
    """Somebody with these roles, and a client in which they signed in with their password."""

    def make(name, *roles):
        cache.clear()  # attempts are counted there
        user = people.create_user(email=f"{name}@example.com", name=name.title(), password=PASSWORD, by=system())
        for role in roles:
            people.join(user, house.team, role, by=system())
        return user, again(user)

    return make


@pytest.fixture
def alice(member):
    return member("alice", "agent")


@pytest.fixture
def bob(member):
    return member("bob", "officer")


@pytest.fixture
def carol(member):
    return member("carol", "auditor")


@pytest.fixture
def isil(house, alice):
    """A player with everything declared."""
    return people.register_customer(
        licensee=house.licensee,
        full_name="Işıl Yıldırım",
        birth_date=date(1991, 3, 14),
        nationality="TR",
        national_id=IDENTITY_NUMBER,
        address="Çınar Sokak 4, İzmir",
        by=alice,
    )


@pytest.fixture
def her_account(isil, house, alice):
    return people.open_account(
        customer=isil,
        brand=house.brand,
        reference="P-1001",
        email="Isil@Example.com",
        phone="0532 123 45 67",
        by=alice,
    )


@pytest.fixture
def entries():
    """The log's entries of an action, oldest first, as dicts; refusals come over the other connection."""

    def of(action, using="default"):
        found = Entry.objects.using(using).filter(action=action).order_by("id")
        return [entry.facts for entry in found]

    return of


DAN = "dan@example.com"


# ------------------------------------------------------------------------------------------------- a directory
@pytest.fixture(scope="module")
def running():
    with Directory() as directory:
        yield directory


@pytest.fixture
def directory(running, settings, tmp_path):
    """Dan stands in it; the group "judges" decides in the team of the house."""
    cache.clear()
    running.claims = {"sub": "d-1", "email": DAN, "email_verified": True, "name": "Dan", "groups": ["judges"]}
    running.more, running.said, running.kid, running.mute = None, {}, "one", False
    roles = tmp_path / "groups.toml"
    roles.write_text('[[group]]\nname = "judges"\nteam = "dogrulama"\nrole = "officer"\n')
    settings.OIDC_ISSUER, settings.OIDC_CLIENT_ID, settings.OIDC_CLIENT_SECRET = running.url, CLIENT, SECRET
    settings.OIDC_NAME, settings.OIDC_ROLES = "Example", str(roles)
    settings.BASE_URL = "http://testserver"
    return SimpleNamespace(it=running, roles=roles, claims=running.claims)


@pytest.fixture
def dan(house):
    return people.create_user(email=DAN, name="Dan", by=system())


@pytest.fixture
def admin(directory, dan, house):
    directory.roles.write_text('[[group]]\nname = "judges"\nteam = "dogrulama"\nrole = "admin"\n')
    return come(directory)[0]
