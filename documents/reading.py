"""What a paper says: text of its own or read by tesseract, its machine-readable zone, its dates, card data on it.

Facts with a confidence, never a decision: whether the name is the declared one is asked by the kind of case.
"""

from dataclasses import dataclass, field
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


def read(found: Findings, *, today: date) -> Reading:
    """Read what passed its inspection."""
    printed = printed_text(found.picture, "--psm", "3") if found.picture else ""
    text = "\n".join([found.text, printed])
    if (card := _card(text)) is not None:
        return Reading(card=card)
    facts = {"text": _fact(_source(found, printed), 100)}
    zone = mrz.find(text, today=today)
    if found.picture and (zone is None or not zone.valid) and printed.count("<") >= 3:
        second = mrz.find(printed_text(found.picture, *_ZONE), today=today)
        zone = max((one for one in (zone, second) if one), key=lambda one: sum(one.checks.values()), default=None)
    personal = {}
    if zone is not None:
        facts |= _zone_facts(zone)
        personal = _personal(zone)
    if "expires_on" not in facts and (day := dates.expires_on(text, today=today)):
        facts["expires_on"] = _fact(day.day.isoformat(), day.confidence)
    if zone is None and (day := dates.issued_on(text, today=today)):
        facts["issued_on"] = _fact(day.day.isoformat(), day.confidence)
    return Reading(facts, personal)


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
