"""Questions to the log: search page by page, one entry, the entries of a case, how the log fares."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from typing import Any
from uuid import UUID

from django.apps import apps
from django.db import connections, transaction
from django.db.utils import OperationalError
from psycopg.errors import QueryCanceled

from audit import moments
from audit.canonical import canonical
from audit.packing import unpack
from audit.record import flaw_of, query_digest
from audit.registry import actions

PAGE = 50
SECONDS = 5  # a page's question; above, the page asks for fewer days
# Objects that live longer than a case: what is done to them belongs to the customer's history, not to the case's.
WIDER_THAN_A_CASE = ("account", "customer", "person", "subjectkey", "user")
_COLUMNS = """e.log, e.event_id, e.at, e.actor_kind, e.actor_id, e.action, e.object_kind, e.object_id, e.subject_kind,
       e.subject_id, e.matter, e.outcome, e.request_id, e.entry"""


class NoSuchEntry(LookupError):
    """No entry has this number in this log."""


@dataclass(frozen=True)
class Row:
    """An entry as pages show it. `seq` is its index in the log's tree, None until it has its place."""

    seq: int | None
    flag: str | None
    log: str
    event_id: UUID
    at: datetime
    actor_kind: str
    actor_id: str
    action: str
    object_kind: str
    object_id: str
    subject_kind: str | None
    subject_id: str | None
    matter: str | None
    outcome: str
    request_id: str
    entry: bytes

    @cached_property
    def facts(self) -> dict[str, Any]:
        """The entry itself (audit.record); empty for what this product did not write, which may have any shape."""
        flaw = self.flag if self.seq is not None else flaw_of(bytes(self.entry), self.log)
        return {} if flaw else json.loads(bytes(self.entry))

    @property
    def reason(self) -> str:
        return str(self.facts.get("reason", {}).get("code", ""))

    @property
    def refused(self) -> bool:
        return self.outcome == "refused"


@dataclass(frozen=True)
class Query:
    """What is searched for; every field that is set must fit. Days are UTC, both included. `actors` and `subjects`
    are ids. `only` is "reads" (looking, searching, taking out) or "changes" (all else).
    """

    log: str = "main"
    matter: str | None = None
    subjects: Sequence[str] = ()
    actors: Sequence[str] = ()
    action: str | None = None
    object_kind: str | None = None
    object_id: str | None = None
    outcome: str | None = None
    request_id: str | None = None
    only: str | None = None
    from_on: date | None = None
    to_on: date | None = None

    def conditions(self) -> tuple[list[str], list[Any]]:
        action = self.action or ""
        found: list[tuple[str, Any]] = [("e.log = %s", self.log)]
        choices = (
            ("e.matter = %s", self.matter),
            ("e.subject_id = ANY(%s)", list(self.subjects)),
            ("e.actor_id = ANY(%s)", list(self.actors)),
            # "verification." is everything of one kind. In the collation of the index, whatever the database's is.
            ('e.action COLLATE "C" BETWEEN %s AND %s', _one_kind(action) if action.endswith(".") else None),
            ('e.action COLLATE "C" = %s', action if not action.endswith(".") else None),
            ('e.action COLLATE "C" = ANY(%s)', reads() if self.only == "reads" else None),
            ('e.action COLLATE "C" <> ALL(%s)', reads() if self.only == "changes" else None),
            ("e.object_kind = %s", self.object_kind),
            ("e.object_id = %s", self.object_id),
            ("e.outcome = %s", self.outcome),
            ("e.request_id = %s", self.request_id),
            *self._days(),
        )
        found += [(text, value) for text, value in choices if value]
        values = [part for _, value in found for part in (value if isinstance(value, tuple) else (value,))]
        return [text for text, _ in found], values

    def _days(self) -> list[tuple[str, Any]]:
        """The days themselves, and where about in the log they lie: so an old day is found without reading the new."""
        found: list[tuple[str, Any]] = []
        if self.from_on:
            starts = datetime.combine(self.from_on, time(), UTC)
            found += [("e.at >= %s", starts), (f"e.id >= ({moments.ID})", starts - moments.LATE)]
        if self.to_on:
            ends = datetime.combine(self.to_on + timedelta(days=1), time(), UTC)
            found += [("e.at < %s", ends), (f"e.id < ({moments.ID})", ends + moments.LATE)]
        return found

    def normal_form(self) -> dict[str, Any]:
        """For the log: what was asked, without what was left open."""
        asked = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return {name: value for name, value in asked.items() if value}

    def without_words(self) -> dict[str, Any]:
        """The same for the log to keep: ids, numbers and codes as they are, what somebody typed by its digest.

        A name, an address or a national id is typed to find somebody. The entry would hold it under the installation's
        key, where the erasure of that person does not reach; the ids that it stood for are in the entry.
        """
        return {name: _without_words(name, value) for name, value in self.normal_form().items()}

    def digest_source(self) -> bytes:
        return canonical(self.normal_form())


