"""Beginnings of the narrative: what each part has to say, as sentences to fill in. Nothing is filed as it stands."""

from collections.abc import Mapping
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

GUIDE: Final[Mapping[str, str | Promise]] = {
    "who": _("The player: name, since when a customer, occupation and income as far as known. Others who take part."),
    "what": _("Which transactions: kind, number, sum and currency, means of payment, beneficiary."),
    "when": _("First and last day, and what is unusual about the times."),
    "where": _("Accounts, brands, devices and countries from which it was done."),
    "why": _("What does not fit: income, usual play, papers; which explanations were looked into, and why they fall."),
    "how": _("Step by step, how money came in, what was played, how it went out."),
}
PATTERNS: Final[Mapping[str, tuple[str | Promise, Mapping[str, str | Promise]]]] = {
    "pass_through": (
        _("In and out with little play"),
        {
            "what": _("Deposits of [sum] in [number] payments; withdrawals of [sum]; bets of only [sum]."),
            "why": _("The account served to pass money on: the bets are [percent] of the deposits."),
            "how": _("Deposit by [means], bets of low risk within [time], withdrawal to [means]."),
        },
    ),
    "structuring": (
        _("Amounts kept below a threshold"),
        {
            "what": _("[number] deposits between [amount] and [amount] within [time], [sum] together."),
            "why": _("Each stays below the threshold of [amount]; together they reach it."),
            "how": _("Payments one after the other by [means]."),
        },
    ),
    "third_party": (
        _("Somebody else’s means of payment"),
        {
            "what": _("Payments by [means] in the name of [holder], who is not the player."),
            "why": _("The player could not show a relation to the holder."),
            "how": _("First used on [day]; withdrawals went to [means]."),
        },
    ),
}


def begun(pattern: str, narrative: Mapping[str, str]) -> dict[str, str]:
    """The narrative with the sentences of a pattern where a part is empty; what somebody wrote stays."""
    _title, sentences = PATTERNS[pattern]
    return {part: text or str(sentences.get(part, "")) for part, text in narrative.items()}
