"""What the log says of campaigns. Each player's review is an entry of its own, under the number of its case."""

from django.utils.translation import gettext_lazy as _

from audit.registry import Action, Kept, register

_MOVED = ("state", "started_at", "ended_at")
_NAMES = ("licensee", "rows", "per_day", "opened", "passed", "failed", "proposal", "maker", *_MOVED)
FIELDS = dict.fromkeys(_NAMES, Kept.PUBLIC)

register(
    Action("campaigns.draft", _("{actor} prepared a campaign: {rows} players, {per_day} a day"), FIELDS),
    Action("campaigns.start", _("{actor} started a campaign: {rows} players, {per_day} a day"), FIELDS),
    Action("campaigns.pause", _("{actor} paused a campaign"), FIELDS),
    Action("campaigns.resume", _("{actor} let a campaign go on"), FIELDS),
    Action("campaigns.stop", _("{actor} stopped a campaign before everybody was reached"), FIELDS),
    Action("campaigns.end", _("A campaign reached all of its players"), FIELDS),
    Action(
        "campaigns.list",
        _("{actor} looked at players of a campaign"),
        {"rows": Kept.PUBLIC, "query": Kept.PUBLIC, "licensee": Kept.PUBLIC},
    ),
)
