"""What the log of the AML side says of transactions. One entry for a batch or a file: the rows themselves are kept."""

from django.utils.translation import gettext_lazy as _

from audit.registry import Action, Kept, register

_COUNTS = dict.fromkeys(("accepted", "known", "refused"), Kept.PUBLIC)

register(
    Action("transactions.accept", _("{actor} sent transactions"), {**_COUNTS, "digest": Kept.PUBLIC}),
    Action(
        "transactions.read",
        _("{actor} read transactions that were sent before"),
        {"rows": Kept.PUBLIC, "digest": Kept.PUBLIC},
    ),
    Action("transactions.import", _("{actor} took in a file of transactions"), {**_COUNTS, "file": Kept.PUBLIC}),
    Action(
        "transactions.generate",
        _("{actor} generated transactions"),
        dict.fromkeys(("rows", "customers", "seed", "days"), Kept.PUBLIC),
    ),
    Action("transactions.park", _("A transaction could not be counted and was set aside"), {"trouble": Kept.PUBLIC}),
    Action("transactions.retry", _("{actor} had transactions counted that were set aside"), {"rows": Kept.PUBLIC}),
)
