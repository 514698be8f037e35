"""One wrapped key per subject and version. The key that unwraps it is the provider's and never is in the database."""

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from audit.actors import SubjectRef


class SubjectKey(models.Model):
    """32 random bytes that belong to one customer, one member of staff or the installation.

    `wrapped` is the key under epoch `epoch` of `provider`; without it the key is gone, and with it all that it sealed
    (a shred). The highest version seals; older ones still open what they sealed until they are retired the same way.
    One that is made `afterwards` seals what the log says of an erased subject, and nothing else; the retention run ends
    it too.
    """

    KINDS = ("customer", "staff", "installation")

    kind = models.CharField(max_length=12)
    subject_id = models.CharField(max_length=64)
    version = models.PositiveIntegerField(default=1)
    provider = models.CharField(max_length=20)
    epoch = models.PositiveIntegerField()
    wrapped = models.BinaryField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)
    retired_at = models.DateTimeField(null=True)
    afterwards = models.BooleanField(default=False, db_default=False, help_text=_("Made after the subject was erased"))

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["kind", "subject_id", "version"], name="subject_key_once"),
            models.CheckConstraint(
                condition=Q(kind__in=["customer", "staff", "installation"]), name="subject_key_kind_known"
            ),
            models.CheckConstraint(condition=Q(version__gte=1), name="subject_key_version_from_one"),
            models.CheckConstraint(
                condition=Q(wrapped=None, retired_at__isnull=False) | Q(wrapped__isnull=False, retired_at=None),
                name="subject_key_gone_when_retired",
            ),
        ]
        # None holds what a rotation changes: with room on the page (fillfactor) no index is written then.
        indexes: ClassVar = [
            models.Index(
                fields=["created_at"], condition=Q(afterwards=True, retired_at=None), name="subject_key_afterwards"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind}/{self.subject_id}/{self.version}"

    @property
    def subject(self) -> SubjectRef:
        return SubjectRef(self.kind, self.subject_id)

    @property
    def audit_subject(self) -> SubjectRef:
        return self.subject

    @property
    def aad(self) -> bytes:
        """What the wrapping is bound to: a row copied to another subject or version does not unwrap."""
        return self.aad_of(self.kind, self.subject_id, self.version)

    @staticmethod
    def aad_of(kind: str, subject_id: str, version: int) -> bytes:
        return f"ck|{kind}|{subject_id}|{version}".encode()


class Tombstone(models.Model):
    """A subject whose keys were destroyed up to and including `version`. A restored database is compared with these."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=12)
    subject_id = models.CharField(max_length=64)
    version = models.PositiveIntegerField()
    shredded_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["kind", "subject_id", "version"], name="tombstone_once"),
        ]

    def __str__(self) -> str:
        return f"{self.kind}/{self.subject_id}/{self.version}"

    @property
    def subject(self) -> SubjectRef:
        return SubjectRef(self.kind, self.subject_id)


class EpochEnd(models.Model):
    """A destroyed epoch of a provider. From `final_at` on, what was wrapped under it is dead in every copy."""

    provider = models.CharField(max_length=20)
    epoch = models.PositiveIntegerField()
    final_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints: ClassVar = [models.UniqueConstraint(fields=["provider", "epoch"], name="epoch_ends_once")]

    def __str__(self) -> str:
        return f"{self.provider} {self.epoch}"
