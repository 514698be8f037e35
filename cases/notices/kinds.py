"""What staff are told of, and how as long as they choose nothing else (experience N2: only what I must act on)."""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True, slots=True)
class Kind:
    """`words` say it in a list, after the number. `fixed`: nobody may switch it off. `urgent`: at any hour."""

    label: str | Promise
    words: str | Promise
    page: bool = True
    mail: bool = False
    fixed: bool = False
    urgent: bool = False


KINDS: dict[str, Kind] = {
    "care": Kind(
        _("Words that may mean self-harm"),
        _("Urgent: somebody has to look at what a player wrote or said"),
        mail=True,
        fixed=True,
        urgent=True,
    ),
    "assigned": Kind(_("A case becomes mine"), _("You are responsible for this case now"), mail=True),
    "returned": Kind(_("My proposal comes back or expires"), _("Your proposal came back"), mail=True),
    "at_risk": Kind(_("Three quarters of a clock are used up"), _("Three quarters of the time are used up"), mail=True),
    "breached": Kind(_("A clock ran out"), _("The time is used up"), mail=True),
    "paused_long": Kind(
        _("A clock was paused by hand and still stands"), _("The clock was paused by hand and still stands")
    ),
    "mention": Kind(_("Somebody calls me in a note"), _("Somebody called you in a note"), mail=True),
    "proposal_waiting": Kind(_("A proposal waits for a second person"), _("A proposal waits for a second person")),
    "watched": Kind(_("A case that I watch changes"), _("A case that you watch changed")),
    "snooze_over": Kind(_("A snoozed case comes back"), _("A snoozed case is back")),
    "call_back": Kind(_("A promised call-back is due"), _("A promised call-back is due")),
    "contact": Kind(_("A player is to be contacted"), _("The player is to be contacted"), mail=True),
    "care_review": Kind(
        _("A protection that began by itself waits for a look"),
        _("A protection began by itself: somebody has to look at it"),
        mail=True,
    ),
    "stop_late": Kind(
        _("The platform does not confirm a stop"),
        _("Urgent: the platform did not confirm in time that the player is stopped"),
        mail=True,
        fixed=True,
        urgent=True,
    ),
    "player_wrote": Kind(_("The player wrote"), _("The player wrote")),
    "not_delivered": Kind(_("A message did not reach the player"), _("A message did not reach the player")),
}
