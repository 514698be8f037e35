"""What the log says of shifts and absences."""

from django.utils.translation import gettext_lazy as _

from audit.registry import Action, Kept, register

PUBLIC = Kept.PUBLIC

register(
    Action("duty.come", _("{actor} is on shift"), {"ends_at": PUBLIC}),
    Action("duty.go", _("{actor} left the shift"), {"ends_at": PUBLIC}),
    Action(
        "duty.be_away",
        _("{actor} said that {user} is away"),
        {"user": PUBLIC, "named_checker": PUBLIC, "starts_at": PUBLIC, "ends_at": PUBLIC},
    ),
    Action("duty.be_back", _("{actor} said that {user} is back"), {"user": PUBLIC, "ends_at": PUBLIC}),
)
