"""Count what waits, in batches of 50: raw rows, customer states, rules and flags in one transaction of the database.

Exactly once: whoever counts holds the rows' locks and deletes them in the transaction that counts them. A worker that
dies gives all of it back; two workers never take the same row, and wait for each other's customers in one order.

Order: a customer's transactions are counted in the order of time. One that comes late makes the state anew from the raw
rows, and whatever fires only because of it is flagged then.
"""

import logging
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db import InterfaceError, OperationalError, connection, transaction
from django.utils import timezone

from audit.actors import system
from audit.record import record
from cases.patterns import feeds
from cases.patterns.closures import RuleBook
from cases.patterns.events import COLUMNS, Event
from cases.patterns.state import State
from cases.types.monitoring.rules import flags
from cases.types.monitoring.rules.book import book_for
from cases.types.monitoring.rules.flags import Hit
from cases.types.monitoring.transactions.models import CustomerState, Transaction, Waiting
from compliance.people import moving
from compliance.people.models import Customer, Licensee

BATCH: Final = 50
MOST_ATTEMPTS: Final = 5
AGAIN_AFTER: Final = timedelta(seconds=20)  # times the number of attempts

_log = logging.getLogger(__name__)

# Of the raw table, in the order in which rows are copied into it.
_KEPT: Final = (
    *("id", "at", "licensee_id", "customer_id", "account_id", "source_id", "kind", "amount", "currency", "instrument"),
    *("instrument_kind", "instrument_country", "holder_match", "device", "network", "ip_country", "proxy"),
    *("counterparty", "covered", "income", "nationality", "risk", "facts", "label", "accepted_at"),
)
_COUNTED: Final = ("nth", "shared_device", "shared_instrument", "shared_network")
_SHARED: Final = {"device": "shared_device", "instrument": "shared_instrument", "network": "shared_network"}
_PLACE: Final = {name: place for place, name in enumerate((*_KEPT, *_COUNTED))}
_EVENT: Final = tuple(_PLACE[name] for name in COLUMNS)

TAKE = f"""
SELECT position, {", ".join(_KEPT)} FROM transactions_waiting
WHERE parked_at IS NULL AND due_at <= clock_timestamp() {{only}} ORDER BY position LIMIT %s FOR UPDATE SKIP LOCKED
"""
COPY = f"COPY transactions_transaction ({', '.join((*_KEPT, *_COUNTED))}) FROM STDIN (FORMAT BINARY)"
TYPES: Final = (
    *("uuid", "timestamptz", "uuid", "uuid", "uuid", "varchar", "varchar", "int8", "varchar", "uuid"),
    *("varchar", "varchar", "int2", "uuid", "uuid", "varchar", "bool"),
    *("uuid", "int2", "int8", "varchar", "varchar", "int2", "varchar", "timestamptz"),
    *("int4", "int2", "int2", "int2"),
)
# In the order of ids, as every batch: two that share customers wait for each other and never in a circle.
STATES_KNOWN = "SELECT customer_id FROM transactions_customerstate WHERE customer_id = ANY(%s)"
STATES_MADE = """
INSERT INTO transactions_customerstate (customer_id, licensee_id, counted, series, data)
SELECT customer, licensee, 0, '', '' FROM unnest(%s::uuid[], %s::uuid[]) AS new (customer, licensee) ORDER BY customer
ON CONFLICT DO NOTHING
"""
STATES = """
SELECT customer_id, licensee_id, counted, last_at, last_id, series, data FROM transactions_customerstate
WHERE customer_id = ANY(%s) ORDER BY customer_id FOR UPDATE
"""
STATES_KEPT = """
UPDATE transactions_customerstate AS kept SET counted = new.counted, last_at = new.last_at, last_id = new.last_id,
    series = new.series, data = new.data
FROM unnest(%s::uuid[], %s::int[], %s::timestamptz[], %s::uuid[], %s::varchar[], %s::bytea[])
    AS new (customer, counted, last_at, last_id, series, data)
WHERE kept.customer_id = new.customer
"""
USES = """
INSERT INTO transactions_use (key, kind, customer_id, first_at)
SELECT * FROM unnest(%s::uuid[], %s::varchar[], %s::uuid[], %s::timestamptz[]) AS new (key, kind, customer, at)
ORDER BY key, customer ON CONFLICT (key, customer_id) DO NOTHING RETURNING key, customer_id
"""
USERS = """
INSERT INTO transactions_users (key, count) SELECT key, new FROM unnest(%s::uuid[], %s::int[]) AS fresh (key, new)
ORDER BY key ON CONFLICT (key) DO UPDATE SET count = transactions_users.count + EXCLUDED.count RETURNING key, count
"""
DONE = "DELETE FROM transactions_waiting WHERE position = ANY(%s)"


