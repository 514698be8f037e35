"""Where in the log a moment lies. Entries come nearly in the order of their times, so two dozen looks find the place.

A transaction that was open for long commits late, and a clock may be set back a little: what is within `LATE` of a
moment is looked at one by one.
"""

from datetime import datetime, timedelta

from django.db import connections

LATE = timedelta(minutes=10)

# The first index, or the first id, whose time is not before the moment. One statement, whatever the size.
_PLACE = """
WITH RECURSIVE halves(low, high) AS (
    SELECT {start}, {end}
    UNION ALL
    SELECT CASE WHEN early THEN middle + 1 ELSE low END, CASE WHEN early THEN high ELSE middle END
    FROM (SELECT low, high, (low + high) / 2 AS middle, coalesce(({look}), false) AS early
          FROM halves WHERE low < high) AS step
)
SELECT max(low) FROM halves
"""
_INDEX = _PLACE.format(
    start="0::bigint",
    end="%(size)s::bigint",
    look="SELECT e.at < %(moment)s FROM audit_leaf l JOIN audit_entry e ON e.id = l.entry_id "
    "WHERE l.log = %(log)s AND l.seq = (low + high) / 2",
)
ID = _PLACE.format(
    start="1::bigint",
    end="(SELECT coalesce(max(id), 0) + 1 FROM audit_entry)",
    look="SELECT near.at < %s FROM audit_entry near WHERE near.id >= (low + high) / 2 ORDER BY near.id LIMIT 1",
)
_FIRST = """
SELECT min(l.seq) FROM audit_leaf l JOIN audit_entry e ON e.id = l.entry_id
WHERE l.log = %s AND l.seq >= %s AND l.seq < %s AND e.at >= %s
"""
_LAST = """
SELECT max(l.seq) FROM audit_leaf l JOIN audit_entry e ON e.id = l.entry_id
WHERE l.log = %s AND l.seq >= %s AND l.seq < %s AND e.at < %s
"""


def span(log: str, starts: datetime, ends: datetime, size: int) -> tuple[int, int] | None:
    """The first and the last index below `size` with a time from `starts` to before `ends`; None when there is none.

    Every entry of that time lies between the two, though between them may lie one that is a little older or newer.
    """
    with connections["default"].cursor() as cursor:

        def place(moment: datetime) -> int:
            cursor.execute(_INDEX, {"log": log, "size": size, "moment": moment})
            return int(cursor.fetchone()[0])

        after = place(starts + LATE)
        cursor.execute(_FIRST, [log, place(starts - LATE), after, starts])
        (first,) = cursor.fetchone()
        before = place(ends - LATE)
        cursor.execute(_LAST, [log, before, place(ends + LATE), ends])
        (last,) = cursor.fetchone()
    first = after if first is None else first
    last = before - 1 if last is None else last
    return (first, last) if first <= last and first < size else None
