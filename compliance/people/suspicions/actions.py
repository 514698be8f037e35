"""What the log of the AML side says of internal suspicion reports. None of it stands in the main log."""

from django.utils.translation import gettext_lazy as _

from audit.registry import Action, Kept, register

register(
    Action("suspicions.file", _("{actor} filed a suspicion"), {"receipt": Kept.PUBLIC, "customer": Kept.PUBLIC}),
    Action("suspicions.list", _("{actor} looked at the list of suspicion reports"), {"rows": Kept.PUBLIC}),
    Action("suspicions.read", _("{actor} read a suspicion report"), {"receipt": Kept.PUBLIC}),
    Action(
        "suspicions.destroy",
        _("{actor} destroyed a suspicion report whose period is over"),
        dict.fromkeys(("receipt", "rule", "policy", "kept_until"), Kept.PUBLIC),
    ),
)
