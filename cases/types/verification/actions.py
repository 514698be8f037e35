"""What a verification writes into the log."""

from django.utils.translation import gettext_lazy as _

from audit.registry import Action, Kept, register
from cases.actions import CASE_FIELDS

register(
    Action(
        "verification.open",
        _("{actor} opened a verification"),
        CASE_FIELDS | dict.fromkeys(("because", "crossed_at", "enhanced"), Kept.PUBLIC),
    ),
    Action(
        "verification.raise",
        _("The verification asks for level {level} now"),
        CASE_FIELDS | {"from_level": Kept.PUBLIC},
    ),
    Action("verification.enhance", _("The verification asks for what enhanced due diligence calls for"), CASE_FIELDS),
    Action("verification.review", _("{actor} started the review"), CASE_FIELDS),
    Action("verification.ask", _("{actor} asked the player for something"), CASE_FIELDS),
    Action("verification.resume", _("What was asked for arrived; the review goes on"), CASE_FIELDS),
    Action("verification.approve", _("{actor} approved the verification"), CASE_FIELDS),
    Action("verification.reject", _("{actor} refused the verification"), CASE_FIELDS),
    Action("verification.withdraw", _("{actor} closed the verification because the player withdrew"), CASE_FIELDS),
    Action("verification.lapse", _("The verification lapsed"), CASE_FIELDS),
    Action("verification.overrun", _("The verification ended: the time that the law gives for it passed"), CASE_FIELDS),
    Action(
        "verification.close_underage",
        _("{actor} closed the verification because the player is under age"),
        CASE_FIELDS,
    ),
    Action(
        "verification.close_deceased", _("{actor} closed the verification because the player has died"), CASE_FIELDS
    ),
    Action(
        "verification.close_impersonated",
        _("{actor} closed the verification because of a stolen identity"),
        CASE_FIELDS,
    ),
    Action("verification.reopen", _("{actor} reopened the verification"), CASE_FIELDS),
    Action(
        "verification.confirm_checks",
        _("{actor} confirmed by hand what no system answers"),
        CASE_FIELDS | {"kinds": Kept.PUBLIC},
    ),
    Action("verification.open_funds", _("The balance of the closed account waits for a decision")),
    Action("verification.close_funds", _("The balance waits for no decision any more: the case was reopened")),
    Action(
        "verification.settle_funds",
        _("{actor} decided on the balance: {decision}"),
        dict.fromkeys(("decision", "amount", "currency", "as_of", "proposal", "maker"), Kept.PUBLIC),
    ),
)
