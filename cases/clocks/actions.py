"""What the log says of clocks."""

from django.utils.translation import gettext_lazy as _

from audit.registry import Action, Kept, register

PUBLIC = Kept.PUBLIC
KIND = {"kind": PUBLIC, "minutes": PUBLIC, "rule": PUBLIC}

register(
    Action("clocks.set_hours", _("{actor} set when a queue works"), {"hours": PUBLIC, "targets": PUBLIC}),
    Action("clocks.start", _("A clock started: {kind}"), KIND),
    Action("clocks.pause", _("A clock paused: {kind}"), KIND),
    Action("clocks.resume", _("A clock goes on: {kind}"), KIND),
    Action("clocks.stop", _("A clock stopped: {kind}"), KIND),
    Action("clocks.warn", _("Three quarters of the time are used up: {kind}"), KIND),
    Action("clocks.breach", _("The time is used up: {kind}"), KIND),
)
