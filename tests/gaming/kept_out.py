"""Players who are kept out, for tests. What is long past is made so from the start: no test moves a clock."""

import secrets
import zlib
from datetime import date, timedelta
from unittest import mock

from audit.actors import system
from compliance.people.exclusions import clock, services
from compliance.people.gate import permissions_of
from compliance.people.services import open_account, register_customer
from compliance.policy import policy_for
from compliance.policy.records import Period


def a_player(world, name, **facts):
    """Somebody who resembles nobody else."""
    born = date(1950 + zlib.crc32(name.encode()) % 50, 1, 1)
    customer = register_customer(
        licensee=world.licensee, full_name=name, birth_date=born, nationality="TR", by=world.alice, **facts
    )
    reference = f"P-{secrets.token_hex(5)}"
    return open_account(
        customer=customer, brand=world.brand, reference=reference, email=f"{reference}@example.com", by=world.alice
    )


def period(text):
    """ "6 month", "24 hour"; None for "open"."""
    if text == "open":
        return None
    amount, unit = text.split()
    return Period(amount=int(amount), unit=unit)


def rules_of(licensee):
    return policy_for(licensee.jurisdiction, on=licensee.today())


def excluded(account, *, kind="self_exclusion", term="6 month", asked_by="self", ago=timedelta(0), by=None, **more):
    """Somebody asked `ago`, by the rules of today."""
    started = clock.now() - ago
    with mock.patch.object(clock, "now", return_value=started):
        return services.start(
            account.customer,
            policy=rules_of(account.licensee),
            kind=kind,
            period=period(term),
            asked_by=asked_by,
            by=by or system(),
            **more,
        )


def stopped(account):
    """What the gate refuses now."""
    asked = permissions_of(account.licensee_id, account.reference)
    return {effect for effect, permission in asked.items() if not permission.allowed}
