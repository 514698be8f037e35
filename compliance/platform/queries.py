"""Questions about API keys and stored replies."""

from datetime import timedelta
from typing import TYPE_CHECKING

from django.db import models
from django.db.models.functions import Now

if TYPE_CHECKING:
    from compliance.platform.models import ApiKey, IdempotencyRecord  # noqa: F401 - named as text below


KEEP_REPLIES = timedelta(hours=48)  # the promise is 24 h at least


class ApiKeyQuerySet(models.QuerySet["ApiKey"]):
    def usable(self) -> "ApiKeyQuerySet":
        return self.filter(revoked_at=None, expires_at__gt=Now(), owner__is_active=True)


class IdempotencyQuerySet(models.QuerySet["IdempotencyRecord"]):
    def old(self) -> "IdempotencyQuerySet":
        return self.filter(created_at__lt=Now() - KEEP_REPLIES)
