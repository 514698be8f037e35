"""Questions about API keys and stored replies."""

from datetime import timedelta
from typing import TYPE_CHECKING

from django.db import models
from django.db.models.functions import Now

if TYPE_CHECKING:
    pass

_Keys = models.QuerySet["ApiKey"] if TYPE_CHECKING else models.QuerySet
_Records = models.QuerySet["IdempotencyRecord"] if TYPE_CHECKING else models.QuerySet

KEEP_REPLIES = timedelta(hours=48)  # the promise is 24 h at least


class ApiKeyQuerySet(_Keys):
    def usable(self) -> "ApiKeyQuerySet":
        return self.filter(revoked_at=None, expires_at__gt=Now(), owner__is_active=True)


class IdempotencyQuerySet(_Records):
    def old(self) -> "IdempotencyQuerySet":
        return self.filter(created_at__lt=Now() - KEEP_REPLIES)
