"""Statements that every entry of the log asks: prepared once on the server for a connection, instead of parsed and
planned each time."""

from typing import Any

import psycopg


def execute(connection: Any, statement: str, values: tuple[Any, ...]) -> list[tuple[Any, ...]]:
    """Run it on one of Django's connections; return its rows, an empty list where it gives none.

    Behind a pooler that shares connections between transactions (Django's setting DISABLE_SERVER_SIDE_CURSORS says so)
    nothing is prepared.
    """
    connection.ensure_connection()
    prepare = not connection.settings_dict.get("DISABLE_SERVER_SIDE_CURSORS", False)
    with connection.wrap_database_errors, psycopg.Cursor(connection.connection) as cursor:
        cursor.execute(statement, values, prepare=prepare)
        return cursor.fetchall() if cursor.description else []
