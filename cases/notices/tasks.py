"""The worker's door to notices."""

from datetime import timedelta

from django.utils import timezone

from cases.notices import digest, sweeping
from cases.notices.models import Notice
from compliance.outbox.work import task

KEEP_READ = timedelta(days=90)


@task("notices.sweep")
def sweep(**later: object) -> None:
    sweeping.sweep()
    digest.gather()


@task("notices.forget_old")
def forget_old(**later: object) -> None:
    """What was read long ago."""
    Notice.objects.filter(read_at__lt=timezone.now() - KEEP_READ).delete()
