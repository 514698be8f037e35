"""What the log of the AML side says of monitoring rules and flags. None of it stands in the main log."""

from django.utils.translation import gettext_lazy as _

from audit.registry import Action, Kept, register

_VERSION = dict.fromkeys(("state", "live_from", "retired_at", "code", "number", "digest"), Kept.PUBLIC)
_PROPOSAL = dict.fromkeys(("proposal", "maker"), Kept.PUBLIC)
_FLAG = dict.fromkeys(("rule", "number", "trigger", "hits", "outcome", "severity"), Kept.PUBLIC)

register(
    Action("monitoring_rules.write", _("{actor} wrote a version of a monitoring rule"), _VERSION),
    Action("monitoring_rules.ship", _("The product brought a monitoring rule"), _VERSION),
    Action("monitoring_rules.shadow", _("{actor} put a monitoring rule into the shadow"), _VERSION),
    Action("monitoring_rules.activate", _("{actor} made a monitoring rule live"), _VERSION | _PROPOSAL),
    Action("monitoring_rules.retire", _("{actor} retired a monitoring rule"), _VERSION),
    Action("monitoring_rules.read", _("{actor} looked at the monitoring rules"), {"rows": Kept.PUBLIC}),
    Action("monitoring_rules.flag", _("A monitoring rule flagged a player"), _FLAG),
    Action("monitoring_rules.close_flag", _("{actor} closed a flag"), _FLAG),
    Action(
        "monitoring_rules.snooze",
        _("{actor} put a rule about a player to sleep"),
        {"rule": Kept.PUBLIC, "until": Kept.PUBLIC},
    ),
    Action(
        "monitoring_rules.wake", _("{actor} woke a rule about a player"), {"rule": Kept.PUBLIC, "hits": Kept.PUBLIC}
    ),
    Action(
        "monitoring_rules.backtest",
        _("{actor} tried a monitoring rule on the past"),
        dict.fromkeys(("rule", "number", "from_on", "to_on"), Kept.PUBLIC),
    ),
    Action("monitoring_rules.cancel_backtest", _("{actor} stopped a back-test"), {"rule": Kept.PUBLIC}),
)
