"""What the log says of looking at players."""

from django.utils.translation import gettext_lazy as _

from audit.registry import Action, Kept, register

PUBLIC = Kept.PUBLIC
FACT = {
    "state": PUBLIC,
    "settled_by_id": PUBLIC,
    "settled_at": PUBLIC,
    "note_sealed": Kept.OMIT,
    "kind": PUBLIC,
    "count": PUBLIC,
    "usual": PUBLIC,
    "day": PUBLIC,
}

register(
    Action("looking.say_why", _("{actor} said why they look at a player"), {"until": PUBLIC}),
    Action("looking.notice", _("{object} looked at players more or otherwise than the others"), FACT),
    Action("looking.explain", _("{actor} settled a remark on looking: it is explained"), FACT),
    Action("looking.object", _("{actor} settled a remark on looking: it was not in order"), FACT),
    Action("looking.list", _("{actor} looked at the remarks on looking"), {"rows": PUBLIC}),
    Action("looking.search", _("{actor} looked who looked at a player"), {"rows": PUBLIC}),
    Action("looking.export", _("{actor} took out who looked at a player"), {"rows": PUBLIC}),
)
