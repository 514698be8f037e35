"""Internal suspicion reports. An app of its own: nothing outside it has a relation to these rows."""

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from compliance.people.models import Customer, User


class SuspicionReport(models.Model):
    """What a member of staff suspects, written for the AML side and never shown to anybody else, its writer included.

    What was typed is sealed under the installation's key: erasing the player must not erase it. `customer` is whom it
    was found to be about, if anybody; the writer never learns whether somebody was found.
    """

    audit_log = "aml"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    receipt = models.CharField(max_length=11, unique=True, help_text=_("Drawn at random: its gaps say nothing"))
    written_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    customer = models.ForeignKey(Customer, null=True, on_delete=models.PROTECT, related_name="+")
    about_sealed = models.BinaryField()
    text_sealed = models.BinaryField()
    noticed_on = models.DateField(help_text=_("When the suspicion arose, as its writer says"))
    filed_at = models.DateTimeField()
    read_at = models.DateTimeField(null=True, help_text=_("When the AML side first opened it"))
    read_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        default_permissions = ()
        permissions: ClassVar = [("read_suspicions", "Can read internal suspicion reports")]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(read_at=None, read_by=None) | Q(read_at__isnull=False, read_by__isnull=False),
                name="suspicion_read_at_and_by_together",
            )
        ]
        indexes: ClassVar = [models.Index(fields=["-filed_at", "id"], name="suspicion_by_filing")]
