"""What the log says of the outbox."""

from django.utils.translation import gettext_lazy as _

from audit.registry import Action, Kept, register

FACTS = {"kind": Kept.PUBLIC, "attempts": Kept.PUBLIC, "error": Kept.PUBLIC}

register(
    Action("outbox.park", _("{actor} gave up on {object} ({kind}) after {attempts} attempts"), FACTS),
    Action("outbox.drop", _("{actor} dropped {object} ({kind}): it will not be delivered"), FACTS),
    Action("outbox.list", _("{actor} looked at what could not be delivered"), {"rows": Kept.PUBLIC}),
    Action("outbox.retry", _("{actor} asked for another attempt at {object} ({kind})"), FACTS),
)
