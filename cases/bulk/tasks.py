"""The worker's door to bulk acts."""

from cases.bulk import services
from cases.bulk.models import Batch
from compliance.outbox.work import task


@task("bulk.run", time_limit=1800)
def run(*, batch_id: str, **later: object) -> None:
    batch = Batch.objects.filter(pk=batch_id).first()
    if batch is not None:
        services.run(batch)


@task("bulk.sweep", time_limit=1800)
def sweep(**later: object) -> None:
    services.sweep()
