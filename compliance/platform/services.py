"""Life of an API key: issued (its secret is shown once), used, revoked or expired."""

import hashlib
import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _

from audit.actors import Acts
from audit.perform import ConditionsNotMet
from audit.record import record
from compliance.people.models import Licensee, User
from compliance.platform.models import ApiKey, IdempotencyRecord
from compliance.platform.scopes import Scope

MARK = "mzn_"  # secret scanners find our keys by it
USE_IS_NOTED_EVERY = timedelta(hours=1)


def digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


@transaction.atomic
def issue_key(
    *,
    owner: User,
    licensee: Licensee,
    name: str,
    scopes: Iterable[str],
    expires_at: datetime,
    created_by: User,
    by: Acts,
    rate_per_minute: int | None = 6000,
) -> tuple[ApiKey, str]:
    """A new key and its secret, which is kept nowhere. The owner is the person the key counts as for four eyes."""
    wanted = {Scope.PING, *scopes}
    unknown = sorted(wanted - set(Scope))
    if unknown:
        known = ", ".join(Scope)
        raise ConditionsNotMet(
            [
                str(_("scopes: %(unknown)s is unknown. Known: %(known)s."))
                % {"unknown": ", ".join(unknown), "known": known}
            ]
        )
    if not owner.is_active:
        raise ConditionsNotMet([str(_("owner: this person is not active."))])
    if expires_at <= timezone.now():
        raise ConditionsNotMet([str(_("expires_at: choose a day in the future."))])
    prefix = MARK + secrets.token_hex(4)
    token = f"{prefix}_{secrets.token_urlsafe(32)}"
    key = ApiKey.objects.create(
        name=name,
        prefix=prefix,
        secret_hash=digest(token),
        owner=owner,
        licensee=licensee,
        scopes=sorted(wanted),
        rate_per_minute=rate_per_minute,
        expires_at=expires_at,
        created_by=created_by,
    )
    details = {
        "prefix": prefix,
        "owner": str(owner.pk),
        "licensee": licensee.slug,
        "scopes": key.scopes,
        "expires_at": expires_at,
        "name": name,
    }
    record("platform.issue_key", by=by, about=key, details=details)
    return key, token


@transaction.atomic
def revoke_key(key: ApiKey, *, by: Acts) -> ApiKey:
    """Refuse the key from the next request on. Revoking twice changes nothing."""
    if ApiKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=Now()):
        record("platform.revoke_key", by=by, about=key, details={"prefix": key.prefix})
    fresh: ApiKey = ApiKey.objects.select_related("owner", "licensee").get(pk=key.pk)
    return fresh


def find_key(token: str) -> ApiKey | None:
    """The key with this secret, usable or not. One query, and nothing cached: a revoked key is refused at once."""
    return ApiKey.objects.select_related("owner", "licensee").filter(secret_hash=digest(token)).first()


def note_use(key: ApiKey) -> None:
    """Remember roughly when a key was used last, without a write for every request."""
    if key.last_used_at is None or timezone.now() - key.last_used_at > USE_IS_NOTED_EVERY:
        ApiKey.objects.filter(pk=key.pk).update(last_used_at=Now())


def forget_old_replies() -> int:
    """Delete stored replies that nobody can ask for again. How many there were."""
    deleted, _by_model = IdempotencyRecord.objects.old().delete()
    return deleted
