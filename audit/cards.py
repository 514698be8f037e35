"""Card data never stays: of a full card number the last four digits are kept, of a security code nothing.

`without_cards(text)` is called by whoever keeps words: notes, messages, contacts, drafts, what was searched for, and
`audit.record` itself for everything that it seals. In doubt a number is removed; what is no card survives:

* digits that fail the check digit (Luhn), that are too few or too many, or that belong to an IBAN;
* references that the packages above know as theirs (`spare`), such as an account number of 16 digits.

Source of the rule: PCI DSS 4.0, 3.3.1 (codes are never kept) and 3.5.1 (numbers are unreadable wherever kept).
"""

import re
from collections.abc import Callable, Iterable

MASK = "•••• "
CODE = "•••"
SHORTEST, LONGEST = 13, 19  # digits (ISO/IEC 7812)
LARGEST_GAP = 12  # characters between two groups of digits that may still be one number, over a line's end too

Known = Callable[[list[str]], Iterable[str]]
_known: list[Known] = []

_GAP = rf"(?:[\W_]{{0,{LARGEST_GAP}}})"
_RUN = re.compile(rf"\d(?:{_GAP}\d)*")
_GROUP = re.compile(r"\d+")
_IBAN = re.compile(r"(?<![^\W_])[A-Za-z]{2}\d\d(?:[ \u00a0]?[A-Za-z0-9]{1,4}){3,8}(?![^\W_])")
# How the schemes begin, and how long their numbers are (issuer identification numbers of ISO/IEC 7812-1, as the
# schemes publish them).
_SCHEMES = (
    (re.compile(r"4"), (13, 16, 19)),  # Visa
    (re.compile(r"5[1-5]|2(?:22[1-9]|2[3-9]|[3-6]|7[01]|720)"), (16,)),  # Mastercard
    (re.compile(r"3[47]"), (15,)),  # American Express
    (re.compile(r"30[0-5]|3095|3[689]"), (14, 16, 19)),  # Diners Club
    (re.compile(r"35(?:2[89]|[3-8])"), (16, 17, 18, 19)),  # JCB
    (re.compile(r"6011|64[4-9]|65"), (16, 17, 18, 19)),  # Discover
    (re.compile(r"62|81"), (16, 17, 18, 19)),  # UnionPay
    (re.compile(r"9792"), (16,)),  # Troy
    (re.compile(r"220[0-4]"), (16, 17, 18, 19)),  # Mir
    (re.compile(r"5018|5020|5038|5893|6304|6759|676[1-3]"), (13, 14, 15, 16, 17, 18, 19)),  # Maestro
)
# Ranges that belong to the same schemes, most of which no issuer uses: cards in doubt.
_PERHAPS = (
    (re.compile(r"309"), (14, 16, 19)),
    (re.compile(r"5[06-9]|6"), (13, 14, 15, 16, 17, 18, 19)),
    (re.compile(r"8[12]"), (16,)),
)
_USUAL = re.compile(r"\d{13,19}|\d{4} \d{4} \d{4} \d{4}(?: \d{1,3})?|\d{4} \d{6} \d{4,5}")
_LABEL = (
    r"(?:cvv|cvc|cvn|csc|cav)\s?2?"
    r"|(?:g[üu]venlik|do[ğg]rulama)\s+(?:kodu?|numaras[ıi]|no)|security\s+(?:code|number)|card\s+verification\s+code"
    r"|sicherheitscode|kartenpr[üu]fnummer|pr[üu]fziffer|код\s+безопасности|رمز\s+الأمان|安全码"
)
_CODE_AFTER = re.compile(rf"((?:{_LABEL})[^\d\n•]{{0,20}})\d{{3,4}}(?!\d)", re.IGNORECASE)
_CODE_BEFORE = re.compile(rf"(?<!\d)(?<!• )\d{{3,4}}([^\w\n]{{0,4}}(?:{_LABEL}))", re.IGNORECASE)
_DAY = r"(?:(?:0?[1-9]|1[0-2])\s?[/.\-]\s?(?:20)?\d\d(?!\d))"
_MONEY = r"(?:[.,]\d|\s?(?:TL|TRY|EUR|USD|GBP|[₺€$£%])(?!\w))"
_CODE_BESIDE = re.compile(rf"(•••• \d{{4}}[^\w•]{{0,6}}(?:{_DAY}[^\w•]{{1,6}})?)\d{{3,4}}(?![\d/:])(?!{_MONEY})")


