"""What the log says of exceptional access."""

from django.utils.translation import gettext_lazy as _

from audit.registry import Action, Kept, register

PUBLIC = Kept.PUBLIC
REVIEW_FIELDS = {
    "state": PUBLIC,
    "reviewed_by_id": PUBLIC,
    "reviewed_at": PUBLIC,
    "review_sealed": Kept.OMIT,
}

register(
    Action(
        "glass.open",
        _("{actor} opened a restricted case by exception until {ends_at}"),
        {"opening": PUBLIC, "ends_at": PUBLIC, "review_due_at": PUBLIC, "told": PUBLIC},
    ),
    Action("glass.find_justified", _("{actor} looked at an exceptional access: it was justified"), REVIEW_FIELDS),
    Action("glass.find_unjustified", _("{actor} looked at an exceptional access: it was not"), REVIEW_FIELDS),
    Action("glass.list", _("{actor} looked at the list of exceptional accesses"), {"rows": PUBLIC}),
)
