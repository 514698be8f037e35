"""Many at once against one limit, on real commits: whatever the order, the limit is never passed."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connections
from django.utils import timezone

from audit import context
from audit.actors import system
from cases.types.gaming.limits import checks, ledger, services
from tests.limits.conftest import a_player

LIMIT, EACH, MANY, THREADS = 10_000, 300, 200, 16


@pytest.fixture
def account(committed):
    with context.use(context.new("test")):
        account, player = a_player("MT")
        services.ask(account, measure="deposit", span="day", amount=LIMIT, currency="EUR", window="rolling", by=player)
        return account


def test_200_deposits_at_once_never_pass_the_limit(account):
    """Each asks for room and, when it got some, reports its deposit or gives the room back, as platforms do."""

    def deposit(number):
        source_id = f"PAY-{number}"
        try:
            with context.use(context.new("test")):
                facts = {"act": "deposit", "currency": "EUR", "amount": EACH, "source_id": source_id}
                if not checks.reserve(account, by=system(), **facts).fits:
                    return 0
                if number % 7 == 0:
                    ledger.release(account, source_id, by=system())
                    return 0
                event = ledger.Reported(source_id, "deposit", EACH, timezone.now())
                ledger.take(account, "EUR", [event], by=system())
                return EACH
        finally:
            connections.close_all()

    with ThreadPoolExecutor(THREADS) as pool:
        deposited = sum(pool.map(deposit, range(MANY)))
    with context.use(context.new("test")):
        found = checks.check(account, act="deposit", currency="EUR")
    assert LIMIT - EACH < deposited <= LIMIT, "and the room is used up to the last deposit that fits"
    assert (found.bounds[0].used, found.bounds[0].reserved) == (deposited, 0)
    assert found.allowed == LIMIT - deposited
