"""What enhanced due diligence asks for of this player, as the policy names it. Facts of the AML side do not count."""

from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext_lazy as _

from cases.types.verification import rules
from cases.types.verification.risk.calling import is_called_for
from compliance.rulebook.labels import words_of
from compliance.rulebook.queries import policy_of

if TYPE_CHECKING:
    from cases.types.verification.models import Verification

# The measures that evidence of a purpose carries. The others are done by people, outside of the files.
PURPOSES = {"source_of_funds": "funds", "source_of_wealth": "wealth"}
STANDING = {
    "met": _("accepted"),
    "asked": _("asked for, with the other items"),
    "beyond": _("this case does not ask for it: ask for it separately"),
    "people": _("to be seen to by people, and noted"),
}


def measures_of(case: "Verification") -> list[dict[str, Any]] | None:
    """Each measure in words with how it stands in this case; [] where the policy names none, None where none is due."""
    customer = case.customer
    if not is_called_for(customer):
        return None
    enhanced = policy_of(customer.licensee, on=customer.licensee.today()).enhanced
    rule: Any = enhanced.measures if enhanced.known("measures") else None
    missing = set(rules.missing_evidence(case))
    asked = {one.purpose for one in rules.asked(case)}
    return [
        {"title": words_of(name), "standing": STANDING[_standing(name, asked, missing)], "rule": rule.id}
        for name in (rule.value if rule else ())
    ]


def _standing(measure: str, asked: set[str], missing: set[str]) -> str:
    purpose = PURPOSES.get(measure)
    if purpose is None:
        return "people"
    if purpose not in asked:
        return "beyond"
    return "asked" if purpose in missing else "met"
