"""The worker's door to the vault."""

from uuid import UUID

from compliance.outbox.work import task
from documents import resumable, scrubbing, sweeping
from documents.inspection import inspect_now


# Shorter than queries.STALE_CLAIM: a claim that looks stale belongs to nobody any more.
@task("documents.inspect", soft_time_limit=90, time_limit=100)
def inspect(*, document_id: str, **later: object) -> None:
    inspect_now(UUID(document_id))


@task("documents.sweep", time_limit=100)
def sweep(**later: object) -> None:
    sweeping.inspect_forgotten()
    sweeping.remove_unreadable()
    resumable.sweep()


# Every hour a share of ten minutes.
@task("documents.scrub", time_limit=900)
def scrub(**later: object) -> None:
    scrubbing.scrub(seconds=600)


@task("documents.sweep_files")
def sweep_files(**later: object) -> None:
    sweeping.remove_orphans()
