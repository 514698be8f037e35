"""Accept what platforms report: keep it in the transaction that answers them; a worker counts it at once.

Life of a transaction: accepted (`Waiting`, its source id in `Source`), counted by `rules.counting` (`Transaction`, the
customer's state, rules, flags), erased when its period is over.
"""

import hashlib
import hmac
import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from audit.actors import Acts
from audit.record import ObjectRef, record
from cases.patterns.kinds import FACTS, Shared
from cases.types.monitoring.transactions.likeness import likeness
from cases.types.monitoring.transactions.models import PaymentInstrument, Source, Transaction, Waiting
from cases.types.monitoring.transactions.reading import Row, Wrong
from compliance.keys.services import IndexPurpose, blind_index, seal
from compliance.outbox.services import wake
from compliance.people.models import Account, Customer, Licensee, RiskFact

MOST_ROWS: Final = 500
COUNT: Final = "monitoring.count"  # the task that counts what waits
HOLDER: Final = "transactions.holder"
LOG: Final = "aml"


class RowsRefused(Exception):
    """Some rows cannot be accepted, so none was. `wrong` says which and why."""

    def __init__(self, wrong: Sequence[Wrong]) -> None:
        super().__init__(f"{len({one.row for one in wrong})} rows cannot be accepted; none was.")
        self.wrong = list(wrong)


@dataclass(frozen=True, slots=True)
class Accepted:
    """How many rows are new, and how many were accepted before, word for word the same."""

    accepted: int
    known: int


@transaction.atomic
def accept(licensee: Licensee, rows: Sequence[Row], *, by: Acts) -> Accepted:
    """Keep all rows, or raise RowsRefused and keep none. The same row twice is kept once. One entry for the batch."""
    found = keep(licensee, rows)
    digest = hashlib.sha256("\n".join(row.source_id for row in rows).encode()).hexdigest()
    details = {"accepted": found.accepted, "known": found.known, "digest": digest}
    record("transactions.accept", by=by, about=ObjectRef("licensee", str(licensee.pk)), details=details, log=LOG)
    return found


@transaction.atomic
def keep(licensee: Licensee, rows: Sequence[Row]) -> Accepted:
    """As `accept`, without an entry: the caller writes one for many batches."""
    accounts = _accounts(licensee, rows)
    wrong = [one for number, row in enumerate(rows) for one in _unknown(number, row, accounts)]
    if wrong:
        raise RowsRefused(wrong)
    digests = {number: _digest(row) for number, row in enumerate(rows)}
    ids = [transaction_id(licensee.pk, row.source_id) for row in rows]
    new = _new(ids, digests)
    fresh = [(ids[number], rows[number]) for number in new]
    if fresh:
        months({row.at.date() for _id, row in fresh})
        instruments = _instruments(licensee, [row for _id, row in fresh], accounts)
        facts = _facts({accounts[row.account].customer_id for _id, row in fresh})
        waiting = [_waiting(pk, row, accounts, instruments, facts, licensee.pk) for pk, row in fresh]
        Waiting.objects.bulk_create(waiting, batch_size=MOST_ROWS)
        wake(COUNT)
    return Accepted(len(fresh), len(rows) - len(fresh))


@transaction.atomic
def sent(licensee: Licensee, source_ids: Sequence[str], *, by: Acts) -> list[Waiting | Transaction]:
    """What was accepted under these of the platform's numbers, counted or not yet; in their order. One entry."""
    wanted = [transaction_id(licensee.pk, name) for name in source_ids]
    found: dict[UUID, Waiting | Transaction] = {}
    for model in (Waiting, Transaction):  # in this order: what is counted meanwhile is in the second
        found |= {row.id: row for row in model.objects.filter(id__in=wanted, licensee=licensee)}
    digest = hashlib.sha256("\n".join(source_ids).encode()).hexdigest()
    details = {"rows": len(found), "digest": digest}
    record("transactions.read", by=by, about=ObjectRef("licensee", str(licensee.pk)), details=details, log=LOG)
    return [found[one] for one in dict.fromkeys(wanted) if one in found]


