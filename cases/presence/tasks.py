"""The worker's door to presence."""

from cases.presence import services
from compliance.outbox.work import task


@task("presence.forget")
def forget(**later: object) -> None:
    services.forget()
