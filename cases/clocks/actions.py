"""What the log says of clocks."""

from django.utils.translation import gettext_lazy as _

from audit.registry import Action, Kept, register

PUBLIC = Kept.PUBLIC
KIND = {"clock": PUBLIC, "minutes": PUBLIC, "rule": PUBLIC}

register(
    Action("clocks.set_hours", _("{actor} set when a queue works"), {"hours": PUBLIC, "targets": PUBLIC}),
    Action("clocks.start", _("A clock started: {clock}"), KIND),
    Action("clocks.pause", _("A clock paused: {clock}"), KIND),
    Action("clocks.resume", _("A clock goes on: {clock}"), KIND),
    Action("clocks.stop", _("A clock stopped: {clock}"), KIND),
    Action("clocks.warn", _("Three quarters of the time are used up: {clock}"), KIND),
    Action("clocks.breach", _("The time is used up: {clock}"), KIND),
)
