"""Tables that leave as CSV: read by spreadsheets in any language, and by nobody as a program.

A byte order mark makes spreadsheets read UTF-8. A cell that a spreadsheet would take for a formula gets an apostrophe
in front; numbers stay numbers. Times are UTC, ISO 8601.

Lists of players leave with a reason, in the log with the number of rows; no more of them at once than one person may
export of the log (AUDIT_EXPORT_ALONE): `TakeForm`, `most_alone`.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime
from itertools import islice
from typing import TypeVar

from django import forms
from django.conf import settings
from django.http import StreamingHttpResponse
from django.utils.translation import gettext_lazy as _

from compliance import formats

BOM = "\ufeff"
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%")
_ROWS = 500  # rows sent at once

Row = TypeVar("Row")


class TakeForm(forms.Form):
    """Why a list leaves the house."""

    reason = forms.CharField(label=_("Reason"), max_length=500, widget=forms.TextInput(attrs={"class": "in"}))

    def most_alone(self, rows: Iterable[Row]) -> list[Row]:
        """The rows, or none and an error of the form when they are more than one person takes out."""
        found = list(islice(rows, settings.AUDIT_EXPORT_ALONE + 1))
        if len(found) <= settings.AUDIT_EXPORT_ALONE:
            return found
        self.add_error(
            None,
            _("One person takes out at most %(n)s rows at once. Choose fewer days, or ask for an export of the log.")
            % {"n": formats.number(settings.AUDIT_EXPORT_ALONE)},
        )
        return []


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