def transaction_id(licensee_id: UUID, source_id: str) -> UUID:
    """The id of the one transaction that the licensee's platform calls so."""
    return UUID(bytes=hashlib.blake2b(source_id.encode(), digest_size=16, key=licensee_id.bytes).digest())


def months(days: Iterable[date]) -> int:
    """Make sure that the raw table has a place for these days; how many months were made."""
    wanted, made = {day.replace(day=1) for day in days}, 0
    with connection.cursor() as cursor:
        for month in sorted(wanted):
            cursor.execute("SELECT transactions_add_month(%s)", [month])
            made += int(cursor.fetchone()[0])
    return made


def keyed(licensee_id: UUID, kind: str, value: str) -> UUID:
    """A digest under the installation's key that is the same for the same thing at one licensee, and says nothing."""
    return UUID(bytes=hmac.digest(_key(kind), licensee_id.bytes + value.encode(), hashlib.sha256)[:16])


@lru_cache(maxsize=16)
def _key(kind: str) -> bytes:
    return blind_index(IndexPurpose.TRANSACTIONS, kind)


def network_of(address: str) -> str:
    """The /24 of an IPv4 address, the /48 of an IPv6 one."""
    width = 24 if ipaddress.ip_address(address).version == 4 else 48
    return str(ipaddress.ip_network(f"{address}/{width}", strict=False))


def _accounts(licensee: Licensee, rows: Sequence[Row]) -> dict[str, Account]:
    references = {row.account for row in rows} | {row.counterparty for row in rows if row.counterparty}
    found = Account.objects.filter(licensee=licensee, reference__in=references, released_at=None)
    return {account.reference: account for account in found.select_related("customer")}


def _unknown(number: int, row: Row, accounts: Mapping[str, Account]) -> list[Wrong]:
    words = _("There is no account with this reference. Open it first.")
    given = {"account": row.account, "counterparty": row.counterparty}
    return [
        Wrong(number, field, "no_account", words) for field, value in given.items() if value and value not in accounts
    ]


def _digest(row: Row) -> UUID:
    said = "\x00".join(str(getattr(row, name)) for name in Row.__slots__ if name != "label")
    return UUID(bytes=hashlib.blake2b(said.encode(), digest_size=16).digest())


def _new(ids: Sequence[UUID], digests: Mapping[int, UUID]) -> list[int]:
    """The places of the rows that were never accepted. Raises RowsRefused where an id said something else before."""
    first: dict[UUID, int] = {}
    for number, pk in enumerate(ids):
        first.setdefault(pk, number)
    with connection.cursor() as cursor:
        cursor.execute(SOURCES, [list(first), [digests[number] for number in first.values()]])
        new = {row[0] for row in cursor.fetchall()}
    known = dict(Source.objects.filter(pk__in=set(ids)).values_list("pk", "digest"))
    words = _("This source_id was used for another transaction. Each transaction needs its own.")
    wrong = [
        Wrong(number, "source_id", "source_id_reused", words)
        for number, pk in enumerate(ids)
        if known[pk] != digests[number]
    ]
    if wrong:
        raise RowsRefused(wrong)
    return sorted(first[pk] for pk in new)


# In the order of ids: two requests with the same rows wait for each other and never in a circle.
SOURCES: Final = """
INSERT INTO transactions_source (id, digest) SELECT id, digest FROM unnest(%s::uuid[], %s::uuid[]) AS new (id, digest)
ORDER BY id ON CONFLICT (id) DO NOTHING RETURNING id
"""


