"""What demo data leaves in the log."""

from django.utils.translation import gettext_lazy as _

from audit.registry import Action, Kept, register

register(
    Action(
        "demo.generate",
        _("{actor} added invented players, cases and papers in bulk"),
        {"customers": Kept.PUBLIC, "cases": Kept.PUBLIC, "documents": Kept.PUBLIC, "seed": Kept.PUBLIC},
    ),
)