_CODE = re.compile(
    r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{32}|[0-9a-f]{64}|[A-Z]{2,4}-[0-9]{2}-[0-9]{6}-[0-9]|[0-9]{1,9}"
)


def is_code(name: str, text: str) -> bool:
    """Whether `text` is a value that the product made, and nothing that a person typed to find somebody."""
    if name == "action":
        return text in actions() or any(known.startswith(text) for known in actions() if text.endswith("."))
    if name == "object_kind":
        return text in LOGS_OWN_KINDS or any(model._meta.model_name == text for model in apps.get_models())
    return name not in WORDS or text in LOGS_OWN_IDS or _CODE.fullmatch(text) is not None


def _without_words(name: str, value: Any) -> Any:
    if isinstance(value, str):
        return value if is_code(name, value) else f"typed:{query_digest(value)}"
    return [_without_words(name, one) for one in value] if isinstance(value, list | tuple) else value


# What a filter may hold that somebody typed, and what the log itself is called in those.
WORDS = ("actors", "subjects", "matter", "object_id", "request_id")
LOGS_OWN_IDS = ("main", "aml", "system", "anonymous")
LOGS_OWN_KINDS = ("anchor", "entry", "list", "log", "query", "route")

# Verbs of looking and taking out.
READING = ("export", "list", "prove", "read", "reveal", "search", "take_list", "take_counts", "list_counts", "view")


def reads() -> list[str]:
    """The actions that are looking and not changing."""
    return sorted(name for name in actions() if name.rpartition(".")[2] in READING)


def _one_kind(prefix: str) -> tuple[str, str]:
    return prefix, prefix + "\U0010ffff"


class TooSlow(Exception):
    """The question would have kept the database busy for longer than a page may."""


def search(query: Query, *, before: UUID | None = None, limit: int = PAGE) -> list[Row]:
    """The newest entries that fit, newest first; `before` continues after the last row of the page before.

    Raises TooSlow after `SECONDS`: what no index helps with would read the whole log. Days make it small.
    """
    conditions, values = query.conditions()
    if before is not None:
        conditions.append(
            "e.id < (SELECT coalesce((SELECT entry_id FROM audit_leaf WHERE event_id = %s), "
            "(SELECT p.entry_id FROM audit_pending p JOIN audit_entry w ON w.id = p.entry_id WHERE w.event_id = %s)))"
        )
        values += [before, before]
    fitting = f"SELECT * FROM audit_entry e WHERE {' AND '.join(conditions)}"
    if query.request_id:
        # A request has few entries, but statistics over millions do not know: without the fence (OFFSET 0) the planner
        # walks the log from its end in the hope of meeting them soon.
        fitting = f"SELECT * FROM ({fitting} OFFSET 0) e"
    # The page's rows first, then their places: else the planner may join before it limits.
    return _in_time(
        f"SELECT l.seq, l.flag, {_COLUMNS} FROM ({fitting} "
        "ORDER BY e.id DESC LIMIT %s) e LEFT JOIN audit_leaf l ON l.entry_id = e.id ORDER BY e.id DESC",
        [*values, limit],
    )


@dataclass(frozen=True)
class Reader:
    """Somebody who looked: how often, and when first and last."""

    actor_kind: str
    actor_id: str
    action: str
    times: int
    first_at: datetime
    last_at: datetime


def readers(query: Query, *, limit: int = 200) -> list[Reader]:
    """Who looked at what the query names, the latest first. Raises TooSlow."""
    conditions, values = query.conditions()
    sql = (
        "SELECT e.actor_kind, e.actor_id, e.action, count(*), min(e.at), max(e.at) FROM audit_entry e "
        f"WHERE {' AND '.join(conditions)} GROUP BY 1, 2, 3 ORDER BY 6 DESC LIMIT %s"
    )
    return [Reader(*row) for row in _fetched_in_time(sql, [*values, limit])]


