"""The worker's door to drafts."""

from cases.drafts import services
from compliance.outbox.work import task


@task("drafts.forget_old")
def forget_old(**later: object) -> None:
    services.forget_old()
