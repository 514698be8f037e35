"""What the log says of endpoints. Their addresses are sealed: one may hold a token."""

from django.utils.translation import gettext_lazy as _

from audit.registry import Action, Kept, register

_FACTS = {"name": Kept.SEALED, "url": Kept.SEALED, "types": Kept.PUBLIC}

register(
    Action("webhooks.add_endpoint", _("{actor} added {object}, which gets events"), _FACTS | {"licensee": Kept.PUBLIC}),
    Action("webhooks.change_endpoint", _("{actor} changed {object}, which gets events"), _FACTS),
    Action("webhooks.exchange_secret", _("{actor} exchanged the secret of {object}"), {"until": Kept.PUBLIC}),
    Action("webhooks.disable_endpoint", _("{actor} switched {object} off: it gets no events")),
    Action("webhooks.enable_endpoint", _("{actor} switched {object} on: it gets events")),
    Action("webhooks.send_test", _("{actor} sent a test event to {object}"), {"event": Kept.PUBLIC}),
    Action(
        "webhooks.resend",
        _("{actor} had {deliveries} deliveries to {object} sent again"),
        {"deliveries": Kept.PUBLIC, "first": Kept.PUBLIC},
    ),
    Action("webhooks.list", _("{actor} looked at where events go"), {"rows": Kept.PUBLIC}),
    Action("webhooks.read_delivery", _("{actor} read what {object} answered"), {"delivery": Kept.PUBLIC}),
)
