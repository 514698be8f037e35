"""Words for the codes of risk."""

from typing import Any

from django.template import Library
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from cases.texts import purpose_title
from cases.types.verification.risk.enhanced import measures_of
from compliance.people.models import Risk

register = Library()
BECAUSE: dict[str, Any] = {
    "verified": _("The player was verified"),
    "new_fact": _("Something new became known"),
    "fact_ended": _("A fact ended"),
    "override": _("An officer set the level"),
    "override_ended": _("What an officer had set ended"),
    "lists_changed": _("The lists or the model changed"),
    "corrected": _("What the player declared was corrected"),
}
LEVELS: dict[str, Any] = {
    "low": pgettext_lazy("risk", "Low"),
    "medium": pgettext_lazy("risk", "Medium"),
    "high": pgettext_lazy("risk", "High"),
}


@register.filter
def risk_name(level: str) -> Any:
    return LEVELS.get(level, Risk(level).label)


@register.filter
def because_name(code: str) -> Any:
    return BECAUSE.get(code, code)


@register.filter
def purpose_name(purpose: str) -> str:
    return purpose_title(purpose)


@register.simple_tag
def enhanced_of(case: Any) -> list[dict[str, Any]] | None:
    """What enhanced due diligence asks for here; None where nothing calls for it."""
    return measures_of(case)
