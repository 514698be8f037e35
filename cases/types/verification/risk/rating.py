"""Facts -> level, with the arithmetic. Outside the compartment of the AML side its facts do not exist."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from cases.types.verification.risk import offices
from cases.types.verification.risk.models import Assessment, Override
from compliance.keys.services import open_sealed, seal
from compliance.people import risk as facts
from compliance.people.models import Customer
from compliance.policy import countries, country_ways
from compliance.policy.risk_model import Part, Rating, rate, risk_model, risk_model_at
from compliance.policy.schema import RISKS

PARTS = "risk.parts"
WAY_WORDS = {
    "nationality": _("Nationality"),
    "residence": _("Lives in"),
    "document": _("Document issued by"),
    "ip": _("Signs in from"),
    "payment": _("Pays from"),
}


@dataclass(frozen=True, slots=True)
class Line:
    """One row of the arithmetic as a page shows it."""

    title: str | Promise
    rule: str
    points: int
    at_least: str
    known_by: str = ""  # the countries behind it, in words


def codes_of(customer: Customer, *, on: date, inside: bool = False) -> list[str]:
    """Everything that counts on a day: the lists that name a country of the customer, the facts that hold, and the
    offices that are over and count on.
    """
    ended = offices.over(on=on).filter(customer=customer)
    rows = facts.holding(customer, on=on, inside=inside) | (ended if inside else ended.filter(log=facts.MAIN))
    known = list(rows.values_list("code", "until"))
    held = [code for code, until in known if until is None or until >= on]
    over = [(code, until) for code, until in known if until is not None and until < on]
    said = [f"nationality:{customer.nationality}", *held, *offices.counting_on(customer, over, on=on)]
    return [code for fact in said for code in counted_as(fact, on=on)]


def counted_as(fact: str, *, on: date) -> list[str]:
    """As what a fact counts on a day: a country (`residence:IR`) as the lists and its way say, another as itself."""
    way, colon, country = fact.partition(":")
    return country_ways.codes_of(way, country, on=on) if colon else [fact]


def countries_of(customer: Customer, *, on: date) -> list[tuple[str, str, list[str]]]:
    """Each country that is known of the customer: by which way, its code, and as what it counts."""
    held = facts.holding(customer, on=on).filter(code__contains=":").values_list("code", flat=True)
    said = [f"nationality:{customer.nationality}"] if customer.nationality else []
    return [(*one.split(":", 1), counted_as(one, on=on)) for one in (*said, *dict.fromkeys(held))]  # type: ignore[misc]


def rating_of(customer: Customer, *, on: date, inside: bool = False) -> Rating:
    return rate(risk_model(on), codes_of(customer, on=on, inside=inside))


def basis_on(day: date) -> list[str]:
    """The versions that an assessment of this day rests on."""
    ways = country_ways.version_on(day)
    return [risk_model(day).id, *countries.versions_on(day), *([ways.id] if ways else [])]


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


def lines(
    parts: Iterable[Mapping[str, Any]], *, model: str, of: Iterable[tuple[str, str, list[str]]] = ()
) -> list[Line]:
    """The arithmetic as a page shows it; `of` are the countries of the customer, as `countries_of` names them."""
    known, where = risk_model_at(model), list(of)
    return [
        Line(
            known.factor(p["code"]).title,  # type: ignore[arg-type]
            p["rule"],
            p["points"],
            p["at_least"],
            ", ".join(country_words(way, country) for way, country, codes in where if p["code"] in codes),
        )
        for p in parts
    ]


def country_words(way: str, country: str) -> str:
    return f"{WAY_WORDS[way]}: {country}"
