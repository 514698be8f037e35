"""What goes on, and what stops, when a player is kept out and something else is open. The same table for everybody.

It never asks what is open: staff see it whole on every request, so it says nothing of this player. A hold whose cause
is not told is one line of it, whatever set it. tests/gaming/test_conflicts.py opens each other matter and tries every
word of its line.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True, slots=True)
class Line:
    """`goes_on`: the other matter's acts that stay possible; `stops`: those that do not. `text`: the code of what the
    player is sent because the two meet, "" for nothing beyond what each sends by itself. `told`: the rule for staff.
    """

    title: str | Promise
    goes_on: tuple[str, ...]
    stops: tuple[str, ...]
    text: str
    told: str | Promise


TABLE: Final[Mapping[str, Line]] = {
    "withdrawal": Line(
        _("A withdrawal"),
        goes_on=("withdraw", "sign_in"),
        stops=("deposit", "play", "marketing"),
        text="",
        told=_("It is paid as always. Never offer to play with it instead."),
    ),
    "hold": Line(
        _("A withdrawal on hold"),
        goes_on=("keep_out",),
        stops=("deposit", "play", "withdraw", "marketing"),
        text="",
        told=_("The exclusion holds at once and changes nothing about the hold. Use the approved script."),
    ),
    "verification": Line(
        _("An unfinished verification"),
        goes_on=("review", "approve", "lapse"),
        stops=("deposit", "play"),
        text="",
        told=_("It goes on, for the withdrawal. An approval lifts what the verification had stopped, nothing else."),
    ),
    "privacy": Line(
        _("A request to erase"),
        goes_on=("erase",),
        stops=("deposit", "play"),
        text="",
        told=_("It is decided by its own rules. The exclusion outlives the data."),
    ),
    "complaint": Line(
        _("A complaint"),
        goes_on=("answer",),
        stops=("survey", "goodwill_bonus"),
        text="",
        told=_("It is answered as always, without any bonus, survey, or word that asks to stay."),
    ),
    "stop_play": Line(
        _("Play stopped by a person"),
        goes_on=("lift_stop",),
        stops=("deposit", "play"),
        text="",
        told=_("Lifting the stop does not end the exclusion."),
    ),
}
