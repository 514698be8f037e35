"""The worker's door to risk."""

from cases.types.verification.risk import following, services
from compliance.outbox.work import task


@task("risk.sweep")
def sweep(**later: object) -> None:
    """End what an officer set for a time, reckon by the lists of today, ask for what is called for by now and open the
    reviews that are due.
    """
    services.end_overrides()
    services.reckon_again()
    following.enhance_all()
    following.begin_cycles()
    following.open_due_reviews()