def _in_time(sql: str, values: Sequence[Any]) -> list[Row]:
    return list(map(_row, _fetched_in_time(sql, values)))


def _fetched_in_time(sql: str, values: Sequence[Any]) -> list[Any]:
    try:
        with transaction.atomic(), connections["default"].cursor() as cursor:
            cursor.execute("SELECT set_config('statement_timeout', %s, true)", [f"{SECONDS}s"])
            cursor.execute(sql, values)
            found: list[Any] = cursor.fetchall()
            cursor.execute("SET LOCAL statement_timeout TO DEFAULT")  # of the connection: the web's has a limit
    except OperationalError as error:
        if isinstance(error.__cause__, QueryCanceled):
            raise TooSlow(TooSlow.__doc__) from None
        raise
    return found


def entry(log: str, seq: int) -> Row:
    rows = _rows(
        f"SELECT l.seq, l.flag, {_COLUMNS} FROM audit_leaf l JOIN audit_entry e ON e.id = l.entry_id "
        "WHERE l.log = %s AND l.seq = %s",
        [log, seq],
    )
    if not rows:
        raise NoSuchEntry(NoSuchEntry.__doc__)
    return rows[0]


def same_request(row: Row, *, limit: int = PAGE) -> list[Row]:
    """What else the same request did, oldest first. Requests are short: the neighbourhood is searched, not the log."""
    return _rows(
        f"SELECT l.seq, l.flag, {_COLUMNS} FROM audit_entry e LEFT JOIN audit_leaf l ON l.entry_id = e.id "
        "WHERE e.log = %s AND e.request_id = %s AND e.at BETWEEN %s::timestamptz - interval '10 minutes' "
        "AND %s::timestamptz + interval '10 minutes' ORDER BY e.id LIMIT %s",
        [row.log, row.request_id, row.at, row.at, limit],
    )


def of_matter(matter: str, *, log: str = "main", size: int | None = None) -> list[Row]:
    """The entries of a case, oldest first: those that name it, and what its requests did to its objects.

    Documents know no case, so their entries do not name one: they are found by the request that brought them, and
    through them what happened to the same documents later. `size` leaves out what has no place below it.
    """
    return _rows(
        f"""
WITH own AS (SELECT id, subject_id, request_id, object_kind, object_id FROM audit_entry WHERE log = %s AND matter = %s),
of_subjects AS (
    SELECT id, request_id, object_kind, object_id FROM audit_entry
    WHERE log = %s AND matter IS NULL AND subject_id IN (SELECT subject_id FROM own)
),
brought AS (
    SELECT id, object_kind, object_id FROM of_subjects
    WHERE request_id IN (SELECT request_id FROM own) AND object_kind <> ALL(%s)
),
objects AS (SELECT object_kind, object_id FROM brought),
wanted AS (
    SELECT id FROM own UNION SELECT id FROM brought
    UNION SELECT id FROM of_subjects WHERE (object_kind, object_id) IN (SELECT object_kind, object_id FROM objects)
)
SELECT l.seq, l.flag, {_COLUMNS} FROM wanted JOIN audit_entry e ON e.id = wanted.id
LEFT JOIN audit_leaf l ON l.entry_id = e.id WHERE %s::bigint IS NULL OR l.seq < %s::bigint ORDER BY l.seq, e.id
""",
        [log, matter, log, list(WIDER_THAN_A_CASE), size, size],
    )


def of_subject(kind: str, identity: str, *, log: str = "main", size: int | None = None) -> list[Row]:
    """Every entry about one customer (or member of staff), oldest first."""
    return _rows(
        f"SELECT l.seq, l.flag, {_COLUMNS} FROM audit_entry e LEFT JOIN audit_leaf l ON l.entry_id = e.id "
        "WHERE e.log = %s AND e.subject_id = %s AND e.subject_kind = %s AND (%s::bigint IS NULL OR l.seq < %s::bigint) "
        "ORDER BY l.seq, e.id",
        [log, identity, kind, size, size],
    )


