"""Who may send us messages, which came, and how far we are with each thing that they speak of."""

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from compliance.people.models import Licensee, User


class Sender(models.Model):
    """Somebody outside who signs what they send. `kind` names who works on it (kinds.py); the secret is sealed."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    licensee = models.ForeignKey(Licensee, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=40)
    name = models.CharField(max_length=80)
    secret_sealed = models.BinaryField()
    former_secret_sealed = models.BinaryField(null=True)
    former_until = models.DateTimeField(null=True, help_text=_("How long the former secret signs too"))
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    disabled_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["licensee", "name"], condition=Q(disabled_at=None), name="inbound_sender_once"
            ),
            models.CheckConstraint(
                condition=Q(former_secret_sealed=None, former_until=None)
                | Q(former_secret_sealed__isnull=False, former_until__isnull=False),
                name="inbound_former_secret_has_an_end",
            ),
        ]


class Message(models.Model):
    """One message, kept sealed until it was worked on; its id is kept for seven days, so that a repeat is known."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    sender = models.ForeignKey(Sender, on_delete=models.PROTECT, related_name="messages")
    message_id = models.CharField(max_length=120)
    digest = models.BinaryField(help_text=_("SHA-256 of the body"))
    body_sealed = models.BinaryField(null=True)
    received_at = models.DateTimeField(auto_now_add=True, db_index=True)
    done_at = models.DateTimeField(null=True)
    came_to = models.CharField(max_length=20, blank=True, help_text=_("applied, late, or unknown"))

    class Meta:
        default_permissions = ()
        constraints: ClassVar = [models.UniqueConstraint(fields=["sender", "message_id"], name="inbound_message_once")]


class Mark(models.Model):
    """The newest version of which a sender has spoken of one thing. An older one changes nothing any more."""

    id = models.BigAutoField(primary_key=True)
    sender = models.ForeignKey(Sender, on_delete=models.PROTECT, related_name="marks")
    thing = models.CharField(max_length=120)
    version = models.BigIntegerField()

    class Meta:
        default_permissions = ()
        constraints: ClassVar = [models.UniqueConstraint(fields=["sender", "thing"], name="inbound_mark_once")]
