"""What the log says of amounts that players reached."""

from django.utils.translation import gettext_lazy as _

from audit.registry import Action, Kept, register

_FACTS = dict.fromkeys(("rule", "level", "policy", "crossed_at", "knowable_at"), Kept.PUBLIC)

register(
    Action("amounts.reach", _("A player reached the amount of {rule}"), _FACTS),
    Action("amounts.correct", _("The amount of {rule} was reached earlier: a transaction came late"), _FACTS),
    Action(
        "amounts.follow",
        _("What the amount of {rule} asks for was seen to"),
        {"result": Kept.PUBLIC, "rule": Kept.PUBLIC},
    ),
)
