"""The worker's door to amounts."""

from cases.types.verification.amounts import services
from compliance.outbox.work import task


@task("amounts.sweep")
def sweep(**later: object) -> None:
    """Add up what was counted meanwhile, and ask for what could not be asked for before."""
    services.add_up()
    services.follow_up()
