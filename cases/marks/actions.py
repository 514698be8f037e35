"""What the log says of marks. What kind it is says something of the player: it is sealed."""

from django.utils.translation import gettext_lazy as _

from audit.registry import Action, Kept, register

PUBLIC = Kept.PUBLIC

register(
    Action(
        "marks.set",
        _("{actor} marked the player: their cases are for those named"),
        {"kind": Kept.SEALED, "users": PUBLIC, "cases": PUBLIC},
    ),
    Action("marks.name", _("{actor} named one more person for the cases of the marked player"), {"users": PUBLIC}),
    Action(
        "marks.lift",
        _("{actor} lifted the player’s mark: their cases are the team’s again"),
        {"state": PUBLIC, "lifted_at": PUBLIC, "cases": PUBLIC, "proposal": PUBLIC, "maker": PUBLIC},
    ),
)
