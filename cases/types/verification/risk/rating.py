"""Facts -> level, with the arithmetic. Outside the compartment of the AML side its facts do not exist."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from django.utils.functional import Promise

from cases.types.verification.risk.models import Assessment, Override
from compliance.keys.services import open_sealed, seal
from compliance.people import risk as facts
from compliance.people.models import Customer
from compliance.policy import countries
from compliance.policy.risk_model import Part, Rating, rate, risk_model, risk_model_at
from compliance.policy.schema import RISKS

PARTS = "risk.parts"


@dataclass(frozen=True, slots=True)
class Line:
    """One row of the arithmetic as a page shows it."""

    title: str | Promise
    rule: str
    points: int
    at_least: str


def codes_of(customer: Customer, *, on: date, inside: bool = False) -> list[str]:
    """Everything that counts on a day: the lists that name the nationality, and the facts that hold."""
    listed = [one.code for one in countries.names_of(customer.nationality, on=on)] if customer.nationality else []
    return listed + list(facts.holding(customer, on=on, inside=inside).values_list("code", flat=True))


def rating_of(customer: Customer, *, on: date, inside: bool = False) -> Rating:
    return rate(risk_model(on), codes_of(customer, on=on, inside=inside))


def basis_on(day: date) -> list[str]:
    """The versions that an assessment of this day rests on."""
    return [risk_model(day).id, *countries.versions_on(day)]


def floor_of(rating: Rating) -> str:
    """Below this nobody sets the level: a fact asks for at least so much."""
    return max((part.at_least for part in rating.parts if part.at_least), key=RISKS.index, default=RISKS[0])


def level_with(rating: Rating, override: Override | None) -> str:
    """What holds: the officer's level while it runs, never below what a fact asks for; nor, where one alone decided,
    below what the arithmetic says.
    """
    if override is None:
        return rating.level
    return max(override.level, floor_of(rating) if override.by_two else rating.level, key=RISKS.index)


def sealed_parts(assessment: Assessment, parts: Iterable[Part]) -> bytes:
    said = json.dumps([asdict(part) for part in parts], sort_keys=True).encode()
    return seal(assessment.audit_subject, PARTS, said, aad=assessment.pk.bytes)


def parts_of(assessment: Assessment) -> list[Mapping[str, Any]]:
    """The arithmetic as it was; nothing after the customer's key was destroyed."""
    if assessment.parts_sealed is None:
        return []
    sealed = bytes(assessment.parts_sealed)
    found: list[Mapping[str, Any]] = json.loads(
        open_sealed(assessment.audit_subject, PARTS, sealed, aad=assessment.pk.bytes)
    )
    return found


def lines(parts: Iterable[Mapping[str, Any]], *, model: str) -> list[Line]:
    known = risk_model_at(model)
    return [Line(known.factor(p["code"]).title, p["rule"], p["points"], p["at_least"]) for p in parts]  # type: ignore[arg-type]
