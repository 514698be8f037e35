"""Filling the indexes of what was there before them: last four of a number, a name in Latin letters.

Rows that were filled are not found again, so a run that was cut off goes on where it was. What may not be opened any
more (an erased player) is passed over; what should open and does not is counted and named in the log.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.db import transaction
from django.db.models import Model, Q, QuerySet

from compliance.keys.services import IndexPurpose, NotOpened, Shredded, blind_index, open_sealed
from compliance.people.contacts import tail
from compliance.people.latin import latin
from compliance.people.models import Customer

BATCH: Final = 500
OTHER_SCRIPT: Final = "[\u0370-\u03ff\u0400-\u04ff\u0600-\u06ff]"
Say = Callable[[int, int], None]
log = logging.getLogger(__name__)


@dataclass(slots=True)
class Filled:
    """`read` rows were looked at, `filled` got an index, `unreadable` should have opened and did not."""

    read: int = 0
    filled: int = 0
    unreadable: int = 0


def nothing(done: int, total: int) -> None:
    """Nobody watches."""


def fill(
    rows: QuerySet[Any], index: Callable[[Any], bool], fields: Sequence[str], *, say: Say = nothing, batch: int = BATCH
) -> Filled:
    """Walk `rows` by their key, each batch one transaction. `index` sets the `fields` of one; whether it had any.

    A row that somebody else holds is left to the next run: two runs at once do not wait for each other.
    """
    found, total, after = Filled(), rows.count(), None
    while True:
        with transaction.atomic():
            some = rows.order_by("pk") if after is None else rows.order_by("pk").filter(pk__gt=after)
            held = list(some.select_for_update(of=("self",), skip_locked=True, no_key=True)[:batch])
            done = [row for row in held if _indexed(row, index, found)]
            type(held[0])._default_manager.bulk_update(done, fields) if done else None
        found.read, found.filled = found.read + len(held), found.filled + len(done)
        say(min(found.read, total), total)
        if len(held) < batch:
            return found
        after = held[-1].pk


def _indexed(row: Model, index: Callable[[Any], bool], found: Filled) -> bool:
    try:
        return index(row)
    except Shredded:
        return False
    except NotOpened as error:
        log.error("%s %s: %s", type(row).__name__, row.pk, error)
        found.unreadable += 1
        return False


def fill_customers(*, say: Say = nothing, batch: int = BATCH) -> Filled:
    """Last four of the national id, and a name of another script in Latin letters."""
    lacking = Q(national_id_sealed__isnull=False, national_id_tail_index=None)
    lacking |= Q(name_latin="", name_fold__regex=OTHER_SCRIPT)
    return fill(
        Customer.objects.filter(lacking), _index, ["national_id_tail_index", "name_latin"], say=say, batch=batch
    )


def _index(customer: Customer) -> bool:
    before = (customer.national_id_tail_index, customer.name_latin)
    customer.name_latin = customer.name_latin or latin(customer.name_fold)
    if customer.national_id_sealed is not None and customer.national_id_tail_index is None:
        sealed = bytes(customer.national_id_sealed)
        number = open_sealed(customer.audit_subject, "national_id", sealed, aad=customer.pk.bytes).decode()
        customer.national_id_tail_index = blind_index(IndexPurpose.NUMBER_TAIL, tail(number))
    return before != (customer.national_id_tail_index, customer.name_latin)
