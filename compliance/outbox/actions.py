"""What the log says of the outbox."""

from django.utils.translation import gettext_lazy as _

from audit.registry import Action, Kept, register

FACTS = {"kind": Kept.PUBLIC, "attempts": Kept.PUBLIC, "error": Kept.PUBLIC}

register(
    Action("outbox.park", _("{actor} gave up on {object} ({kind}) after {attempts} attempts"), FACTS),
    Action("outbox.retry", _("{actor} asked for another attempt at {object} ({kind})"), FACTS),
)
