"""The worker's door to what runs by itself in the compartment."""

from cases.types.monitoring import freezes, routine
from compliance.outbox.work import task


@task("people.sweep_holds")  # the name of a task is read by who runs the machines
def sweep(**later: object) -> None:
    """Freezes that nobody else looked at escalate; routine holds end."""
    freezes.escalate_overdue()
    routine.end_due()


@task("people.draw_holds")
def draw(**later: object) -> None:
    """Every ten minutes: some players are held by chance."""
    routine.draw()
