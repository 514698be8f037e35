"""The worker's door to markers of harm."""

from django.utils import timezone

from cases.types.gaming.markers import services, signs
from compliance.outbox.work import task


@task("gaming.recount")
def recount(**later: object) -> None:
    """Count players of whom something new is known, then do what their scores call for. Twice does no harm."""
    # A net under the outbox row (suppression.MET), which asks as soon as it is known.
    services.ask_for(signs.met_lately(timezone.now()))
    services.recount_waiting()
    services.act_waiting()
