"""The worker's door to clocks."""

from cases.clocks import services
from compliance.outbox.work import task


@task("clocks.sweep")
def sweep(**later: object) -> None:
    services.sweep()
