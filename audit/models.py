"""The log's entries as Django sees them: to be read. `audit.record` writes them in SQL; nobody changes them.

The other tables of the log (sealed parts, leaves, tiles, checkpoints, state) have no model: SQL in `audit` reads them.
"""

import json
import uuid
from typing import Any, ClassVar, NoReturn

from django.db import models
from django.db.models.functions import Now

from audit.packing import unpack

LOGS = ("main", "aml")


class AppendOnly(Exception):
    """The log is written by `record` and changed by nobody."""


class EntryQuerySet(models.QuerySet["Entry"]):
    def _refuse(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise AppendOnly(AppendOnly.__doc__)

    create = bulk_create = update = bulk_update = delete = get_or_create = update_or_create = _refuse


EntryManager = models.Manager.from_queryset(EntryQuerySet, class_name="EntryManager")


class PackedField(models.BinaryField):  # type: ignore[type-arg]
    """The canonical bytes; the column holds them packed."""

    def from_db_value(self, value: Any, *context: Any) -> bytes | None:
        return None if value is None else unpack(bytes(value))


class Entry(models.Model):
    """One thing that was done or refused. `entry` is what is hashed; the columns repeat it for searching."""

    id = models.BigAutoField(primary_key=True)
    log = models.TextField()
    event_id = models.UUIDField()
    at = models.DateTimeField()
    actor_kind = models.TextField()
    actor_id = models.TextField()
    action = models.TextField()
    object_kind = models.TextField()
    object_id = models.TextField()
    subject_kind = models.TextField(null=True)
    subject_id = models.TextField(null=True)
    matter = models.TextField(null=True)
    outcome = models.TextField()
    request_id = models.TextField()
    entry = PackedField()
    created_at = models.DateTimeField()

    objects: ClassVar = EntryManager()

    class Meta:
        managed = False
        db_table = "audit_entry"
        default_permissions = ("view",)
        permissions: ClassVar = [
            ("export_entry", "Can export the log"),
            ("view_aml_entry", "Can view the log of the AML side"),
        ]

    def __str__(self) -> str:
        return f"{self.log} {self.event_id}"

    def save(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise AppendOnly(AppendOnly.__doc__)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise AppendOnly(AppendOnly.__doc__)

    @property
    def facts(self) -> dict[str, Any]:
        """The entry itself; see audit.record for its keys."""
        decoded: dict[str, Any] = json.loads(bytes(self.entry))
        return decoded


class SavedQuery(models.Model):
    """A question to the log that somebody keeps. Its name and filters are sealed: under the key of the customer whom it
    is about, so that an erasure reaches it; without one, of who keeps it.

    `shared` shows it to everybody who may read its log; who made it alone removes it.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner_kind = models.CharField(max_length=20)
    owner_id = models.CharField(max_length=40)
    shared = models.BooleanField(default=False)
    log = models.CharField(max_length=10)
    subject_kind = models.CharField(max_length=20, default="installation")
    subject_id = models.CharField(max_length=40, default="00000000-0000-0000-0000-000000000000")
    kid = models.CharField(max_length=40)
    alg = models.CharField(max_length=40)
    ciphertext = models.BinaryField()
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    objects: ClassVar[models.Manager["SavedQuery"]] = models.Manager()

    class Meta:
        default_permissions = ()
        indexes: ClassVar = [models.Index(fields=["owner_id", "created_at"], name="saved_query_by_owner")]

    @property
    def audit_log(self) -> str:
        return self.log
