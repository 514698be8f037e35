"""What others may read of counted transactions: amounts and times, nothing of the compartment."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from cases.types.monitoring.transactions.models import Transaction
from compliance.people import moving
from compliance.people.moving import Movement

_COLUMNS = ("id", "at", "accepted_at", "counted_at", "account_id", "kind", "instrument_kind", "amount", "currency")


def read(customer: UUID, kinds: Collection[str], since: datetime | None, until: datetime | None) -> list[Movement]:
    """By the index on customer and time. Rows counted before we kept when they came are known since they counted."""
    rows = Transaction.objects.filter(customer_id=customer, kind__in=list(kinds))
    rows = rows if since is None else rows.filter(at__gte=since)
    rows = rows if until is None else rows.filter(at__lt=until)
    return [
        Movement(pk, at, accepted_at or counted_at, account, kind, by, amount, currency)
        for pk, at, accepted_at, counted_at, account, kind, by, amount, currency in rows.values_list(*_COLUMNS)
    ]


moving.read_by(read)
