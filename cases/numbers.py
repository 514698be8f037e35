"""Tracking numbers such as KYC-26-004813-9: kind, year, sequence, check digit.

The digit is Damm's (H. M. Damm, 2004): it finds every single wrong digit and every swap of neighbours.
"""

import re
from dataclasses import dataclass
from datetime import datetime

from django.db import connection

_DAMM = (
    (0, 3, 1, 7, 5, 9, 8, 6, 4, 2),
    (7, 0, 9, 2, 1, 5, 4, 8, 6, 3),
    (4, 2, 0, 6, 8, 7, 1, 3, 5, 9),
    (1, 7, 5, 0, 9, 8, 3, 4, 2, 6),
    (6, 1, 2, 3, 0, 4, 5, 9, 7, 8),
    (3, 6, 7, 4, 2, 0, 9, 5, 8, 1),
    (5, 8, 6, 9, 7, 2, 0, 1, 3, 4),
    (8, 9, 4, 5, 3, 6, 2, 0, 1, 7),
    (9, 4, 3, 8, 6, 1, 7, 2, 0, 5),
    (2, 5, 8, 1, 4, 3, 6, 7, 9, 0),
)
_WRITTEN = re.compile(r"#?\s*([A-Za-z]{3})[\s\-–.]*(\d{2})[\s\-–.]*(\d{6,})[\s\-–.]*(\d)\s*$")


class TypingError(ValueError):
    """It looks like a tracking number, but its check digit does not fit. `prefix` says of which kind."""

    def __init__(self, text: str, prefix: str) -> None:
        super().__init__(text)
        self.prefix = prefix


@dataclass(frozen=True, slots=True)
class Number:
    prefix: str
    year: int
    sequence: int

    def __str__(self) -> str:
        digits = f"{self.year:02d}{self.sequence:06d}"
        return f"{self.prefix}-{self.year:02d}-{self.sequence:06d}-{check_digit(digits)}"


def check_digit(digits: str) -> int:
    interim = 0
    for digit in digits:
        interim = _DAMM[interim][int(digit)]
    return interim


def parse(text: str) -> str | None:
    """The number written in `text` in its standard form; None when it is none; TypingError when its digit is wrong.

    Spaces, missing dashes, lower case and a leading # are forgiven.
    """
    found = _WRITTEN.match(text.strip())
    if not found:
        return None
    prefix, year, sequence, digit = found.groups()
    if check_digit(year + sequence) != int(digit):
        raise TypingError(text, prefix.upper())
    return str(Number(prefix.upper(), int(year), int(sequence)))


def next_number(prefix: str, *, now: datetime) -> str:
    """The next number of a series. The row lock lasts as long as the transaction: a rolled-back case leaves no gap."""
    return str(Number(prefix, now.year % 100, reserve(prefix, 1, now=now)))


def reserve(prefix: str, count: int, *, now: datetime) -> int:
    """Take `count` sequence numbers that follow each other; the first of them."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO cases_numberseries AS series (prefix, year, last) VALUES (%s, %s, %s)"
            " ON CONFLICT (prefix, year) DO UPDATE SET last = series.last + EXCLUDED.last RETURNING last",
            [prefix, now.year % 100, count],
        )
        (last,) = cursor.fetchone()
    return int(last) - count + 1
