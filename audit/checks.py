"""Django's check of the database (`manage.py check --database default`): nothing runs on a log without protection."""

from collections.abc import Sequence
from typing import Any

from django.core.checks import CheckMessage, Error
from django.db import connections

from audit.database import weaknesses


def log_is_protected(databases: Sequence[str] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """Triggers and rights of the log's tables. Before the first migration there is nothing to protect."""
    if "default" not in (databases or ()):
        return []
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT to_regclass('public.audit_entry') IS NOT NULL")
        if not cursor.fetchone()[0]:
            return []
        hint = "Somebody changed the database. Find out who and why, then restore what the migrations of `audit` made."
        return [
            Error(f"The audit log is not protected: {weak}.", hint=hint, id="audit.E001") for weak in weaknesses(cursor)
        ]
