"""The worker's door."""

from cases.looking import services, watching
from compliance.outbox.work import task


@task("looking.watch")
def watch(**later: object) -> None:
    """What stands out, each thing once a day."""
    watching.watch()


@task("looking.forget_reasons")
def forget_reasons(**later: object) -> None:
    services.forget_reasons()
