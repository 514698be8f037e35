"""The worker's door to clocks."""

from cases.clocks import sweeping
from compliance.outbox.work import task


@task("clocks.sweep")
def sweep(**later: object) -> None:
    sweeping.sweep()
