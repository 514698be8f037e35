"""What keeps the log's tables as they are: triggers that must exist and be enabled, and rights that nobody may have."""

from collections.abc import Callable
from typing import Any

import psycopg
from django.db import connections

from audit.tiles import MissingTile

KEEP = ("audit_keep", "audit_keep_whole")
TABLES = (
    "audit_anchor",
    "audit_bundle_note",
    "audit_checkpoint",
    "audit_entry",
    "audit_leaf",
    "audit_pending",
    "audit_rotation",
    "audit_sealed",
    "audit_state",
    "audit_tile",
)
PARTITIONED = ("audit_entry", "audit_sealed")

_TRIGGERS = """
SELECT c.relname, i.inhparent::regclass::text,
       coalesce(array_agg(t.tgname::text) FILTER (WHERE t.tgenabled = 'A'), '{}')
FROM pg_class c
LEFT JOIN pg_inherits i ON i.inhrelid = c.oid
LEFT JOIN pg_trigger t ON t.tgrelid = c.oid AND NOT t.tgisinternal
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
  AND (c.relname = ANY(%s) OR i.inhparent = ANY(%s::text[]::regclass[]))
GROUP BY c.relname, i.inhparent
"""
_SOURCES = """
SELECT proname, left(encode(sha256(convert_to(prosrc, 'UTF8')), 'hex'), 32)
FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND proname = ANY(%s)
"""
# A trigger that exists may be turned into one that does nothing: the start of the SHA-256 of each function's text.
FUNCTIONS = {
    "audit_await": "b84406d5deb680ea5e0a55a3cf961d5d",
    "audit_grow_state": "498536a37ca549443e3f9b776728f23b",
    "audit_grow_tile": "0472cf53d5025fa33e71eb8aa03e8607",
    "audit_refuse": "ee6239d371fe45cf7f6c04b1f26b269a",
    "audit_refuse_sealed": "4c7f9118ec95f48a470423b1500da5be",
}
_RIGHTS = """
SELECT role || ' may ' || action || ' ' || relation
FROM unnest(ARRAY['mizan_app', 'mizan_auditor']) AS role,
     unnest(%s::text[]) AS relation,
     unnest(ARRAY['UPDATE', 'DELETE', 'TRUNCATE', 'TRIGGER']) AS action
WHERE has_table_privilege(role, relation, action)
"""


def weaknesses(cursor: Any) -> list[str]:
    """What is missing of the protection, in words; empty when all stands. Takes any role's cursor, Django's too."""
    found = []
    cursor.execute(_TRIGGERS, [list(TABLES), list(PARTITIONED)])
    enabled = {name: (parent, set(triggers)) for name, parent, triggers in cursor.fetchall()}
    found += [f"the table {name} is missing" for name in TABLES if name not in enabled]
    for name, (parent, triggers) in sorted(enabled.items()):
        missing = wanted(name, parent) - triggers
        found += [f"the trigger {trigger} on {name} is missing or disabled" for trigger in sorted(missing)]
    cursor.execute(_SOURCES, [list(FUNCTIONS)])
    sources = dict(cursor.fetchall())
    found += [f"the function {name} was replaced" for name, digest in FUNCTIONS.items() if sources.get(name) != digest]
    cursor.execute(_RIGHTS, [list(TABLES)])
    return found + [row[0] for row in cursor.fetchall()]


def wanted(table: str, parent: str | None) -> set[str]:
    """The triggers that a table or partition must have."""
    # Those without _here come from the parent and go when the partition is detached.
    triggers = {"audit_keep", "audit_keep_here", "audit_keep_whole_here"} if parent else set(KEEP)
    return triggers | ({"audit_await"} if "audit_entry" in (table, parent) else set())


def connect() -> psycopg.Connection:
    """A connection of its own to the default database, outside Django's transactions; what it commits is on disk."""
    known = connections["default"].settings_dict
    return psycopg.connect(
        dbname=known["NAME"],
        user=known["USER"],
        password=known["PASSWORD"],
        host=known["HOST"] or None,
        port=known["PORT"] or None,
        application_name="mizan audit",
        autocommit=True,
        options="-c synchronous_commit=on -c timezone=UTC -c idle_in_transaction_session_timeout=60s",
        **known["OPTIONS"],
    )


def one(cursor: psycopg.Cursor[Any]) -> Any:
    """The row that a query must return."""
    row = cursor.fetchone()
    if row is None:
        raise LookupError("a row of the audit log's state is missing")
    return row


def tile_fetcher(cursor: Any, log: str) -> Callable[[int, int], bytes]:
    """Reads one log's tiles: `fetch(level, index)`. Works with Django's cursors and psycopg's."""

    def fetch(level: int, index: int) -> bytes:
        cursor.execute("SELECT data FROM audit_tile WHERE log = %s AND level = %s AND idx = %s", [log, level, index])
        row = cursor.fetchone()
        if row is None:
            raise MissingTile(level, index)
        return bytes(row[0])

    return fetch
