"""What demo data leaves in the log."""

from django.utils.translation import gettext_lazy as _

from audit.registry import Action, Kept, register

register(
    Action(
        "demo.generate",
        _("{actor} added invented players and cases in bulk"),
        {"customers": Kept.PUBLIC, "cases": Kept.PUBLIC, "seed": Kept.PUBLIC},
    ),
)
