"""What the log says of holds, erasures and retention runs."""

from django.utils.translation import gettext_lazy as _

from audit.registry import Action, Kept, register

_HOLD = {"hold": Kept.PUBLIC, "proposal": Kept.PUBLIC, "maker": Kept.PUBLIC}
_CERTIFICATE = dict.fromkeys(("erasure", "digest", "backups_dead", "dead_since"), Kept.PUBLIC)

register(
    Action("keeping.place_hold", _("{actor} placed a legal hold on {object}"), _HOLD),
    Action("keeping.lift_hold", _("{actor} lifted a legal hold on {object}"), _HOLD),
    Action(
        "keeping.end_relationship", _("{actor} noted that the relationship with {object} ended"), {"on": Kept.PUBLIC}
    ),
    Action("keeping.resume_relationship", _("{actor} noted that the relationship with {object} goes on")),
    Action(
        "keeping.finish_erasure",
        _("{actor} removed the files and sealed rows of {object}"),
        {"erasure": Kept.PUBLIC, "documents": Kept.PUBLIC, "rows": Kept.PUBLIC},
    ),
    Action("keeping.certify", _("{actor} issued the certificate of an erasure of {object}"), _CERTIFICATE),
    Action(
        "retention.run",
        _("{actor} erased what no rule keeps any longer"),
        dict.fromkeys(("plan", "due", "erased", "failed"), Kept.PUBLIC),
    ),
)
