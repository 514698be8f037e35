"""What the log says of a customer's risk."""

from django.utils.translation import gettext_lazy as _

from audit.registry import Action, Kept, register

register(
    Action(
        "risk.assess",
        _("{actor} reckoned the risk of {object}"),
        {
            "risk": Kept.PUBLIC,
            "because": Kept.PUBLIC,
            "basis": Kept.PUBLIC,
            "review_on": Kept.PUBLIC,
            "score": Kept.SEALED,
            "parts": Kept.SEALED,
        },
    ),
    Action(
        "risk.override",
        _("{actor} set the risk of {object} to {level} until {until}"),
        dict.fromkeys(("level", "until", "reckoned", "proposal", "maker"), Kept.PUBLIC),
    ),
    Action("risk.end_override", _("The level that an officer had set for {object} ended"), {"level": Kept.PUBLIC}),
    Action("risk.look_inside", _("{actor} looked at the whole risk of a player"), {"customer": Kept.PUBLIC}),
)
