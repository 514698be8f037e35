"""The worker's door to the engine."""

from cases import services
from compliance.outbox.work import task


@task("cases.expire_evidence")
def expire_evidence(**later: object) -> None:
    """What is out of date proves nothing any more. Twice does nothing."""
    services.expire_overdue()