@dataclass(slots=True)
class _Customer:
    """A customer of the batch: its state as the database has it, and the new rows."""

    id: UUID
    licensee_id: UUID
    counted: int
    last_at: datetime | None
    last_id: UUID | None
    series: str
    data: bytes
    rows: list[list[Any]] = field(default_factory=list)

    @property
    def newest(self) -> tuple[datetime, int] | None:
        return (self.last_at, self.last_id.int) if self.last_at and self.last_id else None


class BatchFailed(Exception):
    """A batch could not be counted, for a reason in its rows or in us. Nothing of it was changed."""

    def __init__(self, positions: list[int]) -> None:
        super().__init__(f"{len(positions)} rows")
        self.positions = positions


def count_waiting(*, most: int = 10_000, batch: int = BATCH) -> int:
    """Count what is due, batch by batch, until nothing is or `most` are done; how many. Safe to run twice at once.

    Raises OperationalError and InterfaceError while the database is away: everything waits where it is.
    """
    done = 0
    while done < most:
        try:
            counted = count_batch(batch)
        except BatchFailed as error:
            _log.warning("A batch could not be counted (%s): its rows one by one.", type(error.__cause__).__name__)
            counted = _one_by_one(error.positions)
        if not counted:
            break
        done += counted
    return done


def count_batch(size: int = BATCH, *, position: int | None = None) -> int:
    """Count one batch, or the row at a position, in one transaction; how many rows it had. Raises BatchFailed."""
    taken: list[Any] = []
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(TAKE.format(only="" if position is None else f"AND position = {position:d}"), [size])
            taken = cursor.fetchall()
            if taken:
                _count(cursor, [list(row[1:]) for row in taken])
                cursor.execute(DONE, [[row[0] for row in taken]])
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:
        raise BatchFailed([row[0] for row in taken]) from error
    return len(taken)


def _one_by_one(positions: list[int]) -> int:
    """After trouble each row alone: what fails by itself is set back, and parked after five tries. How many moved."""
    moved = 0
    for position in positions:
        try:
            moved += count_batch(1, position=position)
        except BatchFailed as error:
            moved += _set_back(position, error)
    return moved


@transaction.atomic
def _set_back(position: int, error: BatchFailed) -> int:
    row = Waiting.objects.select_for_update(skip_locked=True).filter(position=position, parked_at=None).first()
    if row is None:
        return 0
    row.attempts += 1
    row.trouble = type(error.__cause__).__name__[:120]
    row.due_at = timezone.now() + AGAIN_AFTER * row.attempts
    if row.attempts >= MOST_ATTEMPTS:
        row.parked_at = timezone.now()
        record("transactions.park", by=system(), about=row, details={"trouble": row.trouble})
    row.save(update_fields=["attempts", "trouble", "due_at", "parked_at"])
    _log.error("A transaction could not be counted (attempt %s)", row.attempts, exc_info=error)
    return 1


def _count(cursor: Any, rows: list[list[Any]]) -> None:
    """`rows` hold _KEPT. Adds what is counted, keeps them, and asks the rules."""
    customers = _locked(cursor, rows)
    licensees = Licensee.objects.in_bulk({one.licensee_id for one in customers})
    by_licensee = defaultdict(list)
    for one in customers:
        by_licensee[one.licensee_id].append(one)
    work = [(licensees[key], book_for(licensees[key]), held) for key, held in sorted(by_licensee.items())]
    loaded = {one.id: State.load(bytes(one.data)) for one in customers}
    _note_shared(cursor, customers, loaded)
    _copy(cursor, [row for one in customers for row in one.rows])
    for licensee, book, held in work:
        now, hits = timezone.now(), list[Hit]()
        for one in held:
            hits += _counted(one, loaded[one.id], book, licensee)
        flags.raise_flags(hits, licensee=licensee, at=now)
        moving.tell(licensee, [_moved(row) for one in held for row in one.rows])
    _keep_states(cursor, customers)
    feeds.changed([one.id for one in customers])


def _locked(cursor: Any, rows: list[list[Any]]) -> list[_Customer]:
    """The states of the batch's customers, locked in the order of their ids, each with its rows in that of time."""
    whose = {row[_PLACE["customer_id"]]: row[_PLACE["licensee_id"]] for row in rows}
    cursor.execute(STATES_KNOWN, [list(whose)])
    if new := whose.keys() - {row[0] for row in cursor.fetchall()}:
        cursor.execute(STATES_MADE, [list(new), [whose[one] for one in new]])
    cursor.execute(STATES, [list(whose)])
    customers = {row[0]: _Customer(*row) for row in cursor.fetchall()}
    for row in sorted(rows, key=lambda row: (row[_PLACE["at"]], row[_PLACE["id"]].int)):
        one = customers[row[_PLACE["customer_id"]]]
        one.counted += 1
        one.rows.append([*row, one.counted, 0, 0, 0])
    return list(customers.values())


