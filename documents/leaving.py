"""When a member of staff leaves, files of theirs that are half here take no further byte; the sweep removes them."""

from django.db.models.functions import Now

from audit.actors import Acts
from compliance.people.access import leaving
from compliance.people.models import User
from documents.models import PartialUpload


def end_uploads(user: User, *, by: Acts) -> int:
    """Files cannot come back when a transaction does, so only their time ends here."""
    mine = PartialUpload.objects.filter(sender=str(user.audit_actor), result=None, refusal="", expires_at__gt=Now())
    return mine.update(expires_at=Now())


leaving.register("uploads", end_uploads)
