"""What else could explain it: the list that every investigation goes through. Codes are kept, words may be changed."""

from collections.abc import Mapping
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

HYPOTHESES: Final[Mapping[str, str | Promise]] = {
    "lawful_income": _("The money fits income or wealth that is known or was shown"),
    "usual_play": _("It is how this player has always played"),
    "mistake": _("A mistake of the platform, of a payment provider or of data"),
    "family_instrument": _("A payment instrument of somebody in the household"),
    "structuring": _("Amounts kept below a threshold"),
    "pass_through": _("Money goes in and out with little play"),
    "third_party": _("Somebody else’s money, or somebody else plays"),
    "collusion": _("Money moves between players by arrangement"),
    "stolen_means": _("Stolen cards, accounts or identities"),
    "crime_proceeds": _("Proceeds of another crime"),
    "terrorist_financing": _("Financing of terrorism"),
}
