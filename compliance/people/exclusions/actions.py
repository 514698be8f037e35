"""What the log says of exclusions. What kind it is and why stays sealed: it tells of a person's health."""

from django.utils.translation import gettext_lazy as _

from audit.registry import Action, Kept, register

_PUBLIC = ("policy", "proposal", "maker", "restriction", "carried_from", "accounts", "restored")
_SEALED = (
    "kind",
    "asked_by",
    "scope",
    "starts_at",
    "term_ends_at",
    "ends_at",
    "return_from",
    "channel",
    "cooling_ends_at",
    "confirm_until",
    "return_asked_at",
    "return_channel",
    "ended_at",
    "decided_at",
    "by",
)
_FIELDS = dict.fromkeys(_PUBLIC, Kept.PUBLIC) | dict.fromkeys(_SEALED, Kept.SEALED)
_FIELDS |= {"state": Kept.PUBLIC, "person": Kept.PUBLIC, "customer": Kept.PUBLIC}

register(
    Action("exclusion.start", _("{actor} kept the player out of play"), _FIELDS),
    Action("exclusion.persist", _("The exclusion goes on after its term"), _FIELDS),
    Action("exclusion.end", _("The exclusion ended as its rule says"), _FIELDS),
    Action("exclusion.ask_return", _("{actor} took the request to return to play"), _FIELDS),
    Action("exclusion.accept_return", _("{actor} accepted the request to return; time to reflect runs"), _FIELDS),
    Action("exclusion.refuse_return", _("{actor} refused the request to return"), _FIELDS),
    Action("exclusion.take_back_return", _("{actor} took the request to return back"), _FIELDS),
    Action("exclusion.lapse_return", _("The request to return lapsed"), _FIELDS),
    Action("exclusion.confirm_return", _("{actor} confirmed the return; the exclusion ended"), _FIELDS),
    Action("exclusion.annul", _("{actor} annulled an exclusion of the wrong person"), _FIELDS),
    Action("exclusion.carry", _("An exclusion was carried to another record of the same person"), _FIELDS),
    Action("exclusion.restore", _("{actor} brought an exclusion back after a restore"), _FIELDS),
    Action("exclusion.trust_clock", _("{actor} vouched for the clock after a gap"), {"gap": Kept.PUBLIC}),
    Action("duplicate.find", _("A player resembles somebody who is kept out; play is stopped"), _FIELDS),
    Action("duplicate.clear", _("{actor} cleared a player who resembles somebody who is kept out"), _FIELDS),
    Action("duplicate.confirm", _("{actor} found that a player is somebody who is kept out"), _FIELDS),
    Action("duplicate.lapse", _("Nobody is kept out any more whom the player resembles"), _FIELDS),
)
