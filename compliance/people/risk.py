"""Risk facts: what a kind of case learned about a customer, kept where the other kinds can ask for it.

A fact of the AML side (`log="aml"`) leaves nothing outside of it: no entry, no outbox row, no change of level. Whoever
reckons the risk of a customer is told of the others by an outbox row (`LEARNED`).
"""

from datetime import date
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from audit.actors import Acts
from audit.record import record
from compliance.outbox.services import post
from compliance.people.contacts import country as letters
from compliance.people.models import Customer, RiskFact
from compliance.people.permissions import require_active
from compliance.policy.country_ways import WAYS

LEARNED = "people.risk_learned"
MAIN = "main"
PLATFORM = "platform"  # what the operator's platform said of the player


@transaction.atomic
def learn(
    customer: Customer,
    code: str,
    *,
    source: str,
    known_on: date,
    by: Acts,
    until: date | None = None,
    matter: str | None = None,
    log: str = "main",
) -> RiskFact:
    """Keep a fact that raises or explains risk, from the day it was known. The same fact of one source is kept once.

    `code` and `source` (the kind of case) are codes; both stay sealed in the log.
    """
    require_active(by, action="people.learn_risk", about=customer)
    if until is not None and until < known_on:
        raise ValidationError({"until": _("The end must be after the start.")})
    Customer.objects.select_for_update(of=("self",)).get(pk=customer.pk)
    same = {"customer": customer, "code": code, "source": source, "until": until, "log": log}
    standing = RiskFact.objects.filter(ended_at=None, **same).first()
    if standing is not None:
        return standing
    fact = RiskFact.objects.create(known_on=known_on, **same)
    details: dict[str, Any] = {"code": code, "source": source, "known_on": known_on}
    details |= {"until": until} if until else {}
    record("people.learn_risk", by=by, about=fact, details=details, matter=matter, log=log)
    tell(fact)
    return fact


def learn_country(customer: Customer, way: str, country: str, **facts: Any) -> RiskFact:
    """A country of the customer's beside the nationality, as a fact such as `residence:IR`; `facts` as `learn` takes
    them. As what it counts, the lists of each day say. ValidationError names `way` or `country`.
    """
    if way not in WAYS[1:]:
        raise ValidationError({"way": _("Choose one of those listed.")})
    return learn(customer, f"{way}:{letters(country, field='country')}", **facts)


def tell(fact: RiskFact) -> None:
    """Leave a row by which the risk is reckoned anew. Nothing for a fact of the AML side: a row can be counted."""
    if fact.log == MAIN:
        post(LEARNED, payload={"customer_id": fact.customer_id, "fact_id": fact.pk})


@transaction.atomic
def end(fact: RiskFact, *, by: Acts, reason: str, matter: str | None = None) -> RiskFact:
    """Say that a fact does not hold: it was a mistake, or it is over. It stays in the file with its end."""
    require_active(by, action="people.end_risk", about=fact)
    fact = RiskFact.objects.select_for_update(of=("self",)).get(pk=fact.pk)
    if fact.ended_at is None:
        fact.ended_at = timezone.now()
        fact.save(update_fields=["ended_at"])
        record(
            "people.end_risk",
            by=by,
            about=fact,
            reason=reason,
            details={"code": fact.code},
            matter=matter,
            log=fact.log,
        )
        tell(fact)
    return fact


def holding(customer: Customer, *, on: date, inside: bool = False) -> QuerySet[RiskFact]:
    """Facts that hold on a day, oldest first; those of the AML side only for who is `inside` its compartment."""
    rows = RiskFact.objects.filter(customer=customer, known_on__lte=on, ended_at=None).exclude(until__lt=on)
    return (rows if inside else rows.filter(log=MAIN)).order_by("known_on", "recorded_at")


def facts_of(customer: Customer, *, source: str, on: date) -> list[str]:
    """Codes of the facts of one source that hold on this day, oldest first. Nobody reads another side's facts."""
    return list(holding(customer, on=on, inside=True).filter(source=source).values_list("code", flat=True))
