"""What the clock asks of the log. `audit` stands below the outbox, so these are plain Celery tasks with a context."""

from celery import shared_task

from audit import context
from audit.anchors.placing import place_due
from audit.models import LOGS
from audit.reconciliation import reconcile


@shared_task(name="audit.anchor", time_limit=300)
def anchor(**later: object) -> None:
    """Hand the newest checkpoints to the anchors that are due."""
    with context.use(context.new("task")):
        place_due()


@shared_task(name="audit.reconcile", time_limit=4 * 3600)
def reconcile_logs(**later: object) -> None:
    """Each night: entries against leaves, columns against entries, level-0 tiles made anew, triggers."""
    with context.use(context.new("task")):
        for log in LOGS:
            reconcile(log)
