"""What the log says of contacts, caller checks and tasks."""

from django.utils.translation import gettext_lazy as _

from audit.registry import Action, Kept, register

PUBLIC, SEALED = Kept.PUBLIC, Kept.SEALED
TASK = {
    "kind": PUBLIC,
    "due_at": PUBLIC,
    "state": PUBLIC,
    "outcome": PUBLIC,
    "closed_at": PUBLIC,
    "closed_by_id": PUBLIC,
}

register(
    Action(
        "contacts.log",
        _("{actor} logged a contact: {channel}"),
        {
            "channel": PUBLIC,
            "direction": PUBLIC,
            "category": PUBLIC,
            "outcome": PUBLIC,
            "language": PUBLIC,
            "solved_at_once": PUBLIC,
            "summary": SEALED,
        },
    ),
    Action("contacts.start_check", _("{actor} began to check a caller"), {"asked": PUBLIC}),
    Action(
        "contacts.check_caller", _("{actor} checked a caller. Right: {passed}"), {"asked": PUBLIC, "passed": PUBLIC}
    ),
    Action("tasks.promise", _("{actor} promised a call-back"), TASK),
    Action("tasks.call_for_care", _("Words in a contact ask for care at once"), TASK),
    Action("tasks.plan_contact", _("The player is to be contacted"), TASK),
    Action("tasks.settle", _("{actor} settled a task: {outcome}"), TASK),
    Action("tasks.list", _("{actor} looked at the list of tasks"), {"rows": PUBLIC}),
)
