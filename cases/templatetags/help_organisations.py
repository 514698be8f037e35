"""Who helps a player, on every page where one gets a receipt, and for those who look after players."""

from typing import Any

from django.template import Library
from django.utils.translation import get_language

from compliance.people.models import Account
from compliance.policy.help_organisations import help_for

register = Library()


@register.inclusion_tag("gaming/_help.html")
def help_of(account: Account, language: str = "", *, for_staff: bool = False) -> dict[str, Any]:
    """Of the country whose licence the player plays under; those first that answer in the language of the page.
    Where nobody verified any, a player is shown nothing and staff that there is none.
    """
    licensee = account.licensee
    spoken = language or get_language() or account.language
    found = help_for(licensee.jurisdiction, spoken, on=licensee.today())
    return {"organisations": found, "for_staff": for_staff}
