"""What the log says of notices. A notice itself is no act: it repeats what an entry says already."""

from django.utils.translation import gettext_lazy as _

from audit.registry import Action, Kept, register

PUBLIC = Kept.PUBLIC

register(
    Action("notices.set_preferences", _("{actor} chose what to be told of"), {"choices": PUBLIC, "hours": PUBLIC}),
    Action(
        "notices.set_defaults",
        _("{actor} set what the team {object} is told of"),
        {"team": PUBLIC, "choices": PUBLIC, "fixed": PUBLIC},
    ),
    Action("notices.send_digest", _("Notices were sent to {actor} by e-mail"), {"rows": PUBLIC}),
)
