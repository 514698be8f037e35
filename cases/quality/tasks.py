"""The worker's door to second looks."""

from cases.quality import services
from compliance.outbox.work import task


@task("quality.draw")
def draw(**later: object) -> None:
    """Twice draws none twice."""
    services.draw()
