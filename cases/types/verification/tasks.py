"""The worker's door to verifications."""

from cases.types.verification import services
from compliance.outbox.work import task


@task("verification.lapse")
def lapse(**later: object) -> None:
    """End what waited too long. Twice does nothing: the move asks whether the time is over."""
    services.lapse_overdue()
