"""The money of an account that was closed. Its way is a decision of its own, which takes two persons.

Life of a decision: opened in the act that closes the account -> proposed with the balance as the platform shows it ->
confirmed by another person. Until then nothing is paid, and nobody forgets it: it is the thing to do on the case. Where
the case is opened again before, it waits no more.
"""

import hashlib
import re
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from babel.numbers import get_currency_precision
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from audit.actors import Acts
from audit.perform import ConditionsNotMet, Denied, WrongState
from audit.record import record
from cases.types.verification import endings
from cases.types.verification.models import FundsDecision
from compliance.people.models import User
from compliance.policy import Need
from compliance.proposals.queries import require_second_person
from compliance.proposals.services import void_overtaken
from compliance.rulebook.queries import policy_at

if TYPE_CHECKING:
    from cases.types.verification.models import Verification

ACT = "verification.settle_funds"
ACCOUNT_CLOSED = "account_closed"


def minor_units(amount: str, currency: str) -> int:
    """An amount as people type it, such as 1250.50, in minor units. ValidationError names the field."""
    if not re.fullmatch(r"[A-Z]{3}", currency):
        raise ValidationError({"currency": _("Enter the code of a currency, such as TRY.")})
    places = get_currency_precision(currency)
    if not re.fullmatch(rf"[0-9]{{1,12}}(\.[0-9]{{1,{max(places, 1)}}})?", amount) or (not places and "." in amount):
        raise ValidationError({"amount": _("Enter an amount such as 1250.50, without signs or spaces.")})
    return int(Decimal(amount).scaleb(places))


def open_decision(case: "Verification", *, by: Acts) -> FundsDecision:
    """In the act that closes the account; a case that was reopened and closed again starts anew."""
    FundsDecision.objects.filter(case_id=case.pk).delete()
    decision = FundsDecision.objects.create(case_id=case.pk, opened_at=timezone.now())
    record("verification.open_funds", by=by, about=decision)
    return decision


def close_decision(case: "Verification", *, by: Acts) -> None:
    """In the act that reopens the case: what nobody decided yet waits no more; what was decided stays."""
    for waiting in FundsDecision.objects.filter(case_id=case.pk, decided_at=None):
        record("verification.close_funds", by=by, about=waiting)
        waiting.delete()
        void_overtaken(case)


def of(case: Any) -> FundsDecision | None:
    found: FundsDecision | None = FundsDecision.objects.filter(case_id=case.pk).first()
    return found


def is_open(case: Any) -> bool:
    found = of(case)
    return case.closed_at is not None and found is not None and found.decided_at is None


def unmet(case: "Verification", decision: str = "", as_of: str = "", **inputs: Any) -> list[str]:
    """Why it cannot be decided so, in words."""
    if not is_open(case):
        return [str(_("No balance waits for a decision here."))]
    wrong = []
    if decision and decision not in endings.FUNDS.get(case.outcome, ()):
        wrong.append(str(_("This is not open for a case that ended like this.")))
    if decision == "nothing_left" and inputs.get("amount"):
        wrong.append(str(_("Money is there: say where it goes.")))
    if decision and decision != "nothing_left" and not inputs.get("amount"):
        wrong.append(str(_("There is no money: choose “There is nothing left”.")))
    if as_of and datetime.fromisoformat(as_of) > timezone.now():
        wrong.append(str(_("The balance cannot be of a time to come.")))
    return wrong


def need(case: "Verification", **inputs: Any) -> Need:
    """Two, always: no policy names one person for it."""
    return policy_at(case.policy_version).need_two(ACT)


def digest(case: "Verification") -> bytes:
    found = of(case)
    said = (case.outcome, case.closed_at, found and found.opened_at, found and found.decided_at)
    return hashlib.sha256(b"funds/1" + repr([str(value) for value in said]).encode()).digest()


@transaction.atomic
def settle(
    case: "Verification",
    *,
    by: Acts,
    reason: str,
    decision: str,
    amount: int,
    currency: str,
    as_of: str,
    proposal: str | None = None,
    maker: str | None = None,
) -> FundsDecision:
    """Decide where the balance goes. The operator's platform pays; here stands who decided, on what balance."""
    require_second_person(ACT, case, proposal=proposal)
    if not isinstance(by, User):
        raise Denied("person_needed")
    if wrong := unmet(case, decision=decision, amount=amount, as_of=as_of):
        raise ConditionsNotMet(wrong)
    row = FundsDecision.objects.select_for_update(of=("self",)).get(case_id=case.pk)
    if row.decided_at is not None:
        raise WrongState(str(_("This was decided already.")))
    row.decision, row.reason, row.amount, row.currency = decision, reason, amount, currency
    row.as_of, row.decided_at, row.decided_by = datetime.fromisoformat(as_of), timezone.now(), by
    row.save()
    details = {"decision": decision, "amount": amount, "currency": currency, "as_of": as_of}
    details |= {"proposal": proposal, "maker": maker}
    record(ACT, by=by, about=row, reason=reason, details={name: v for name, v in details.items() if v is not None})
    return row
