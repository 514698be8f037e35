"""What markers have counted along, when a player is counted anew, and where officers find what waits."""

from uuid import UUID

from django.utils.translation import gettext_lazy as _

from cases import rail
from cases.patterns import feeds
from cases.types.gaming.markers import book, limiting, services
from cases.types.gaming.services import may_read_care
from compliance.outbox.kinds import register
from compliance.outbox.models import OutboxRow
from compliance.people import opening
from compliance.people.exclusions.suppression import MET


def met(row: OutboxRow) -> None:
    """A player came to resemble somebody who is kept out, or does no longer. By the outbox: who says so holds the lock
    of the customer, for which a count that runs may wait.
    """
    services.ask_for([UUID(row.payload["customer_id"])])


feeds.needs(book.needed)
feeds.when_changed(services.ask_for)
register(MET, met)
opening.also(limiting.carry_to)
rail.register(
    rail.Link("cases:care-reviews", _("Protections to look at"), may_read_care, services.waiting_count, aml=False),
)
