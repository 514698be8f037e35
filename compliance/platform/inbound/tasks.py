"""The worker's door to messages from outside."""

from compliance.outbox.work import task
from compliance.platform.inbound import services


@task("inbound.forget_old")
def forget_old(**later: object) -> None:
    """Remove what was worked on more than seven days ago, and former secrets once over. Twice does nothing."""
    services.forget_old()
