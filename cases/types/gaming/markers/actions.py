"""What markers of harm write into the log. What was done, why and how it was judged tells of health: sealed."""

from django.utils.translation import gettext_lazy as _

from audit.registry import Action, Kept, register

FIELDS = {
    "state": Kept.PUBLIC,
    "act": Kept.SEALED,
    "rule": Kept.SEALED,
    "score": Kept.SEALED,
    "policy": Kept.PUBLIC,
    "done_at": Kept.PUBLIC,
    "why": Kept.SEALED,
    "review_due_at": Kept.PUBLIC,
    "case": Kept.PUBLIC,
    "case_id": Kept.PUBLIC,
    "restriction_id": Kept.PUBLIC,
    "limits_sealed": Kept.SEALED,
    "outcome": Kept.SEALED,
    "note_sealed": Kept.SEALED,
    "reviewed_at": Kept.PUBLIC,
    "reviewed_by_id": Kept.PUBLIC,
}

register(
    Action("markers.ask", _("{actor} called for an act of care"), FIELDS),
    Action("markers.finish", _("An act of care was done"), FIELDS),
    Action("markers.drop", _("An act of care was not needed and was not done"), FIELDS),
    Action("markers.await_review", _("An act of care was done and waits for a person's look"), FIELDS),
    Action(
        "markers.list",
        _("{actor} read the list of acts of care that wait for a look: {rows}"),
        {"rows": Kept.PUBLIC, "digest": Kept.PUBLIC},
    ),
    Action("markers.review", _("{actor} looked at an act of care"), FIELDS),
)
