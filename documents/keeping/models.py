"""What stands between a customer's records and their end: holds, the end of the relationship, the erasure itself."""

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from audit.actors import SubjectRef
from compliance.people.models import Customer


class LegalHold(models.Model):
    """While it stands nothing of this customer is erased, whatever a period says: a court, an authority, a dispute."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="legal_holds")
    reason = models.CharField(max_length=40, help_text=_("A code such as litigation or authority_request"))
    note_sealed = models.BinaryField(null=True)
    placed_at = models.DateTimeField()
    placed_by = models.CharField(max_length=80, help_text=_("Actor, as kind:id"))
    lifted_at = models.DateTimeField(null=True)
    lifted_by = models.CharField(max_length=80, blank=True)

    class Meta:
        default_permissions = ()
        permissions: ClassVar = [("hold_records", "Can place a legal hold and propose to lift it")]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(lifted_at=None, lifted_by="") | (Q(lifted_at__isnull=False) & ~Q(lifted_by="")),
                name="legal_hold_lifted_at_and_by_together",
            )
        ]
        indexes: ClassVar = [models.Index(fields=["customer"], condition=Q(lifted_at=None), name="legal_hold_standing")]

    def __str__(self) -> str:
        return f"{self.reason} {self.pk}"

    @property
    def audit_subject(self) -> SubjectRef:
        return SubjectRef("customer", str(self.customer_id))


class RelationshipEnd(models.Model):
    """The licensee's day on which the business relationship ended. Without it no period has begun to run."""

    customer = models.OneToOneField(
        Customer, primary_key=True, on_delete=models.PROTECT, related_name="relationship_end"
    )
    ended_on = models.DateField(db_index=True)
    recorded_at = models.DateTimeField()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.customer_id} {self.ended_on}"

    @property
    def audit_subject(self) -> SubjectRef:
        return SubjectRef("customer", str(self.customer_id))


class Erasure(models.Model):
    """A customer whose key was destroyed: what went, why it was lawful, who decided, what is still to be removed."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="erasures")
    reason = models.CharField(max_length=40)
    policy = models.CharField(max_length=40, blank=True)
    rule = models.CharField(max_length=120, blank=True, help_text=_("The rule whose period was over"))
    kept_until = models.DateField(null=True)
    maker = models.CharField(max_length=80, blank=True, help_text=_("Actor who proposed it, as kind:id"))
    decided_by = models.CharField(max_length=80, help_text=_("Actor who confirmed it, or the system"))
    proposal_id = models.UUIDField(null=True)
    provider = models.CharField(max_length=20)
    epoch = models.PositiveIntegerField(help_text=_("The last epoch that wrapped the key; backups live until it ends"))
    keys = models.PositiveIntegerField()
    through_version = models.PositiveIntegerField()
    documents = models.PositiveIntegerField()
    shredded_at = models.DateTimeField()
    rows = models.JSONField(default=dict, help_text=_("Sealed rows emptied, by table"))
    finished_at = models.DateTimeField(null=True, help_text=_("When the last file was removed"))

    class Meta:
        default_permissions = ()
        permissions: ClassVar = [("erase_customer", "Can propose and confirm the erasure of a customer")]
        indexes: ClassVar = [models.Index(fields=["customer", "shredded_at"], name="erasure_of_customer")]

    def __str__(self) -> str:
        return str(self.pk)

    @property
    def audit_subject(self) -> SubjectRef:
        return SubjectRef("customer", str(self.customer_id))
