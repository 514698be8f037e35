"""An amount that was reached, in words for whoever works on the case."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from cases.types.verification.amounts.adding import Line
from cases.types.verification.amounts.laws import lines
from cases.types.verification.amounts.models import Crossing
from compliance.people.moving import DEPOSIT, STAKE, WINNING, WITHDRAWAL
from compliance.rulebook.labels import value_words
from compliance.rulebook.queries import policy_at

LEGS = {DEPOSIT: _("Deposits"), STAKE: _("Stakes"), WINNING: _("Winnings"), WITHDRAWAL: _("Withdrawals")}


def of(case: Any) -> list[dict[str, Any]]:
    """What was reached, with the rule in words; the oldest first."""
    rows = Crossing.objects.filter(case_id=case.pk).order_by("crossed_at", "level")
    return [{"row": row, "leg": LEGS[row.leg], "amount": _words(row)} for row in rows]


def _words(row: Crossing) -> str:
    found = _line(row)
    return value_words(found.threshold) if found else ""


def _line(row: Crossing) -> Line | None:
    """The leg of the pinned policy that this total reached."""
    fits = (
        line
        for line in lines(policy_at(row.policy_version))
        if line.rule == row.rule_id and row.leg in line.kinds and line.reached(row.total)
    )
    return next(fits, None)
