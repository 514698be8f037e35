"""What the log says of messages from outside."""

from django.utils.translation import gettext_lazy as _

from audit.registry import Action, Kept, register

PUBLIC = Kept.PUBLIC
register(
    Action(
        "inbound.add_sender",
        _("{actor} let somebody send signed messages: {name}"),
        dict.fromkeys(("kind", "name", "licensee"), PUBLIC),
    ),
    Action(
        "inbound.exchange_secret",
        _("{actor} exchanged the secret of a sender: {name}"),
        {"name": PUBLIC, "until": PUBLIC},
    ),
    Action("inbound.disable_sender", _("{actor} stopped a sender: {name}"), {"name": PUBLIC}),
    Action(
        "inbound.receive",
        _("A signed message came and was worked on: {came_to}"),
        dict.fromkeys(("sender", "kind", "message_id", "came_to"), PUBLIC),
    ),
    Action("inbound.refuse", _("A message from outside was refused"), {"sender": PUBLIC}),
)
