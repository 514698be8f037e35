"""The delays of verifications that auditors ask for."""

from django.utils.translation import gettext_lazy as _

from cases.oversight.delays import Delay, register

register(
    Delay(
        "verification_opened_to_review",
        _("From opening to the start of the review"),
        "verification.open",
        ("verification.review",),
    ),
    Delay(
        "verification_opened_to_finished",
        _("From opening to the end"),
        "verification.open",
        (
            "verification.approve",
            "verification.reject",
            "verification.withdraw",
            "verification.lapse",
            "verification.overrun",
        ),
    ),
)
