"""What the log says of second looks."""

from django.utils.translation import gettext_lazy as _

from audit.registry import Action, Kept, register

PUBLIC = Kept.PUBLIC
FIELDS = {
    "state": PUBLIC,
    "outcome": PUBLIC,
    "judged_at": PUBLIC,
    "note_sealed": Kept.OMIT,
    "conclusion": PUBLIC,
    "settled_by_id": PUBLIC,
    "settled_at": PUBLIC,
}

register(
    Action("quality.draw", _("The case was drawn for a second look"), {"percent": PUBLIC, "policy": PUBLIC}),
    Action("quality.take", _("{actor} takes the second look at a case"), {"reviewer_id": PUBLIC}),
    Action("quality.give_back", _("{actor} gave the second look back"), {"reviewer_id": PUBLIC}),
    Action("quality.agree", _("{actor} looked again and agrees"), FIELDS),
    Action("quality.disagree", _("{actor} looked again and disagrees"), FIELDS),
    Action("quality.settle", _("{actor} settled a disagreement"), FIELDS),
    Action(
        "quality.view_team",
        _("{actor} looked at the work of a team"),
        {"teams": PUBLIC},
    ),
)
