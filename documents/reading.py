"""What a paper says: text of its own or read by tesseract, its machine-readable zone, its dates, card data on it.

Facts with a confidence, never a decision: whether the name is the declared one is asked by the kind of case.
"""

import re
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from django.conf import settings

from compliance.people.names import known_references
from documents import dates, mrz
from documents.cards import card_data
from documents.processes import Findings, printed_text

_ZONE = ("--psm", "6", "-c", "tessedit_char_whitelist=ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789<")


@dataclass(frozen=True, slots=True)
class Reading:
    """`facts` name nobody; `personal` does, and is sealed. `card` is why the file must go: the last four digits, or
    a security code; None when there is no card data.
    """

    facts: dict[str, Any] = field(default_factory=dict)
    personal: dict[str, str] = field(default_factory=dict)
    card: str | None = None


def legible() -> bool:
    """Whether print can be read here: tesseract is installed."""
    return bool(settings.TESSERACT)


@dataclass(frozen=True, slots=True)
class _Look:
    """What is read one way up."""

    text: str
    printed: str
    zone: mrz.Zone | None
    expires_on: dates.Found | None
    issued_on: dates.Found | None

    @property
    def digits(self) -> int:
        """How many were read; the wrong way up most of them look like letters."""
        return sum(map(str.isdigit, self.printed))

    @property
    def tells(self) -> bool:
        return any((self.zone, self.expires_on, self.issued_on))

    @property
    def is_sure(self) -> bool:
        """What stands the wrong way up may look like some date, never like a zone or a date beside its label."""
        return bool(self.zone or self.expires_on or (self.issued_on and self.issued_on.confidence > 50))


def read(found: Findings, *, today: date) -> Reading:
    """Read what passed its inspection; a picture that tells nothing is read the other way up too."""
    look, turned = _looked(found, today=today), False
    card = _card(look.text)
    if found.picture and card is None and not look.tells:
        other = _looked(replace(found, picture=_turned(found.picture)), today=today)
        if other.is_sure or other.digits > look.digits:
            card = _card(other.text)  # a bank card has neither zone nor a date beside a label
        if other.is_sure:
            look, turned = other, True
    if card is not None:
        return Reading(card=card)
    facts = {"text": _fact(_source(found, look.printed), 100)}
    if turned and "sideways" not in found.facts.get("faults", {}).get("value", ()):
        facts["upside_down"] = _fact(True, 90)
    personal = {}
    if look.zone is not None:
        facts |= _zone_facts(look.zone)
        personal = _personal(look.zone)
    if "expires_on" not in facts and look.expires_on:
        facts["expires_on"] = _fact(look.expires_on.day.isoformat(), look.expires_on.confidence)
    if look.zone is None and look.issued_on:
        facts["issued_on"] = _fact(look.issued_on.day.isoformat(), look.issued_on.confidence)
    return Reading(facts, personal)


def _looked(found: Findings, *, today: date) -> _Look:
    printed = printed_text(found.picture, "--psm", "3") if found.picture else ""
    text = "\n".join([found.text, printed])
    zone = mrz.find(text, today=today)
    if found.picture and (zone is None or not zone.valid) and printed.count("<") >= 3:
        second = mrz.find(printed_text(found.picture, *_ZONE), today=today)
        zone = max((one for one in (zone, second) if one), key=lambda one: sum(one.checks.values()), default=None)
    return _Look(text, printed, zone, dates.expires_on(text, today=today), dates.issued_on(text, today=today))


def _turned(picture: bytes) -> bytes:
    """A PGM by half a turn: its pixels, one byte each, from the last to the first."""
    head = re.match(rb"P5\s+\d+\s+\d+\s+255\s", picture)
    at = head.end() if head else 0
    return picture[:at] + picture[: at - 1 : -1] if at else picture


def _fact(value: Any, confidence: int) -> dict[str, Any]:
    return {"value": value, "confidence": confidence}


def _source(found: Findings, printed: str) -> str:
    if printed.strip():
        return "read"
    if found.picture or not found.text.strip():
        return "none" if legible() else "not_read"
    return "own"


def _card(text: str) -> str | None:
    """Last four digits of the first card number that the operator does not know, else "code" for a security code."""
    said = card_data(text)
    known = set(known_references(list(said.numbers))) if said.numbers else set()
    numbers = [number for number in said.numbers if number not in known]
    return numbers[0][-4:] if numbers else "code" if said.security_code else None


def _zone_facts(zone: mrz.Zone) -> dict[str, Any]:
    facts = {
        "mrz": _fact(zone.format, 95 if zone.valid else 60),
        "mrz_valid": _fact(zone.valid, 95),
        "mrz_failed": _fact(sorted(name for name, held in zone.checks.items() if not held), 95),
    }
    if zone.expires_on:
        facts["expires_on"] = _fact(zone.expires_on.isoformat(), 97 if zone.checks["expiry"] else 40)
    return facts


def _personal(zone: mrz.Zone) -> dict[str, str]:
    said = {
        "document_code": zone.document_code,
        "issuer": zone.issuer,
        "number": zone.number,
        "nationality": zone.nationality,
        "birth_on": zone.birth_on.isoformat() if zone.birth_on else "",
        "sex": zone.sex,
        "surname": zone.surname,
        "given_names": zone.given_names,
        "personal_number": zone.personal_number,
    }
    return {name: value for name, value in said.items() if value}