def _instruments(
    licensee: Licensee, rows: Sequence[Row], accounts: Mapping[str, Account]
) -> dict[tuple[UUID, UUID], int | None]:
    """The likeness of holder and customer by customer and instrument. New instruments are written down, sealed."""
    used: dict[tuple[UUID, UUID], Row] = {}
    for row in rows:
        if row.instrument_id:
            key = keyed(licensee.pk, Shared.INSTRUMENT, row.instrument_id)
            pair = (accounts[row.account].customer_id, key)
            if pair not in used or (row.holder and not used[pair].holder):
                used[pair] = row
    customers = {account.customer_id: account.customer for account in accounts.values()}
    known = PaymentInstrument.objects.filter(customer_id__in={pair[0] for pair in used}, key__in={k for _c, k in used})
    matches = {(row.customer_id, row.key): row.holder_match for row in known}
    for pair in sorted(used.keys() - matches.keys(), key=str):
        matches[pair] = _noted(customers[pair[0]], pair[1], used[pair])
    # The same instrument under another holder's name: what this row says counts for this row.
    for pair, row in used.items():
        if row.holder:
            matches[pair] = likeness(row.holder, customers[pair[0]].full_name)
    return matches


def _noted(customer: Customer, key: UUID, row: Row) -> int | None:
    found = PaymentInstrument(
        customer=customer,
        key=key,
        kind=row.instrument_kind,
        country=row.instrument_country,
        tail=row.instrument_tail,
        first_seen_at=row.at,
    )
    if row.holder and customer.full_name:
        found.holder_match = likeness(row.holder, customer.full_name)
        found.holder_sealed = seal(found.audit_subject, HOLDER, row.holder.encode(), aad=found.pk.bytes)
    PaymentInstrument.objects.bulk_create([found], ignore_conflicts=True)
    return found.holder_match


def _facts(customers: Iterable[UUID]) -> dict[UUID, int]:
    """What is known of the customers now, as `kinds.Fact`."""
    found: dict[UUID, int] = {}
    rows = RiskFact.objects.filter(customer_id__in=list(customers), code__in=list(FACTS), ended_at=None)
    for customer, code, until in rows.values_list("customer_id", "code", "until"):
        if until is None or until >= timezone.now().date():
            found[customer] = found.get(customer, 0) | FACTS[code]
    return found


def _waiting(
    pk: UUID,
    row: Row,
    accounts: Mapping[str, Account],
    instruments: Mapping[tuple[UUID, UUID], int | None],
    facts: Mapping[UUID, int],
    licensee_id: UUID,
) -> Waiting:
    account = accounts[row.account]
    instrument = keyed(licensee_id, Shared.INSTRUMENT, row.instrument_id) if row.instrument_id else None
    things: dict[str, Any] = {
        "device": keyed(licensee_id, Shared.DEVICE, row.device_id) if row.device_id else None,
        "network": keyed(licensee_id, Shared.NETWORK, network_of(row.ip_address)) if row.ip_address else None,
        "counterparty": accounts[row.counterparty].customer_id if row.counterparty else None,
        "holder_match": instruments.get((account.customer_id, instrument)) if instrument else None,
    }
    return Waiting(
        id=pk,
        at=row.at,
        licensee_id=licensee_id,
        customer_id=account.customer_id,
        account_id=account.pk,
        source_id=row.source_id,
        kind=row.kind,
        amount=row.amount,
        currency=row.currency,
        instrument=instrument,
        instrument_kind=row.instrument_kind,
        instrument_country=row.instrument_country,
        ip_country=row.ip_country,
        proxy=row.proxy,
        covered=row.covered_percent,
        income=row.declared_income,
        nationality=account.customer.nationality,
        risk=account.customer.risk,
        facts=facts.get(account.customer_id, 0),
        label=row.label,
        **things,
    )


@transaction.atomic
def retry_parked(*, by: Acts) -> int:
    """Have counted again what was set aside; how many rows."""
    rows = Waiting.objects.exclude(parked_at=None).update(parked_at=None, attempts=0, due_at=timezone.now())
    record("transactions.retry", by=by, about=ObjectRef("list", "waiting"), details={"rows": rows}, log=LOG)
    if rows:
        wake(COUNT)
    return rows
