"""A file that a customer handed in, sealed in the vault. It knows no case; evidence points at it."""

import uuid
from typing import Any, ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django_fsm import transition

from audit.actors import SubjectRef
from audit.perform import StateField, Stateful
from compliance.people.models import Customer
from documents.permissions import is_the_system, may_destroy
from documents.queries import DocumentQuerySet


class State(models.TextChoices):
    """Only READY is shown or downloaded."""

    RECEIVED = "received", _("received")
    READY = "ready", _("ready")
    QUARANTINED = "quarantined", _("quarantined")
    UNSCANNABLE = "unscannable", _("cannot be checked")
    DESTROYED = "destroyed", _("destroyed")


class Document(Stateful):
    """The row of one sealed file.

    `name_sealed`, `digest_sealed` (SHA-256 of the plaintext) are under the customer's key; `digest_index` finds the
    same file again. `dek_wrapped` is the file's own key under version `key_version` of the customer's key; without it
    the file is unreadable.
    `facts` are what the inspection measured: `{name: {"value": ..., "confidence": 0..100}}`, never a decision.
    """

    audit_prefix = "documents"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="documents")
    state = StateField(default=State.RECEIVED, choices=State.choices, protected=True)
    reason = models.CharField(max_length=40, blank=True, help_text=_("Why it is where it is"))
    media_type = models.CharField(max_length=20)
    size = models.PositiveBigIntegerField(help_text=_("Bytes of the original"))
    name_sealed = models.BinaryField(null=True)
    digest_sealed = models.BinaryField(null=True)
    digest_index = models.BinaryField(null=True)
    ciphertext_digest = models.BinaryField()
    dek_wrapped = models.BinaryField(null=True)
    key_version = models.PositiveIntegerField()
    facts = models.JSONField(default=dict)
    reading_sealed = models.BinaryField(null=True, help_text=_("What the paper says of a person, under their key"))
    number_tail_index = models.BinaryField(null=True, help_text=_("Of the last four of the paper's own number"))
    received_at = models.DateTimeField(default=timezone.now)
    inspected_at = models.DateTimeField(null=True)
    destroyed_at = models.DateTimeField(null=True)
    scrubbed_at = models.DateTimeField(null=True, help_text=_("When the file was last compared with its digest"))
    file_removed_at = models.DateTimeField(null=True, help_text=_("When the sweep removed the unreadable file"))
    # The inspection's claim: a worker that died leaves an old one, which the sweep takes over.
    claimed_at = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)

    objects: ClassVar = DocumentQuerySet.as_manager()

    class Meta:
        permissions: ClassVar = [
            ("destroy_document", "Destroy a document for good"),
            ("download_original", "Download the original file"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(state__in=State.values), name="document_state_known"),
            models.CheckConstraint(
                condition=Q(state=State.DESTROYED, dek_wrapped=None, destroyed_at__isnull=False)
                | (~Q(state=State.DESTROYED) & Q(dek_wrapped__isnull=False, destroyed_at=None)),
                name="document_key_gone_when_destroyed",
            ),
            models.UniqueConstraint(
                fields=["customer", "digest_index"],
                condition=~Q(state=State.DESTROYED),
                name="document_same_file_once_per_customer",
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["received_at"], condition=Q(state=State.RECEIVED), name="document_awaiting_inspection"
            ),
            models.Index(
                fields=["id"],
                condition=Q(state=State.DESTROYED, file_removed_at=None),
                name="document_file_to_remove",
            ),
            models.Index(
                F("scrubbed_at").asc(nulls_first=True),
                condition=~Q(state=State.DESTROYED),
                name="document_to_scrub",
            ),
            # Who else handed this file in.
            models.Index(fields=["digest_index"], name="document_same_file"),
            models.Index(
                fields=["number_tail_index"],
                condition=Q(number_tail_index__isnull=False),
                name="document_number_tail",
            ),
        ]

    def __str__(self) -> str:
        return str(self.pk)

    @property
    def audit_subject(self) -> SubjectRef:
        return SubjectRef("customer", str(self.customer_id))

    @property
    def pages(self) -> int:
        """How many pages it has, 1 when that is not known."""
        return int(self.facts.get("pages", {}).get("value", 1))

    @transition("state", source=State.RECEIVED, target=State.READY, permission=is_the_system)
    def pass_inspection(
        self, *, facts: dict[str, Any], reading: bytes | None = None, number_tail: bytes | None = None
    ) -> None:
        """Nothing was found that speaks against showing it. `reading` is what it says of a person, sealed;
        `number_tail` finds it by the last four of its number.
        """
        self.facts, self.inspected_at, self.claimed_at = facts, timezone.now(), None
        self.reading_sealed, self.number_tail_index = reading, number_tail

    @transition("state", source=State.RECEIVED, target=State.QUARANTINED, permission=is_the_system)
    def quarantine(self, *, reason: str, facts: dict[str, Any]) -> None:
        """Something dangerous was found. Nobody sees it; the original stays as evidence."""
        self.reason, self.facts, self.inspected_at, self.claimed_at = reason, facts, timezone.now(), None

    @transition("state", source=State.RECEIVED, target=State.UNSCANNABLE, permission=is_the_system)
    def mark_unscannable(self, *, reason: str, facts: dict[str, Any]) -> None:
        """It could not be shown to be harmless, which is not the same as clean."""
        self.reason, self.facts, self.inspected_at, self.claimed_at = reason, facts, timezone.now(), None

    @transition(
        "state",
        source=[State.RECEIVED, State.READY, State.QUARANTINED, State.UNSCANNABLE],
        target=State.DESTROYED,
        permission=may_destroy,
    )
    def destroy(self, *, reason: str, facts: dict[str, Any] | None = None) -> None:
        """The key goes, so the file is unreadable at once; the sweep removes the file itself. `facts` tell why."""
        self.reason, self.destroyed_at, self.claimed_at = reason, timezone.now(), None
        self.dek_wrapped = self.name_sealed = self.digest_sealed = self.digest_index = self.reading_sealed = None
        self.number_tail_index = None
        self.facts = facts or {}


