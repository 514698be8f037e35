"""The worker's door to limits."""

from cases.types.gaming.limits import services
from compliance.outbox.work import task


@task("limits.sweep")
def sweep(**later: object) -> None:
    """Open raises that waited, lapse what nobody confirmed. Twice does nothing: each move asks for its moment."""
    services.sweep()
