"""The machine-readable zone of passports and identity cards: found in text, taken apart, its check digits computed.

Source: ICAO Doc 9303, part 3 (4.9 check digits, weights 7 3 1), part 4 (TD3, passports), part 5 (TD1, cards), part 6
(TD2). A check digit tells a misreading, never a forgery.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from itertools import product
from typing import NamedTuple

_SHAPES = {"TD1": (3, 30), "TD2": (2, 36), "TD3": (2, 44)}
_ALLOWED = re.compile(r"[A-Z0-9<]+")
# What readers of print confuse where only one of the two can stand.
_TO_DIGITS = str.maketrans("OQDILZSBG", "000112586")
_TO_LETTERS = str.maketrans("0125868", "OIZSBGB")
_LOOKALIKES = str.maketrans({"«": "<<", "‹": "<", "≤": "<", "(": "<", "{": "<", "£": "<", "€": "<", "¢": "<", "/": "7"})
_MOST_LINES = 400


@dataclass(frozen=True, slots=True)
class Zone:
    """What the zone says. Dates are None when they are unknown or no dates; `checks` maps what was checked to its
    outcome.
    """

    format: str
    document_code: str
    issuer: str
    number: str
    nationality: str
    birth_on: date | None
    sex: str
    expires_on: date | None
    surname: str
    given_names: str
    personal_number: str
    checks: dict[str, bool] = field(default_factory=dict)

    @property
    def valid(self) -> bool:
        return all(self.checks.values())


class _Fields(NamedTuple):
    """The parts that all shapes share, and what the check digit over all of them is taken of."""

    number: str
    number_check: str
    nationality: str
    birth: str
    birth_check: str
    sex: str
    expiry: str
    expiry_check: str
    optional: str
    composite_over: str
    composite: str


def check_digit(text: str) -> str:
    """The check digit of a field: digits count as themselves, A to Z as 10 to 35, `<` as 0; weights 7, 3, 1."""
    values = (0 if character == "<" else int(character, 36) for character in text)
    return str(sum(value * (7, 3, 1)[place % 3] for place, value in enumerate(values)) % 10)


def read(lines: list[str], *, today: date) -> Zone | None:
    """The zone that these lines are, whatever its check digits say; None when they have another shape.

    `today` tells the century of a birth.
    """
    shape = next((name for name, (count, width) in _SHAPES.items() if list(map(len, lines)) == [width] * count), None)
    if shape is None or not all(_ALLOWED.fullmatch(line) for line in lines) or lines[0][0] not in "ACIPV":
        return None
    names = lines[2] if shape == "TD1" else lines[0][5:]
    parts = _td1(lines) if shape == "TD1" else _two_lines(lines[1])
    surname, _, given = names.partition("<<")
    checks = {
        "birth": parts.birth_check == check_digit(parts.birth),
        "expiry": parts.expiry_check == check_digit(parts.expiry),
        "composite": parts.composite == check_digit(parts.composite_over),
    }
    number, personal, checks["number"] = _number(parts, long=shape != "TD3")
    if shape == "TD3":
        personal, said = parts.optional[:14], parts.optional[14]
        checks["personal_number"] = said == check_digit(personal) or (said == "<" and not personal.strip("<"))
    return Zone(
        format=shape,
        document_code=lines[0][:2].strip("<"),
        issuer=lines[0][2:5].strip("<"),
        number=number,
        nationality=parts.nationality.strip("<"),
        birth_on=_day(parts.birth, before=today),
        sex=parts.sex.strip("<"),
        expires_on=_day(parts.expiry),
        surname=_words(surname),
        given_names=_words(given),
        personal_number=personal.replace("<", " ").strip(),
        checks=checks,
    )


def find(text: str, *, today: date) -> Zone | None:
    """The zone in text that was read from a picture: the one whose check digits hold best, None when there is none.

    Letters where only digits can stand, and the other way round, are set right before the check digits are asked.
    """
    best = None
    for lines in _candidates(text):
        zone = read(_corrected(lines), today=today)
        if zone is not None and (best is None or sum(zone.checks.values()) > sum(best.checks.values())):
            best = zone
    # One check in ten holds by chance; two of them are no accident.
    return best if best is not None and sum(best.checks.values()) >= 2 else None


def _candidates(text: str) -> Iterator[list[str]]:
    """Neighbouring lines of the right number, brought to the width of each shape."""
    lines = []
    for line in text.upper().splitlines()[:_MOST_LINES]:
        plain = re.sub(r"[^A-Z0-9<]", "", line.translate(_LOOKALIKES).replace(" ", ""))
        if len(plain) >= 20:
            lines.append(plain)
    for count, width in _SHAPES.values():
        for first in range(len(lines) - count + 1):
            group = lines[first : first + count]
            if all(width - 8 <= len(line) <= width + 4 for line in group):
                yield [_fitted(line, width) for line in group]


def _fitted(line: str, width: int) -> str:
    """Readers of print lose and invent fillers, mostly in their longest row."""
    fillers = max(re.findall(r"<+", line), key=len, default="")
    if len(line) == width or not fillers:
        return line[:width].ljust(width, "<")
    wanted = len(fillers) + width - len(line)
    return line.replace(fillers, "<" * max(wanted, 0), 1)[:width].ljust(width, "<")


def _corrected(lines: list[str]) -> list[str]:
    if len(lines) == 3:
        first, second, third = lines
        second = _digits(second, (0, 7), (8, 15), (29, 30))
        first = _settled(_letters(first, (0, 1), (2, 5)), 5)
        return [first, _letters(second, (15, 18)), third.translate(_TO_LETTERS)]
    first, second = lines
    spans = ((9, 10), (13, 20), (21, 28), *(((42, 44),) if len(second) == 44 else ((35, 36),)))
    second = _settled(_letters(_digits(second, *spans), (10, 13)), 0)
    return [first[0] + first[1:].translate(_TO_LETTERS), second]


def _settled(line: str, start: int) -> str:
    """A document number mixes letters and digits: of the readings of its nine characters the one that fits its check
    digit.
    """
    number, check = line[start : start + 9], line[start + 9].translate(_TO_DIGITS)
    choices = [dict.fromkeys((c, c.translate(_TO_DIGITS), c.translate(_TO_LETTERS))) for c in number]
    readings = sorted(product(*choices), key=lambda reading: sum(a != b for a, b in zip(reading, number, strict=True)))
    for reading in readings:
        if check_digit("".join(reading)) == check:
            return line[:start] + "".join(reading) + check + line[start + 10 :]
    return line


def _digits(line: str, *spans: tuple[int, int]) -> str:
    for start, end in spans:
        line = line[:start] + line[start:end].translate(_TO_DIGITS) + line[end:]
    return line


def _letters(line: str, *spans: tuple[int, int]) -> str:
    for start, end in spans:
        line = line[:start] + line[start:end].translate(_TO_LETTERS) + line[end:]
    return line


def _td1(lines: list[str]) -> _Fields:
    first, second = lines[0], lines[1]
    over = first[5:] + second[0:7] + second[8:15] + second[18:29]
    optional = first[15:]
    return _Fields(
        first[5:14],
        first[14],
        second[15:18],
        second[0:6],
        second[6],
        second[7],
        second[8:14],
        second[14],
        optional,
        over,
        second[29],
    )


def _two_lines(second: str) -> _Fields:
    over = second[0:10] + second[13:20] + second[21:-1]
    return _Fields(
        second[0:9],
        second[9],
        second[10:13],
        second[13:19],
        second[19],
        second[20],
        second[21:27],
        second[27],
        second[28:-1],
        over,
        second[-1],
    )


def _number(parts: _Fields, *, long: bool) -> tuple[str, str, bool]:
    """(document number, personal number, whether the check digit holds). A number of more than nine characters goes on
    in the optional data, its check digit behind it (part 5, 4.2.2, note j).
    """
    if long and parts.number_check == "<" and (rest := parts.optional.partition("<")[0]):
        whole = parts.number + rest[:-1]
        return whole.strip("<"), parts.optional[len(rest) :], rest[-1] == check_digit(whole)
    return parts.number.strip("<"), parts.optional, parts.number_check == check_digit(parts.number)


def _day(digits: str, before: date | None = None) -> date | None:
    """YYMMDD. A birth is not in the future; every paper that expires does so in this century."""
    if not digits.isdigit():
        return None
    year, month, day = int(digits[:2]), int(digits[2:4]), int(digits[4:])
    try:
        found = date(2000 + year, month, day)
        return found.replace(year=1900 + year) if before is not None and found > before else found
    except ValueError:
        return None


def _words(name: str) -> str:
    return " ".join(name.replace("<", " ").split())
