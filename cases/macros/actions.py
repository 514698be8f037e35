"""What the log says of macros. What each act of one did has its own entry, with the same `batch`."""

from django.utils.translation import gettext_lazy as _

from audit.registry import Action, Kept, register

PUBLIC = Kept.PUBLIC
KEPT = {"name": PUBLIC, "acts": PUBLIC, "team": PUBLIC}

register(
    Action("macros.save", _("{actor} saved the macro {name}"), KEPT),
    Action("macros.drop", _("{actor} removed the macro {name}"), {"name": PUBLIC}),
    Action("macros.use", _("{actor} used the macro {name}"), {"name": PUBLIC, "acts": PUBLIC, "batch": PUBLIC}),
)
