"""What a request about play writes into the log. What was said, and why, is sealed: it tells of a person's health."""

from django.utils.translation import gettext_lazy as _

from audit.registry import Action, Kept, register
from cases.actions import CASE_FIELDS

_ORDER = dict.fromkeys(("account", "restriction", "sent", "done", "left", "confirmed_at"), Kept.PUBLIC)

register(
    Action(
        "gaming.open",
        _("{actor} took a request about play"),
        CASE_FIELDS
        | {
            "exclusion": Kept.PUBLIC,
            "asks": Kept.SEALED,
            "asked_by": Kept.SEALED,
            "via": Kept.SEALED,
            "rule": Kept.SEALED,
        },
    ),
    Action("gaming.review", _("{actor} started to look after the request"), CASE_FIELDS),
    Action("gaming.settle", _("{actor} closed the request"), CASE_FIELDS),
    Action("gaming.write_interaction", _("{actor} noted an interaction with the player"), {}),
    Action(
        "gaming.ask_register",
        _("{actor} asked the register {register}"),
        {"register": Kept.PUBLIC, "answer": Kept.SEALED, "good_until": Kept.SEALED, "policy": Kept.PUBLIC},
    ),
    Action(
        "gaming.forget_register",
        _("What the register {register} said holds no more: the player's data were corrected"),
        {"register": Kept.PUBLIC, "good_until": Kept.SEALED},
    ),
    Action("gaming.order_stop", _("The platform was told to stop the player"), _ORDER),
    Action("gaming.confirm_stop", _("{actor} confirmed what was stopped"), _ORDER),
)
