"""What keeps the log's tables as they are: triggers that must exist and be enabled, and rights that nobody may have."""

import re
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
# Each auditors' login, named as its schema is, with the log that the views there show (migration 0008).
_AUDITORS = {"mizan_auditor": "main", "mizan_aml_auditor": "aml"}
_ROLES = ("mizan_app", "mizan_sequencer", *_AUDITORS)
# What each role may do beside reading. Anything else is too much, on a whole table or on one of its columns.
_ALLOWED = {
    "mizan_app": {"audit_anchor": "INSERT", "audit_entry": "INSERT", "audit_sealed": "INSERT"},
    "mizan_sequencer": {
        "audit_bundle_note": "INSERT",
        "audit_checkpoint": "INSERT",
        "audit_entry": "INSERT",
        "audit_leaf": "INSERT",
        "audit_pending": "DELETE",
        "audit_rotation": "INSERT",
        "audit_state": "UPDATE",
        "audit_tile": "INSERT UPDATE",
    },
}
_RIGHTS = """
SELECT role, relation, action
FROM unnest(%s::text[]) AS role, unnest(%s::text[]) AS relation,
     unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'TRIGGER', 'REFERENCES']) AS action
WHERE CASE WHEN action IN ('SELECT', 'INSERT', 'UPDATE', 'REFERENCES')
           THEN has_any_column_privilege(role, 'public.' || relation, action)
           ELSE has_table_privilege(role, 'public.' || relation, action) END
ORDER BY role, relation, action
"""
# Where a right is on some columns only: those it must leave out. An id or a time that somebody chose proves nothing.
_COLUMNS = """
SELECT role || ' may ' || action || ' ' || relation || '.' || name
FROM unnest(%s::text[]) AS role,
     (VALUES ('audit_entry', 'id', 'INSERT'), ('audit_entry', 'created_at', 'INSERT'), ('audit_state', 'log', 'UPDATE'),
             ('audit_state', 'log', 'INSERT')) AS kept (relation, name, action)
WHERE has_column_privilege(role, 'public.' || relation, name, action)
"""
# The rows of a partition are reached through its parent alone, whose triggers and rights are the ones looked at.
_PARTITIONS = """
SELECT role || ' may ' || action || ' ' || i.inhrelid::regclass
FROM pg_inherits i, unnest(%s::text[]) AS role,
     unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'TRIGGER']) AS action
WHERE i.inhparent = ANY(%s::text[]::regclass[]) AND has_table_privilege(role, i.inhrelid, action)
"""
# What an auditors' login may do with the schemas and the views in them: look into its own, and no more.
_VIEWS = """
SELECT role || ' may ' || action || ' in the schema ' || n.nspname
FROM unnest(%s::text[]) AS role, pg_namespace n, unnest(ARRAY['CREATE', 'USAGE']) AS action
WHERE n.nspname = ANY(%s) AND NOT (action = 'USAGE' AND n.nspname = role) AND has_schema_privilege(role, n.oid, action)
UNION ALL
SELECT role || ' may ' || action || ' ' || n.nspname || '.' || c.relname
FROM unnest(%s::text[]) AS role, pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace,
     unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'TRIGGER']) AS action
WHERE n.nspname = ANY(%s) AND NOT (action = 'SELECT' AND n.nspname = role) AND has_table_privilege(role, c.oid, action)
"""
_SHOWN = """
SELECT n.nspname, c.relname, pg_get_viewdef(c.oid), c.relowner::regrole::text = 'mizan_owner'
       AND coalesce(c.reloptions && ARRAY['security_barrier', 'security_barrier=true'], false)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = ANY(%s) AND c.relkind = 'v'
"""
_ROWS_OF_A_LOG = r"SELECT [a-z0-9_, ]+ FROM {table} WHERE \(log = '{log}'::text\);"
_SEALED_OF_A_LOG = (
    r"SELECT [a-z0-9_, ]+ FROM audit_sealed s WHERE \(EXISTS \( SELECT FROM audit_entry e"
    r" WHERE \(\(e\.id = s\.entry_id\) AND \(e\.log = '{log}'::text\)\)\)\);"
)
_OWNERS = """
SELECT c.oid::regclass || ' belongs to ' || c.relowner::regrole
FROM pg_class c LEFT JOIN pg_inherits i ON i.inhrelid = c.oid
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND c.relowner::regrole::text <> 'mizan_owner'
  AND (c.relname = ANY(%s) OR i.inhparent = ANY(%s::text[]::regclass[]))
"""
# Who may be anybody, make roles, or read past the tables needs no right on them.
_POWERS = """
SELECT rolname || ' is ' || power
FROM pg_roles, LATERAL (VALUES ('a superuser', rolsuper), ('allowed to make roles', rolcreaterole),
    ('allowed to replicate', rolreplication), ('past the rules of rows', rolbypassrls)) AS held (power, has)
WHERE rolname = ANY(%s) AND has
"""
_MEMBERS = """
SELECT m.rolname || ' is a member of ' || g.rolname
FROM pg_roles m, pg_roles g
WHERE m.rolname = ANY(%s) AND g.rolname <> m.rolname AND NOT m.rolsuper AND pg_has_role(m.oid, g.oid, 'MEMBER')
  AND (g.rolname LIKE 'mizan\\_%%' OR g.rolname IN ('pg_read_all_data', 'pg_write_all_data', 'pg_read_server_files',
       'pg_write_server_files', 'pg_execute_server_program'))
"""


