"""What an account may do now: the answer to the platform at every sign-in, deposit and withdrawal.

It is read from the rows of `Restriction` each time and kept nowhere, so a new restriction shows in every worker at
once. The clock is the database's: two machines with different clocks give one answer.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from compliance.people.models import Account, Restriction

EFFECTS = Restriction.EFFECTS


@dataclass(frozen=True, slots=True)
class Permission:
    """Whether it is allowed; if not, the public code of what stands against it longest, and until when (None: open)."""

    allowed: bool = True
    code: str | None = None
    until: datetime | None = None


_ALLOWED = Permission()
_STOPS = ", ".join(f"r.stops_{effect}" for effect in EFFECTS)
# One statement: three lookups by index for the restrictions of the account, the customer and the person.
_ASK = f"""
SELECT a.id, r.cover_code, r.until, {_STOPS}
  FROM people_account a
  JOIN people_customer c ON c.id = a.customer_id
  LEFT JOIN LATERAL (
        SELECT * FROM people_restriction WHERE account_id = a.id
        UNION ALL SELECT * FROM people_restriction WHERE customer_id = c.id
        UNION ALL SELECT * FROM people_restriction WHERE person_id = c.person_id
       ) r ON r.lifted_at IS NULL AND r.starts_at <= statement_timestamp()
          AND (r.until IS NULL OR r.until > statement_timestamp())
 WHERE a.licensee_id = %s AND a.reference = %s
"""


def permissions_of(licensee_id: UUID, reference: str) -> Mapping[str, Permission]:
    """By effect (`Restriction.EFFECTS`): the lowest permission of all rows in force wins.

    Raises Account.DoesNotExist for a reference that the licensee does not have. Trouble of the database goes on to the
    caller, who must take it for "nothing is allowed".
    """
    with connection.cursor() as cursor:
        cursor.execute(_ASK, [licensee_id, reference])
        rows = cursor.fetchall()
    if not rows:
        raise Account.DoesNotExist(reference)
    return {effect: _lowest(rows, place) for place, effect in enumerate(EFFECTS, start=3)}


def _lowest(rows: list[tuple[Any, ...]], place: int) -> Permission:
    against = [(until, code) for _account, code, until, *_stops in (row for row in rows if row[place])]
    if not against:
        return _ALLOWED
    open_end = any(until is None for until, _code in against)
    last = None if open_end else max(until for until, _code in against)
    # Of equals the first code by letter: the answer does not depend on the order of rows.
    return Permission(False, min(code for until, code in against if until == last), last)
