"""What a transaction may be, in the words that the API, files and rules use; and what else care knows of a player."""

from enum import IntFlag
from typing import Final

from django.db import models
from django.utils.translation import gettext_lazy as _


class Kind(models.TextChoices):
    DEPOSIT = "deposit", _("Deposit")
    WITHDRAWAL = "withdrawal", _("Withdrawal")
    BET = "bet", _("Bet")
    WIN = "win", _("Win")
    BONUS = "bonus", _("Bonus")
    REVERSAL = "reversal", _("Reversal")  # a deposit charged back, or a withdrawal that the player took back
    TRANSFER_OUT = "transfer_out", _("Loss to another player")
    TRANSFER_IN = "transfer_in", _("Gain from another player")


class Instrument(models.TextChoices):
    CARD = "card", _("Card")
    BANK = "bank", _("Bank account")
    WALLET = "wallet", _("E-wallet")
    PREPAID = "prepaid", _("Prepaid card")
    VOUCHER = "voucher", _("Voucher")
    CRYPTO = "crypto", _("Cryptocurrency")
    CASH = "cash", _("Cash")
    OTHER = "other", _("Other")


class Shared(models.TextChoices):
    """What several customers may be found to use."""

    DEVICE = "device", _("Device")
    INSTRUMENT = "instrument", _("Payment instrument")
    NETWORK = "network", _("Network address")


class Sign(models.TextChoices):
    """What play protection knows of a player besides transactions. No platform sends these as transactions."""

    SESSION = "session", _("Session of play")
    WITHDRAWAL_TAKEN_BACK = "withdrawal_taken_back", _("Withdrawal taken back")
    SELF_HARM = "self_harm", _("Words that may mean self-harm")
    DISTRESS = "distress", _("Distress noted")
    LOSSES = "losses", _("Losses or borrowing noted")
    LIMIT_RAISED = "limit_raised", _("Limit raised")
    LIMIT_REMOVED = "limit_removed", _("Limit removed")
    TIME_OUT = "time_out", _("Time-out")
    SELF_EXCLUSION = "self_exclusion", _("Self-exclusion")
    ACCOUNT_OPENED = "account_opened", _("Account opened")
    MET_AGAIN = "met_again", _("Resembles a person who is kept out")


class Fact(IntFlag):
    """What was known of the customer when the transaction was accepted, from their risk facts."""

    LIST_HIT = 1  # politically exposed, or close to one who is
    EXCLUDED = 2  # matched to an excluded person
    EVASION = 4  # papers altered, of another person, or used by another player


# By the codes of risk facts that something writes: factors of the risk model, or constants of who learns them.
FACTS: Final[dict[str, Fact]] = {
    "pep": Fact.LIST_HIT,
    "close_to_pep": Fact.LIST_HIT,
    "excluded_person_met_again": Fact.EXCLUDED,
    "document_altered": Fact.EVASION,
    "person_differs": Fact.EVASION,
    "same_file": Fact.EVASION,
}
