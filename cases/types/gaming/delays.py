"""The delays of requests about play that auditors ask for."""

from django.utils.translation import gettext_lazy as _

from cases.oversight.delays import Delay, register

register(
    Delay("gaming_opened_to_review", _("From a request about play to its review"), "gaming.open", ("gaming.review",)),
    Delay("gaming_opened_to_settled", _("From a request about play to its end"), "gaming.open", ("gaming.settle",)),
    Delay(
        "stop_order_to_confirmation",
        _("From telling the platform to stop a player to its first confirmation"),
        "gaming.order_stop",
        ("gaming.confirm_stop",),
        same="object",
    ),
)
