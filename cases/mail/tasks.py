"""The worker's door to mail."""

from cases.mail import letters, polling
from compliance.outbox.work import task


@task("mail.poll", soft_time_limit=540)
def poll(**later: object) -> None:
    """Twice at once does nothing twice: each mailbox is read by one worker."""
    polling.poll()


@task("mail.empty_old")
def empty_old(**later: object) -> None:
    letters.empty_old()
