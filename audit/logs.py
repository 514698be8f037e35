"""Log lines as JSON, one a line, without personal data: they are shipped to places that may not hold any.

What a person typed must not reach a log line. This formatter is the second net under that rule: of an exception it
keeps the type and the places in the code, never the message (a database error quotes the row), and it blanks what
looks like an address or a number.
"""

import json
import logging
import re
import traceback
from datetime import UTC, datetime

from audit import context

_PERSONAL = re.compile(
    r"[\w.+-]+@[\w-]+\.[\w.-]+"  # e-mail
    r"|(?<![\w-])\+?\d(?:[\d \u00a0().-]{6,}\d)(?![\w-])"  # phone, national id, card; no part of a UUID
    r"|\b[A-Z]{2}\d{2}(?:[ ]?[A-Z0-9]){11,30}\b"  # IBAN
)


class JsonLines(logging.Formatter):
    """Keys: at, level, logger, text, request (when there is one), error (type and places, innermost last)."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "text": scrub(record.getMessage()),
        }
        if request := context.request_id():
            line["request"] = request
        if record.exc_info and record.exc_info[0]:
            line["error"] = record.exc_info[0].__name__
            line["places"] = [f"{at.filename}:{at.lineno} {at.name}" for at in traceback.extract_tb(record.exc_info[2])]
        return json.dumps(line, ensure_ascii=False)


def scrub(text: str) -> str:
    """`text` with whatever looks like an e-mail address, a phone number or an id number blanked."""
    return _PERSONAL.sub("…", text)
