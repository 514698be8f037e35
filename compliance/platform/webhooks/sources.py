"""What becomes an event: rows of the outbox that packages below post, and that we deliver."""

from django.db.models import F

from compliance.outbox.kinds import register
from compliance.outbox.models import OutboxRow
from compliance.people.models import Customer, Restriction
from compliance.people.restrictions import CHANGED, accounts_reached
from compliance.people.services import LEVEL_CHANGED
from compliance.platform.webhooks.events import emit


def gate_changed(row: OutboxRow) -> None:
    """Tell each platform of every account that the restriction reaches; of nothing else, whoever set it and why."""
    restriction = Restriction.objects.get(pk=row.payload["restriction_id"])
    reached = accounts_reached(restriction).order_by("licensee_id", "reference")
    for account in reached.values("licensee_id", "reference", slug=F("brand__slug")):
        emit(
            "account.gate.changed",
            licensee_id=account["licensee_id"],
            data={"account": account["reference"], "brand": account["slug"]},
        )


def level_changed(row: OutboxRow) -> None:
    """Tell the customer's platform. Which level it is now is asked: a later change may be told first."""
    customer = Customer.objects.get(pk=row.payload["customer_id"])
    emit("customer.level.changed", licensee_id=customer.licensee_id, data={"customer": str(customer.pk)})


register(CHANGED, gate_changed)
register(LEVEL_CHANGED, level_changed)
