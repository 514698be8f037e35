"""A licensee in any jurisdiction, a player with an account there, and the platform's key."""

import secrets
from datetime import UTC, date, datetime, timedelta

import pytest
from django.utils import timezone

from audit import context
from audit.actors import system
from cases.types.gaming.limits import services
from cases.types.gaming.limits.player import Player
from compliance.people.services import create_brand, create_licensee, open_account, register_customer
from compliance.platform.scopes import Scope
from compliance.platform.services import issue_key
from compliance.policy import policy_for
from tests.world import a_world

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)  # a Wednesday
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
CURRENCIES = {"GB": "GBP", "SE": "SEK", "TR": "TRY", "DK": "DKK"}


@pytest.fixture
def in_context():
    with context.use(context.new("test")) as here:
        yield here


@pytest.fixture
def world(db, in_context):
    return a_world()


def a_player(jurisdiction="TR", zone="UTC", born=date(1991, 3, 14), licensee=None, brand=None):
    """A player with an account at a licensee under this law, of its own unless one is given. No staff: that is dear."""
    tag = secrets.token_hex(4)
    facts = {"slug": f"l-{tag}", "jurisdiction": jurisdiction, "time_zone": zone}
    licensee = licensee or create_licensee(name=f"Licensee {tag}", by=system(), **facts)
    brand = brand or create_brand(licensee=licensee, name=f"Brand {tag}", slug=f"b-{tag}", by=system())
    customer = register_customer(
        licensee=licensee, full_name="Bob", birth_date=born, nationality="TR", national_id=None, address="", by=system()
    )
    account = open_account(
        customer=customer,
        brand=brand,
        reference=f"P-{tag}",
        email="bob@example.com",
        phone=None,
        language="tr",
        time_zone=zone,
        by=system(),
    )
    return account, Player(account.pk)


def a_key(world, *scopes):
    expires = timezone.now() + timedelta(days=1)
    facts = {"owner": world.bob, "licensee": world.licensee, "name": "platform", "expires_at": expires}
    scopes = scopes or [Scope.LIMITS_CHECK, Scope.LIMITS_READ, Scope.LIMITS_WRITE, Scope.MONEY_WRITE]
    key, token = issue_key(**facts, scopes=list(scopes), created_by=world.bob, by=world.bob)
    return key, {"Authorization": f"Bearer {token}"}


@pytest.fixture
def under(db, in_context):
    """`under("SE")`: a player there and a way to ask for limits."""

    def under(jurisdiction, zone="UTC", **facts):
        account, player = a_player(jurisdiction, zone, **facts)
        currency = CURRENCIES.get(jurisdiction, "EUR")

        def ask(amount, span="month", measure="deposit", now=NOON, **more):
            given = {"measure": measure, "span": span, "amount": amount, "by": player, "now": now}
            given["currency"] = "" if measure == "session" else currency
            return services.ask(account, **given | more)

        ask.account, ask.player, ask.policy = account, player, policy_for(jurisdiction, on=date(2026, 11, 25))
        return ask

    return under