def weaknesses(cursor: Any) -> list[str]:
    """What is missing of the protection, in words; empty when all stands. Takes any role's cursor, Django's too."""
    found = []
    cursor.execute(_TRIGGERS, [list(TABLES), [f"public.{name}" for name in PARTITIONED]])
    enabled = {name: (parent, set(triggers)) for name, parent, triggers in cursor.fetchall()}
    found += [f"the table {name} is missing" for name in TABLES if name not in enabled]
    for name, (parent, triggers) in sorted(enabled.items()):
        missing = wanted(name, parent) - triggers
        found += [f"the trigger {trigger} on {name} is missing or disabled" for trigger in sorted(missing)]
    cursor.execute(_SOURCES, [list(FUNCTIONS)])
    sources = dict(cursor.fetchall())
    found += [f"the function {name} was replaced" for name, digest in FUNCTIONS.items() if sources.get(name) != digest]
    return found + _too_much(cursor)


def _too_much(cursor: Any) -> list[str]:
    """Rights and powers of the product's roles beyond what they need, in words."""
    cursor.execute("SELECT rolname FROM pg_roles WHERE rolname = ANY(%s)", [list(_ROLES)])
    roles = sorted(role for (role,) in cursor.fetchall())
    tables, partitioned = list(TABLES), [f"public.{name}" for name in PARTITIONED]
    schemas, readers = list(_AUDITORS), [role for role in roles if role in _AUDITORS]
    cursor.execute(_RIGHTS, [roles, tables])
    found = [
        f"{role} may {action} {relation}"
        for role, relation, action in cursor.fetchall()
        if action not in _ALLOWED.get(role, {}).get(relation, "").split()
        and not (action == "SELECT" and role not in _AUDITORS)
    ]
    found += _badly_shown(cursor)
    asked: list[tuple[str, list[Any]]] = [
        (_COLUMNS, [roles]),
        (_PARTITIONS, [roles, partitioned]),
        (_VIEWS, [readers, schemas, readers, schemas]),
        (_OWNERS, [tables, partitioned]),
        (_POWERS, [roles]),
        (_MEMBERS, [roles]),
    ]
    for question, parameters in asked:
        cursor.execute(question, parameters)
        found += [row[0] for row in cursor.fetchall()]
    return found


def _badly_shown(cursor: Any) -> list[str]:
    """The views of the auditors' logins that are missing, or show other rows than those of their log."""
    cursor.execute(_SHOWN, [list(_AUDITORS)])
    shown = {(schema, table): (" ".join(text.split()), safe) for schema, table, text, safe in cursor.fetchall()}
    found = []
    for schema, log in _AUDITORS.items():
        for table in TABLES:
            text, safe = shown.get((schema, table), ("", False))
            wanted = _SEALED_OF_A_LOG if table == "audit_sealed" else _ROWS_OF_A_LOG
            if not safe or not re.fullmatch(wanted.format(table=table, log=log), text.replace("public.", "")):
                found.append(f"the view {schema}.{table} is missing or was replaced")
    return found


def logs_read_here() -> list[str]:
    """The logs that this login reads: of an auditors' login its own, of every other both."""
    with connect() as connection:
        (user,) = one(connection.execute("SELECT current_user"))
    return [_AUDITORS[user]] if user in _AUDITORS else list(_AUDITORS.values())


def wanted(table: str, parent: str | None) -> set[str]:
    """The triggers that a table or partition must have."""
    # Those without _here come from the parent and go when the partition is detached.
    triggers = {"audit_keep", "audit_keep_here", "audit_keep_whole_here"} if parent else set(KEEP)
    return triggers | ({"audit_await"} if "audit_entry" in (table, parent) else set())


def connect(database: str | None = None) -> psycopg.Connection:
    """A connection of its own to the default database, outside Django's transactions; what it commits is on disk.

    `database` names another one of the same server.
    """
    known = connections["default"].settings_dict
    return psycopg.connect(
        dbname=database or known["NAME"],
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
