"""Who helps a player, on every page where one gets a receipt, and for those who look after players."""

from typing import Any

from django.template import Library
from django.utils.translation import get_language

from compliance.people.models import Account
from compliance.policy.help_organisations import help_for

register = Library()


@register.inclusion_tag("gaming/_help.html")
def help_of(account: Account, language: str = "") -> dict[str, Any]:
    """Of the country whose licence the player plays under; those first that answer in the language of the page."""
    licensee = account.licensee
    spoken = language or get_language() or account.language
    return {"organisations": help_for(licensee.jurisdiction, spoken, on=licensee.today())}
