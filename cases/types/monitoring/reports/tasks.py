"""The worker's door to reports."""

from cases.types.monitoring.reports import services, statutory
from compliance.outbox.work import task


@task("people.remind_unanswered")  # the name of a task is read by who runs the machines
def sweep(**later: object) -> None:
    """Filings without an answer become uncertain; statutory times are said to come near."""
    services.lose_unanswered()
    statutory.remind()
