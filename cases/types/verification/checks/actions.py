"""What the log says of electronic checks. What was sent out is named by kind, never by content."""

from django.utils.translation import gettext_lazy as _

from audit.registry import Action, Kept, register

FIELDS = dict.fromkeys(("kind", "state", "result", "codes", "asked_at", "said_at", "error", "adapter"), Kept.PUBLIC)
register(
    Action("checks.order", _("{actor} ordered an electronic check"), FIELDS),
    Action("checks.send", _("The player’s data was sent for an electronic check"), FIELDS),
    Action("checks.answer", _("An electronic check was answered"), FIELDS),
    Action("checks.fail", _("An electronic check could not be made"), FIELDS),
    Action("checks.ask_again", _("{actor} ordered an electronic check once more"), FIELDS),
)
