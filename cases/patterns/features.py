"""The named features that rules count and sum: which transactions belong to each.

FEATURES are for every rule. CARE is for the markers of harm alone: what they look at in transactions besides, and signs
(`kinds.Sign`), which are of a player's health and known to care only; no rule of another kind may name them.

To add one: a line in FEATURES, its words, nothing else. One that rules use never changes its meaning: flags are
replayed with it. `where` is an expression over attributes; `{"param": ...}` in it is a parameter of the rule.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

ANONYMOUS: Final = ["prepaid", "voucher", "crypto"]


@dataclass(frozen=True, slots=True)
class Feature:
    words: str | Promise
    where: Mapping[str, Any]


def _kind(*kinds: str) -> dict[str, Any]:
    return {"in": [{"attribute": "kind"}, list(kinds)]}


FEATURES: Final[Mapping[str, Feature]] = {
    "activity": Feature(
        _("transactions"),
        _kind("deposit", "withdrawal", "bet", "win", "bonus", "reversal", "transfer_out", "transfer_in"),
    ),
    "deposits": Feature(_("deposits"), _kind("deposit")),
    "withdrawals": Feature(_("withdrawals"), _kind("withdrawal")),
    "payments": Feature(_("deposits and withdrawals"), _kind("deposit", "withdrawal")),
    "bets": Feature(_("bets"), _kind("bet")),
    "wins": Feature(_("wins"), _kind("win")),
    "bonuses": Feature(_("bonuses"), _kind("bonus")),
    "reversals": Feature(_("reversals"), _kind("reversal")),
    "transfers_out": Feature(_("losses to other players"), _kind("transfer_out")),
    "transfers_in": Feature(_("gains from other players"), _kind("transfer_in")),
    "new_instruments": Feature(
        _("new payment instruments"),
        {"all": [_kind("deposit", "withdrawal"), {"eq": [{"attribute": "instrument_new"}, 1]}]},
    ),
    "near_deposits": Feature(
        _("deposits just below the threshold"),
        {
            "all": [
                _kind("deposit"),
                {"ge": [{"attribute": "amount"}, {"percent": [{"param": "threshold"}, {"param": "share"}]}]},
                {"lt": [{"attribute": "amount"}, {"param": "threshold"}]},
            ]
        },
    ),
    "round_deposits": Feature(
        _("deposits of round amounts"),
        {"all": [_kind("deposit"), {"multiple": [{"attribute": "amount"}, {"param": "unit"}]}]},
    ),
    "anonymous_deposits": Feature(
        _("deposits by prepaid card, voucher or cryptocurrency"),
        {"all": [_kind("deposit"), {"in": [{"attribute": "instrument_kind"}, ANONYMOUS]}]},
    ),
    "covered_bets": Feature(
        _("bets on nearly all outcomes"),
        {"all": [_kind("bet"), {"ge": [{"attribute": "covered"}, {"param": "covered"}]}]},
    ),
}


def _sign(*signs: str) -> dict[str, Any]:
    return {"in": [{"attribute": "sign"}, [str(sign) for sign in signs]]}


CARE: Final[Mapping[str, Feature]] = {
    "night_bets": Feature(
        _("bets between midnight and five"), {"all": [_kind("bet"), {"lt": [{"attribute": "clock_hour"}, 5]}]}
    ),
    "sessions": Feature(_("sessions of play"), _sign("session")),
    "long_sessions": Feature(
        _("long sessions of play"),
        {"all": [_sign("session"), {"ge": [{"attribute": "amount"}, {"param": "seconds"}]}]},
    ),
    "withdrawals_taken_back": Feature(_("withdrawals taken back"), _sign("withdrawal_taken_back")),
    "self_harm": Feature(_("words that may mean self-harm"), _sign("self_harm")),
    "distress": Feature(_("signs of distress noted"), _sign("distress")),
    "told_of_losses": Feature(_("losses or borrowing noted"), _sign("losses")),
    "limits_raised": Feature(_("limits raised"), _sign("limit_raised")),
    "limits_removed": Feature(_("limits removed"), _sign("limit_removed")),
    "time_outs": Feature(_("time-outs"), _sign("time_out")),
    "exclusions": Feature(_("self-exclusions"), _sign("self_exclusion")),
    "accounts_opened": Feature(_("accounts opened"), _sign("account_opened")),
    "met_again": Feature(_("players kept out whom this one resembles"), _sign("met_again")),
}
SIGNS: Final = frozenset(name for name, one in CARE.items() if "sign" in repr(one.where))
EVERY: Final[Mapping[str, Feature]] = {**FEATURES, **CARE}
