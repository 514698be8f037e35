"""The delays of electronic checks that auditors ask for."""

from django.utils.translation import gettext_lazy as _

from cases.oversight.delays import Delay, register

register(
    Delay(
        "check_ordered_to_answer",
        _("From ordering an electronic check to its answer"),
        "checks.order",
        ("checks.answer", "checks.fail"),
        same="object",
    ),
)
