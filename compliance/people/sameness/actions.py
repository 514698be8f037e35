"""What the log says of players who may be one person."""

from django.utils.translation import gettext_lazy as _

from audit.registry import Action, Kept, register

FIELDS = dict.fromkeys(("state", "agrees_in", "other", "decided_at", "proposal", "maker", "carried"), Kept.PUBLIC)
register(
    Action("sameness.notice", _("{actor} noted a device or payment method of {object}"), {"what": Kept.PUBLIC}),
    Action("sameness.find", _("Two players agree: {agrees_in}"), FIELDS),
    Action("sameness.join", _("{actor} linked two players as one person"), FIELDS),
    Action("sameness.dismiss", _("{actor} found that two players are two persons"), FIELDS),
    Action("sameness.part", _("{actor} undid the link of two players"), FIELDS),
    Action("sameness.carry", _("What keeps one player out keeps the other out"), FIELDS | {"restriction": Kept.PUBLIC}),
)
