"""The delays of limits that auditors ask for."""

from django.utils.translation import gettext_lazy as _

from cases.oversight.delays import Delay, register

ENDS = ("limits.lapse", "limits.cancel", "limits.block", "limits.supersede")

register(
    Delay(
        "limit_asked_to_in_force",
        _("From asking for a limit to its effect or its end"),
        "limits.ask",
        ("limits.take_effect", "limits.confirm", *ENDS),
        same="object",
    ),
    Delay(
        "raise_open_to_answer",
        _("From the end of a raise’s wait to the player’s answer"),
        "limits.open",
        ("limits.confirm", *ENDS),
        same="object",
    ),
)
