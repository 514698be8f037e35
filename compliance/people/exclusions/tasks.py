"""The worker's door to exclusions."""

from compliance.outbox.work import task
from compliance.people.exclusions import services, suppression


@task("exclusions.sweep")
def sweep(**later: object) -> None:
    """What time brings. Twice does nothing: each move asks whether its time has come."""
    services.sweep()
    suppression.forget_stale()
