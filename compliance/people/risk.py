"""Risk facts: what a kind of case learned about a customer, kept where the other kinds can ask for it."""

from datetime import date
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from audit.actors import Acts
from audit.record import record
from compliance.people.models import Customer, RiskFact
from compliance.people.permissions import require_active


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
    standing = RiskFact.objects.filter(customer=customer, code=code, source=source, until=until).first()
    if standing is not None:
        return standing
    fact = RiskFact.objects.create(customer=customer, code=code, source=source, known_on=known_on, until=until)
    details: dict[str, Any] = {"code": code, "source": source, "known_on": known_on}
    details |= {"until": until} if until else {}
    record("people.learn_risk", by=by, about=fact, details=details, matter=matter, log=log)
    return fact


def facts_of(customer: Customer, *, source: str, on: date) -> list[str]:
    """Codes of the facts of one source that hold on this day, oldest first. Nobody reads another side's facts."""
    rows = RiskFact.objects.filter(customer=customer, source=source, known_on__lte=on).exclude(until__lt=on)
    return list(rows.order_by("known_on", "recorded_at").values_list("code", flat=True))
