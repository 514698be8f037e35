"""What limits write into the log. Amounts are the player's own affairs: sealed under their key."""

from django.utils.translation import gettext_lazy as _

from audit.registry import Action, Kept, register

PUBLIC, SEALED = Kept.PUBLIC, Kept.SEALED
FIELDS = {
    "state": PUBLIC,
    "imposed": PUBLIC,
    "measure": PUBLIC,
    "span": PUBLIC,
    "window": PUBLIC,
    "basis": PUBLIC,
    "amount": SEALED,
    "currency": PUBLIC,
    "raises": PUBLIC,
    "rule": PUBLIC,
    "policy_version": PUBLIC,
    "confirmable_at": PUBLIC,
    "lapses_at": PUBLIC,
    "confirmed_at": PUBLIC,
    "effective_at": PUBLIC,
    "ended_at": PUBLIC,
}

register(
    Action("limits.ask", _("{actor} asked for a limit: {measure}, {span}"), FIELDS),
    Action("limits.wait", _("The raise of the limit waits"), FIELDS),
    Action("limits.take_effect", _("The limit took effect at once"), FIELDS),
    Action("limits.open", _("The wait is over; the raise can be confirmed"), FIELDS),
    Action("limits.confirm", _("{actor} confirmed the raise, and it took effect"), FIELDS),
    Action("limits.lapse", _("The raise lapsed: nobody confirmed it"), FIELDS),
    Action("limits.cancel", _("The raise was cancelled"), FIELDS),
    Action("limits.block", _("{actor} blocked the raise"), FIELDS),
    Action("limits.supersede", _("Another limit took the place of this one"), FIELDS),
    Action("limits.meet", _("{actor} recorded what the law asks for before the raise"), {"requires": PUBLIC}),
    Action("limits.take_events", _("{actor} reported events of money: {events}"), {"events": PUBLIC, "kinds": PUBLIC}),
    Action("limits.reserve", _("{actor} set room aside within the limits"), {"act": PUBLIC}),
    Action("limits.release", _("{actor} gave back room that was set aside"), {"act": PUBLIC}),
    Action("limits.make_link", _("{actor} made a link to the player's own page of limits"), {}),
)