def _note_shared(cursor: Any, customers: Iterable[_Customer], states: dict[UUID, State]) -> None:
    """What a customer uses for the first time: how many customers are known to use it now, into the row."""
    first: dict[tuple[UUID, UUID], tuple[str, list[Any]]] = {}
    for one in customers:
        used = states[one.id].used
        for row in one.rows:
            for kind in _SHARED:
                thing = row[_PLACE[kind]]
                if thing is not None and thing.hex not in used:
                    first.setdefault((thing, one.id), (kind, row))
    if not first:
        return
    facts = [(key, kind, customer, row[_PLACE["at"]]) for (key, customer), (kind, row) in first.items()]
    cursor.execute(USES, [list(column) for column in zip(*facts, strict=True)])
    new = cursor.fetchall()
    joined: dict[UUID, list[UUID]] = defaultdict(list)
    for key, customer in new:
        joined[key].append(customer)
    if not joined:
        return
    cursor.execute(USERS, [list(joined), [len(who) for who in joined.values()]])
    for key, users in cursor.fetchall():
        # Two of one batch: in the order of time the first of them knew of one less.
        arrived = sorted(joined[key], key=lambda customer: first[key, customer][1][_PLACE["at"]])
        for behind, customer in enumerate(reversed(arrived)):
            kind, row = first[key, customer]
            row[_PLACE[_SHARED[kind]]] = min(users - behind, 32_767)


def _copy(cursor: Any, rows: Iterable[Sequence[Any]]) -> None:
    with cursor.copy(COPY) as copy:
        copy.set_types(TYPES)
        for row in rows:
            copy.write_row(row)


def _counted(one: _Customer, state: State, book: RuleBook, licensee: Licensee) -> list[Hit]:
    """The state with the new rows in it, and what fired."""
    events = [_event(row, licensee) for row in one.rows]
    in_order = one.newest is None or events[0].order > one.newest
    if in_order and (one.series == book.digest or one.newest is None):
        hits = []
        for event in events:
            book.take(event, state)
            hits += [
                Hit(rule, event, rule.explain(event, state), one.counted)  # type: ignore[arg-type]
                for rule in book.ask(event, state)
            ]
    else:
        state, hits = _made_anew(one, {event.id for event in events}, book, licensee)
    newest = max(event.order for event in events)
    if one.newest is None or newest > one.newest:
        one.last_at, one.last_id = newest[0], UUID(int=newest[1])
    one.series, one.data = book.digest, state.dump()
    return hits


def _moved(row: Sequence[Any]) -> moving.Moved:
    return row[_PLACE["customer_id"]], row[_PLACE["at"]], row[_PLACE["kind"]]


def _event(row: Sequence[Any], licensee: Licensee) -> Event:
    return Event(tuple(row[place] for place in _EVENT), licensee.zone)


def _made_anew(one: _Customer, new: set[UUID], book: RuleBook, licensee: Licensee) -> tuple[State, list[Hit]]:
    """From all raw rows, which hold the new ones by now. What would have fired without them is known already."""
    rows = Transaction.objects.filter(customer_id=one.id).order_by("at", "id").values_list(*COLUMNS)
    events = [Event(row, licensee.zone) for row in rows]
    since = min(event.order for event in events if event.id in new)
    before, _state = _walk((event for event in events if event.id not in new), since, book, one.counted)
    after, state = _walk(events, since, book, one.counted)
    known = {(hit.rule.rule_id, hit.event.id) for hit in before}
    return state, [hit for hit in after if (hit.rule.rule_id, hit.event.id) not in known]


def counted(customer: Customer) -> feeds.Counted | None:
    """The state of a customer as it is now; made from the raw rows, and not kept, where it lacks a series."""
    kept = CustomerState.objects.filter(pk=customer.pk).exclude(last_at=None).first()
    if kept is None or kept.last_at is None:
        return None
    book = book_for(customer.licensee)
    if kept.series == book.digest:
        return feeds.Counted(State.load(bytes(kept.data)), kept.last_at)
    state = State()
    rows = Transaction.objects.filter(customer_id=customer.pk).order_by("at", "id").values_list(*COLUMNS)
    for event in (Event(row, customer.licensee.zone) for row in rows):
        book.take(event, state)
    return feeds.Counted(state, kept.last_at)


feeds.read_by(counted)


def _walk(events: Iterable[Event], since: tuple[datetime, int], book: RuleBook, seen: int) -> tuple[list[Hit], State]:
    """Let a new state meet the events, and ask the rules at those from `since` on."""
    state, hits = State(), list[Hit]()
    for event in events:
        book.take(event, state)
        if event.order >= since:
            fired = book.ask(event, state)
            hits += [Hit(rule, event, rule.explain(event, state), seen) for rule in fired]  # type: ignore[arg-type]
    return hits, state


def _keep_states(cursor: Any, customers: Sequence[_Customer]) -> None:
    columns = zip(
        *((one.id, one.counted, one.last_at, one.last_id, one.series, one.data) for one in customers), strict=True
    )
    cursor.execute(STATES_KEPT, [list(column) for column in columns])
