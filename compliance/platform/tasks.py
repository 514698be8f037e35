"""The worker's door to the platform."""

from compliance.outbox.work import task
from compliance.platform import limits, services, signatures


@task("platform.sweep")
def sweep(**later: object) -> None:
    services.forget_old_replies()
    signatures.forget_old_nonces()
    limits.forget_ended()
