"""When a paper was issued and until when it holds, read from its text; it may be misread: hence a confidence."""

import re
from collections.abc import Iterator
from datetime import date, timedelta
from typing import NamedTuple


class Found(NamedTuple):
    day: date
    confidence: int  # percent


_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "january jan ocak januar",
            "february feb şubat subat februar",
            "march mar mart märz",
            "april apr nisan",
            "may mayıs mayis mai",
            "june jun haziran juni",
            "july jul temmuz juli",
            "august aug ağustos agustos",
            "september sep sept eylül eylul",
            "october oct ekim oktober",
            "november nov kasım kasim",
            "december dec aralık aralik dezember",
        ),
        start=1,
    )
    for name in names.split()
}
_NUMBERS = re.compile(r"(?<!\d)(\d{1,2})\s?[./-]\s?(\d{1,2})\s?[./-]\s?(\d{4})(?!\d)")
_ISO = re.compile(r"(?<!\d)(\d{4})-(\d{2})-(\d{2})(?!\d)")
_WORDS = re.compile(r"(?<!\d)(\d{1,2})\.?\s([^\W\d_]{3,9})\.?,?\s(\d{4})(?!\d)")

_ISSUED = re.compile(
    r"d[üu]zenle(?:n)?me\s+tarihi|tanzim\s+tarihi|fatura\s+tarihi|ekstre\s+tarihi|verili[şs]\s+tarihi|hesap\s+[öo]zeti\s+tarihi"
    r"|(?:issue|invoice|statement|bill)\s+date|date\s+of\s+issue|issued\s+on|ausstellungsdatum|rechnungsdatum",
    re.IGNORECASE,
)
_EXPIRES = re.compile(
    r"son\s+ge[çc]erlilik|ge[çc]erlilik\s+tarihi|valid\s+(?:until|thru|to)|date\s+of\s+expiry|expiry(?:\s+date)?|expires"
    r"|g[üu]ltig\s+bis",
    re.IGNORECASE,
)
_DATED = re.compile(r"\b(?:tarih|date|datum)\b", re.IGNORECASE)
_REACH = 80  # characters between a label and its date
_OLDEST = timedelta(days=15 * 366)


def issued_on(text: str, *, today: date) -> Found | None:
    """The day a statement or bill was issued: never in the future."""
    for label, confidence in ((_ISSUED, 85), (_DATED, 55)):
        for day in _after(label, text):
            if today - _OLDEST < day <= today:
                return Found(day, confidence)
    past = [day for _at, day in _days(text) if today - _OLDEST < day <= today]
    return Found(max(past), 30) if past else None


def expires_on(text: str, *, today: date) -> Found | None:
    """The day up to which a card holds, as printed beside its label; it may have passed."""
    for day in _after(_EXPIRES, text):
        if today - _OLDEST < day < today + _OLDEST:
            return Found(day, 65)
    return None


def _after(label: re.Pattern[str], text: str) -> Iterator[date]:
    """The first date behind each place where the label stands."""
    days = list(_days(text))
    for found in label.finditer(text):
        yield from [day for at, day in days if 0 <= at - found.end() <= _REACH][:1]


def _days(text: str) -> Iterator[tuple[int, date]]:
    """Every date in the text, where it starts, in the text's order."""
    found = []
    for match in _NUMBERS.finditer(text):
        found.append((match.start(), (int(match[3]), int(match[2]), int(match[1]))))
    for match in _ISO.finditer(text):
        found.append((match.start(), (int(match[1]), int(match[2]), int(match[3]))))
    for match in _WORDS.finditer(text):
        if month := _MONTHS.get(match[2].lower()):
            found.append((match.start(), (int(match[3]), month, int(match[1]))))
    for at, (year, month, day) in sorted(found):
        try:
            yield at, date(year, month, day)
        except ValueError:
            continue
