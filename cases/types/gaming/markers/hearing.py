"""What markers have counted along, when a player is counted anew, and where officers find what waits."""

from django.utils.translation import gettext_lazy as _

from cases import rail
from cases.patterns import feeds
from cases.types.gaming.markers import book, services
from cases.types.gaming.services import may_read_care

feeds.needs(book.needed)
feeds.when_changed(services.ask_for)
rail.register(
    rail.Link("cases:care-reviews", _("Protections to look at"), may_read_care, services.waiting_count, aml=False),
)
