"""The worker's door to the engine."""

from cases import assignment, priority, services, snooze
from compliance.outbox.work import task


@task("cases.expire_evidence")
def expire_evidence(**later: object) -> None:
    """What is out of date proves nothing any more. Twice does nothing."""
    services.expire_overdue()


@task("cases.wake_due")
def wake_due(**later: object) -> None:
    """Write down which snoozed cases are back. Lists know it by themselves."""
    snooze.wake_due()


@task("cases.raise_priorities")
def raise_priorities(**later: object) -> None:
    priority.apply_rules()


@task("cases.give_out")
def give_out(**later: object) -> None:
    """Free cases go to who is on shift, where a queue does that by itself."""
    assignment.give_out_all()
