"""Who calls us: API keys, each owned by a person and bound to one licensee; and replies kept for who retries."""

import uuid
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from audit.actors import Actor, SubjectRef
from compliance.people.models import Licensee, User
from compliance.platform.queries import ApiKeyQuerySet, IdempotencyQuerySet
from compliance.platform.scopes import BEYOND_THE_LICENSEE
from compliance.platform.versions import newest


class ApiKey(models.Model):
    """One key. It acts (`by=key`) under its own id, and for four eyes as the human who owns it.

    Only a digest of the secret is stored. SHA-256 without salt or stretching is enough: the secret is 256 random bits,
    so there is no dictionary to try, and every request pays for the check. What the key signs with, where it signs, is
    sealed: without it no signature could be checked.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=80, help_text=_("What uses it"))
    prefix = models.CharField(max_length=12, unique=True, help_text=_("The part that is shown"))
    secret_hash = models.BinaryField(max_length=32, unique=True, editable=False)
    signing_sealed = models.BinaryField(null=True, editable=False, help_text=_("Empty: its requests are not signed"))
    owner = models.ForeignKey(User, on_delete=models.PROTECT, related_name="api_keys")
    licensee = models.ForeignKey(Licensee, on_delete=models.PROTECT, related_name="+")
    scopes = models.JSONField(default=list)
    rate_per_minute = models.PositiveIntegerField(null=True, default=6000, help_text=_("Requests; empty: no limit"))
    api_version = models.CharField(
        max_length=10, default=newest, help_text=_("Of the API; kept until somebody moves it")
    )
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)
    last_used_at = models.DateTimeField(null=True, help_text=_("To the hour"))
    replaced_by = models.OneToOneField("self", null=True, on_delete=models.PROTECT, related_name="replaces")

    objects = ApiKeyQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        permissions: ClassVar = [("manage_key", "Can issue, replace and revoke API keys")]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(expires_at__gt=F("created_at")), name="api_key_expires_later"),
        ]

    def __str__(self) -> str:
        return self.prefix

    def usable_at(self, now: datetime) -> bool:
        return self.revoked_at is None and now < self.expires_at and self.owner.is_active

    @property
    def is_active(self) -> bool:
        return self.usable_at(timezone.now())

    @property
    def signs(self) -> bool:
        """Whether it opens nothing without a signature (signatures.py)."""
        return self.signing_sealed is not None

    @property
    def audit_actor(self) -> Actor:
        return Actor("key", str(self.pk))

    @property
    def audit_subject(self) -> SubjectRef:
        return SubjectRef("staff", str(self.owner_id))

    @property
    def human_id(self) -> UUID:
        return self.owner.human_id

    def has_scope(self, scope: str) -> bool:
        return scope in self.scopes_that_count

    @property
    def scopes_that_count(self) -> list[str]:
        """Those it was given, without what no key of a test licensee has."""
        beyond = BEYOND_THE_LICENSEE if self.licensee.is_test else frozenset()
        return [scope for scope in self.scopes if scope not in beyond]


class KeyRequest(models.Model):
    """A key with a wide scope, as one administrator asked for it; another confirms the proposal on it.

    What was asked for never changes. `key` is what was made of it, once; a replacement has `former` and `overlap`
    instead of an end. There is no secret here: it is drawn when it is shown.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=80, help_text=_("What uses it"))
    owner = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    licensee = models.ForeignKey(Licensee, on_delete=models.PROTECT, related_name="+")
    scopes = models.JSONField(default=list)
    signs = models.BooleanField(default=False, db_default=False)
    rate_per_minute = models.PositiveIntegerField(null=True, default=6000, db_default=6000)
    expires_at = models.DateTimeField(null=True)
    former = models.ForeignKey(ApiKey, null=True, on_delete=models.PROTECT, related_name="+")
    overlap = models.DurationField(null=True)
    asked_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    key = models.OneToOneField(ApiKey, null=True, on_delete=models.PROTECT, related_name="request")

    objects: ClassVar[models.Manager["KeyRequest"]] = models.Manager()

    class Meta:
        default_permissions = ()
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(former=None, overlap=None, expires_at__isnull=False)
                | Q(former__isnull=False, overlap__isnull=False, expires_at=None),
                name="key_request_new_or_replacement",
            ),
        ]

    @property
    def audit_subject(self) -> SubjectRef:
        return SubjectRef("staff", str(self.owner_id))


class UsedNonce(models.Model):
    """A signature that was used. `digest` is the SHA-256 of its nonce; kept until its moment is too long ago anyway."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    key = models.ForeignKey(ApiKey, on_delete=models.CASCADE, related_name="+")
    digest = models.BinaryField(max_length=32)
    until = models.DateTimeField()

    objects: ClassVar[models.Manager["UsedNonce"]] = models.Manager()

    class Meta:
        default_permissions = ()
        constraints: ClassVar = [models.UniqueConstraint(fields=["key", "digest"], name="nonce_used_once")]
        indexes: ClassVar = [models.Index(fields=["until"], name="nonce_by_end")]


class IdempotencyRecord(models.Model):
    """The reply to one request that named an `Idempotency-Key`, written in the transaction of what the request did.

    The body is sealed under the installation's key: it may quote what a customer's own key protects elsewhere.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    api_key = models.ForeignKey(ApiKey, on_delete=models.CASCADE, related_name="+")
    route = models.CharField(max_length=200)
    key = models.CharField(max_length=255)
    request_digest = models.BinaryField(max_length=32)
    status = models.PositiveSmallIntegerField()
    body_sealed = models.BinaryField()
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    objects = IdempotencyQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["api_key", "route", "key"], name="idempotency_once_per_caller_and_route"),
        ]
        indexes: ClassVar = [models.Index(fields=["created_at"], name="idempotency_by_age")]


class DailyCount(models.Model):
    """How many of a thing a platform had on one day, by its own count and by ours, and which differ.

    `references` are the operator's own numbers as the platform sent them, None when it sent a number only; `missing`
    are those that we lack, `extra` those that it lacks. Days are the licensee's.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    licensee = models.ForeignKey(Licensee, on_delete=models.PROTECT, related_name="+")
    day = models.DateField()
    thing = models.CharField(max_length=40)
    theirs = models.PositiveIntegerField()
    ours = models.PositiveIntegerField()
    references = models.JSONField(null=True)
    missing = models.JSONField(default=list)
    extra = models.JSONField(default=list)
    reported_at = models.DateTimeField()

    objects: ClassVar[models.Manager["DailyCount"]] = models.Manager()

    class Meta:
        default_permissions = ()
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["licensee", "day", "thing"], name="daily_count_once"),
        ]

    @property
    def differs(self) -> bool:
        return self.theirs != self.ours or bool(self.missing or self.extra)
