"""The worker's door to the outbox."""

from uuid import UUID

from compliance.outbox import delivery
from compliance.outbox.work import task


# Shorter than queries.STALE_CLAIM: a claim that looks stale belongs to nobody any more.
@task("outbox.deliver", soft_time_limit=80, time_limit=100)
def deliver(*, row_id: str, **later: object) -> None:
    delivery.deliver(UUID(row_id))


@task("outbox.sweep", time_limit=100)
def sweep(**later: object) -> None:
    delivery.sweep()
