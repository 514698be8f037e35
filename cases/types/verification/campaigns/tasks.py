"""The worker's door to campaigns."""

from cases.types.verification.campaigns import services
from compliance.outbox.work import task


@task("campaigns.sweep")
def sweep(**later: object) -> None:
    """Today's share of what runs. Twice does nothing: the number of the day is asked for at each player."""
    services.send_due()
