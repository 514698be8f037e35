"""Full card numbers and card security codes in what a file says. A file that has one is not kept.

Schemes, check digit and IBANs are told by `audit.cards`. That blots out in doubt; here a whole file goes, so a number
must have a scheme's beginning, its length, its check digit and the grouping of a card. References that the operator
knows survive, and so does what fails the check digit. Source of the rule: PCI DSS 4.0, 3.3.1 and 3.5.1.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain

from audit.cards import is_iban, is_of_a_scheme, passes_luhn

# How a card carries its number, and how people write it.
_GAP = r"[ \u00a0-]{0,3}"
_NUMBERS = (
    re.compile(r"\d{13,19}"),
    re.compile(rf"\d{{4}}(?:(?:{_GAP}|\n)\d{{4}}){{3}}"),
    re.compile(rf"\d{{4}}(?:{_GAP}\d{{4}}){{3}}{_GAP}\d{{3}}"),
    re.compile(rf"\d{{4}}{_GAP}\d{{6}}{_GAP}\d{{4,5}}"),
)
_PART_OF_MORE_BEFORE = re.compile(r"(?:[\w.,-]|\d{4}[ \u00a0])$")
_PART_OF_MORE_AFTER = re.compile(r"[\w-]|[.,]\d|[ \u00a0]\d{4}(?!\d)")
_IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?:[ \u00a0]?[A-Z0-9]{2,4}){3,8}\b")
_CODE = re.compile(
    r"\b(?:cvv|cvc|csc|cid)\s?2?\b[^\w\n]{0,8}\d{3,4}(?![\d.,/-]\d|\d)"
    r"|\b(?:kart\s+g[üu]venlik\s+(?:kodu|no)|card\s+(?:security|verification)\s+code)[^\w\n]{0,8}\d{3,4}(?![\d.,/-]\d|\d)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class CardData:
    """`numbers` are digits only: they are looked up among known references and then forgotten."""

    numbers: tuple[str, ...]
    security_code: bool


def card_data(text: str) -> CardData:
    """The card numbers in a text, each once, and whether a security code stands in it."""
    text = _IBAN.sub(lambda found: "#" * len(found[0]) if is_iban(found[0]) else found[0], text)
    return CardData(tuple(dict.fromkeys(_numbers(text))), _CODE.search(text) is not None)


def _numbers(text: str) -> Iterator[str]:
    for found in chain.from_iterable(pattern.finditer(text) for pattern in _NUMBERS):
        start, end = found.span()
        if _PART_OF_MORE_BEFORE.search(text[max(start - 6, 0) : start]) or _PART_OF_MORE_AFTER.match(text, end):
            continue
        digits = re.sub(r"\D", "", found[0])
        if len(set(digits)) > 1 and is_of_a_scheme(digits) and passes_luhn(digits):
            yield digits
