"""The worker's door to verifications."""

from cases.types.verification import deadlines
from compliance.outbox.work import task


@task("verification.lapse")
def lapse(**later: object) -> None:
    """End what waited too long. Twice does nothing: the move asks whether the time is over."""
    deadlines.lapse_overdue()
    deadlines.overrun_overdue()