def spare(known: Known) -> None:
    """Let `known(candidates)` say which of these digits are references of ours. Packages call it from ready()."""
    _known.append(known)


def without_cards(text: str) -> str:
    """The text without full card numbers and security codes. A second pass changes nothing.

    Digits of any script and any grouping count, over the ends of lines too.
    """
    while (cleaned := _once(text)) != text:
        text = cleaned
    return text


def _once(text: str) -> str:
    if sum(map(str.isdecimal, text)) >= SHORTEST:
        text = _without_numbers(text)
        text = _CODE_BESIDE.sub(rf"\g<1>{CODE}", text)
    return _CODE_BEFORE.sub(rf"{CODE}\g<1>", _CODE_AFTER.sub(rf"\g<1>{CODE}", text))


def _without_numbers(text: str) -> str:
    ibans = [found.span() for found in _IBAN.finditer(text) if is_iban(found[0])]
    candidates = [
        (start, end, digits)
        for run in _RUN.finditer(text)
        for start, end, digits in _windows(run[0], run.start())
        if not any(start < to and end > since for since, to in ibans)
    ]
    spared = _spared([digits for _start, _end, digits in candidates]) if candidates else frozenset()
    kept, last = [], 0
    # The longest number that begins first wins: "4111 1111 1111 1111 110" may be one of 16 digits or of 19.
    for start, end, digits in sorted(candidates, key=lambda one: (one[0], -one[1])):
        if start < last or digits in spared:
            continue
        kept += [text[last:start], MASK, digits[-4:]]
        last = end
    return "".join([*kept, text[last:]])


def _windows(run: str, offset: int) -> Iterable[tuple[int, int, str]]:
    """Start, end and digits of every card number that whole groups of the run make up."""
    groups = [(found.start(), found.end(), _plain(found[0])) for found in _GROUP.finditer(run)]
    for first in range(len(groups)):
        digits = ""
        for last in range(first, len(groups)):
            digits += groups[last][2]
            if len(digits) > LONGEST:
                break
            shape = " ".join("0" * len(group) for _s, _e, group in groups[first : last + 1])
            if len(digits) >= SHORTEST and _is_card(digits, shape):
                yield offset + groups[first][0], offset + groups[last][1], digits


def _plain(digits: str) -> str:
    return "".join(str(int(digit)) for digit in digits)


def _is_card(digits: str, shape: str) -> bool:
    # Dates and amounts that stand side by side form unusual groups too: of those a scheme is asked for.
    return passes_luhn(digits) and bool(_USUAL.fullmatch(shape) or is_of_a_scheme(digits, in_doubt=True))


def is_of_a_scheme(digits: str, *, in_doubt: bool = False) -> bool:
    """Whether a scheme's numbers begin like this and are as long; `in_doubt` counts ranges that are hardly used."""
    ranges = (*_SCHEMES, *_PERHAPS) if in_doubt else _SCHEMES
    return any(begins.match(digits) and len(digits) in lengths for begins, lengths in ranges)


def passes_luhn(digits: str) -> bool:
    """The check digit of ISO/IEC 7812-1, annex B. A row of noughts passes it and is no card."""
    doubled = "0246813579"
    total = sum(int(doubled[int(digit)]) if place % 2 else int(digit) for place, digit in enumerate(reversed(digits)))
    return total % 10 == 0 and digits.strip("0") != ""


def is_iban(text: str) -> bool:
    plain = "".join(text.split()).upper()
    if not (15 <= len(plain) <= 34 and plain.isascii()):
        return False
    return int("".join(str(int(letter, 36)) for letter in plain[4:] + plain[:4])) % 97 == 1


def _spared(candidates: list[str]) -> frozenset[str]:
    wanted = sorted(set(candidates))
    return frozenset(found for known in _known for found in known(wanted))
