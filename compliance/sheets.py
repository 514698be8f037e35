"""Tables that leave as CSV: read by spreadsheets in any language, and by nobody as a program.

A byte order mark makes spreadsheets read UTF-8. A cell that a spreadsheet would take for a formula gets an apostrophe
in front; numbers stay numbers. Times are UTC, ISO 8601.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime

from django.http import StreamingHttpResponse

BOM = "\ufeff"
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%")
_ROWS = 500  # rows sent at once


def cell(value: object) -> str | int | float:
    """One value as a cell that is data and nothing else."""
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case int() | float():
            return value
        case datetime():
            return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        case date():
            return value.isoformat()
    text = str(value)
    return f"'{text}" if text.lstrip().startswith(FORMULA) or text.startswith(FORMULA) else text


def csv_text(head: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    """The file in pieces, constant memory."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    buffer.write(BOM)
    writer.writerow([cell(title) for title in head])
    for number, row in enumerate(rows, 1):
        writer.writerow([cell(value) for value in row])
        if number % _ROWS == 0:
            yield buffer.getvalue()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue()


def csv_response(name: str, head: Sequence[str], rows: Iterable[Sequence[object]]) -> StreamingHttpResponse:
    return StreamingHttpResponse(
        (piece.encode() for piece in csv_text(head, rows)),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