def how_many(kind: str, of: str, *, log: str, size: int) -> int:
    """How many entries below `size` are about one case or one customer."""
    if kind == "case":
        return len(of_matter(of, log=log, size=size))
    with connections["default"].cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM audit_entry e JOIN audit_leaf l ON l.entry_id = e.id "
            "WHERE e.log = %s AND e.subject_id = %s AND e.subject_kind = %s AND l.seq < %s",
            [log, of, kind, size],
        )
        return int(cursor.fetchone()[0])


def between(log: str, first: int, last: int) -> list[Row]:
    """The entries from one index to another, both included."""
    return _rows(
        f"SELECT l.seq, l.flag, {_COLUMNS} FROM audit_leaf l JOIN audit_entry e ON e.id = l.entry_id "
        "WHERE l.log = %s AND l.seq BETWEEN %s AND %s ORDER BY l.seq",
        [log, first, last],
    )


def flags_of(seqs: Sequence[int], *, log: str, size: int) -> list[Row]:
    """The sequencer's own entries about the rows `seqs`, oldest first."""
    if not seqs:
        return []
    rows = _rows(
        f"SELECT l.seq, l.flag, {_COLUMNS} FROM audit_entry e JOIN audit_leaf l ON l.entry_id = e.id "
        "WHERE e.object_id = %s AND e.object_kind = 'log' AND e.log = %s AND e.action = 'audit.flag' AND l.seq < %s "
        "ORDER BY l.seq",
        [log, log, size],
    )
    wanted = set(seqs)
    return [row for row in rows if row.facts.get("data", {}).get("seq") in wanted]


def flagged(log: str, first: int, last: int) -> list[tuple[int, str]]:
    """(index, flaw) of every entry between two indexes, both included, that this product did not write. Reads them."""
    with connections["default"].cursor() as cursor:
        cursor.execute(
            "SELECT seq, flag FROM audit_leaf WHERE log = %s AND seq BETWEEN %s AND %s AND flag IS NOT NULL "
            "ORDER BY seq",
            [log, first, last],
        )
        found: list[tuple[int, str]] = cursor.fetchall()
    return found


@dataclass(frozen=True)
class Standing:
    """How a log fares: `size` entries have their place, `signed_size` are signed, `waiting` have none yet."""

    log: str
    size: int
    signed_size: int
    waiting: int
    oldest_waits: timedelta | None
    quiet: timedelta | None
    refusal: str | None
    note: str | None
    vkey: str | None

    @property
    def alive(self) -> bool:
        """Whether the sequencer works: it gave a sign within 10 seconds, signs, and leaves nobody waiting for long."""
        limit = timedelta(seconds=10)
        waits = self.oldest_waits or timedelta(0)
        return self.refusal is None and self.quiet is not None and self.quiet < limit and waits < limit


def standing(log: str = "main", *, using: str = "default") -> Standing:
    with connections[using].cursor() as cursor:
        cursor.execute(
            "SELECT s.log, s.size, s.signed_size, w.waiting, w.age, clock_timestamp() - s.beat_at, s.refusal, "
            "s.note, s.vkey "
            "FROM audit_state s, LATERAL (SELECT count(*) AS waiting, clock_timestamp() - min(e.created_at) AS age "
            "FROM audit_pending p LEFT JOIN audit_entry e ON e.id = p.entry_id WHERE p.log = s.log) w WHERE s.log = %s",
            [log],
        )
        return Standing(*cursor.fetchone())


def _rows(sql: str, values: Sequence[Any]) -> list[Row]:
    with connections["default"].cursor() as cursor:
        cursor.execute(sql, values)
        return list(map(_row, cursor.fetchall()))


def _row(found: Sequence[Any]) -> Row:
    *columns, entry = found
    return Row(*(*columns, unpack(bytes(entry))))


def last_verification(log: str) -> Row | None:
    rows = _rows(
        f"SELECT l.seq, l.flag, {_COLUMNS} FROM audit_entry e LEFT JOIN audit_leaf l ON l.entry_id = e.id "
        "WHERE e.object_id = %s AND e.object_kind = 'log' AND e.log = %s AND e.action = 'audit.verify' "
        "ORDER BY e.id DESC LIMIT 1",
        [log, log],
    )
    return rows[0] if rows else None


def cursor_of(text: str) -> UUID | None:
    """The place where a page goes on; None for anything that is not one."""
    try:
        return UUID(text)
    except ValueError:
        return None