class PartialUpload(models.Model):
    """A file that comes in pieces. `offset` of its `size` bytes are here; until `expires_at` the rest may follow.

    Only `sender` ("staff:<id>" or "key:<id>") reaches it. `matter` and `target` say what it is for, and are the
    caller's to read. It ends as `result`, the id of what became of it, or as `refusal`, why the file was not taken.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="+")
    sender = models.CharField(max_length=80)
    matter = models.CharField(max_length=40)
    target = models.JSONField(default=dict)
    declared = models.CharField(max_length=100, blank=True)
    name_sealed = models.BinaryField(null=True)
    size = models.PositiveBigIntegerField()
    offset = models.PositiveBigIntegerField(default=0)
    key_wrapped = models.BinaryField(null=True)
    key_version = models.PositiveIntegerField()
    begun_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    result = models.UUIDField(null=True)
    refusal = models.CharField(max_length=20, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(offset__lte=F("size")), name="partial_upload_offset_within_size"),
            models.CheckConstraint(condition=Q(result=None) | Q(refusal=""), name="partial_upload_one_end"),
        ]
        indexes: ClassVar = [models.Index(fields=["expires_at"], name="partial_upload_expires")]

    def __str__(self) -> str:
        return str(self.pk)

    @property
    def audit_subject(self) -> SubjectRef:
        return SubjectRef("customer", str(self.customer_id))

    @property
    def has_ended(self) -> bool:
        return self.result is not None or bool(self.refusal)


class Piece(models.Model):
    """Some bytes of an upload, in a sealed file of their own under the upload's key; `id` names the file."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    upload = models.ForeignKey(PartialUpload, on_delete=models.CASCADE, related_name="pieces")
    start = models.PositiveBigIntegerField()
    size = models.PositiveBigIntegerField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["upload", "start"], name="piece_one_at_each_place")]

    def __str__(self) -> str:
        return f"{self.upload_id} {self.start}+{self.size}"
