"""What the log says of cases from a former system."""

from django.utils.translation import gettext_lazy as _

from audit.registry import Action, Kept, register

register(
    Action(
        "former.take_over",
        _("{actor} took the case over from a former system: {number} there, open since {opened_on}"),
        {"number": Kept.PUBLIC, "opened_on": Kept.PUBLIC},
    ),
    Action(
        "former.import",
        _("{actor} took cases in from a file"),
        dict.fromkeys(("kind", "rows", "opened", "refused"), Kept.PUBLIC),
    ),
)
