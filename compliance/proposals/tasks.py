"""The worker's door to proposals."""

from compliance.outbox.work import task
from compliance.proposals import services


@task("proposals.expire")
def expire(**later: object) -> None:
    services.expire_overdue()
