"""Life of an API key: issued (its secret is shown once), used, replaced, revoked or expired."""

import hashlib
import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _

from audit.actors import Acts
from audit.perform import ConditionsNotMet
from audit.record import record
from compliance.people.models import Licensee, User
from compliance.platform import signatures
from compliance.platform.models import ApiKey, IdempotencyRecord
from compliance.platform.scopes import BEYOND_THE_LICENSEE, Scope
from compliance.platform.versions import VERSIONS
from compliance.policy.staff import staff_rules

MARK, TEST_MARK = "mzn_", "mzt_"  # secret scanners find our keys by it; a test licensee's show what they are
HALVES = "."  # between what a key shows and what it signs with; no other secret has one
USE_IS_NOTED_EVERY = timedelta(hours=1)
LONGEST_OVERLAP = timedelta(days=7)
_SAME = ("scopes", "rate_per_minute", "api_version")  # what a key keeps when it is replaced, beside whose it is


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
    signs: bool = False,
    proposal: str = "",
) -> tuple[ApiKey, str]:
    """A new key and its secret, which is kept nowhere. The owner is the person the key counts as for four eyes.

    A key that `signs` its requests has a secret of two halves, "mzn_....signing secret": the first goes with each
    request, the second signs it and never leaves the caller (signatures.py).

    It asks for no second person: pages and the command call apikeys.asking.
    """
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
    if licensee.is_test and (beyond := wanted & BEYOND_THE_LICENSEE):
        reason = _("scopes: %(scopes)s reaches all staff, so no key of a test licensee has it.")
        raise ConditionsNotMet([str(reason) % {"scopes": ", ".join(sorted(beyond))}])
    if not owner.is_active:
        raise ConditionsNotMet([str(_("owner: this person is not active."))])
    if expires_at <= timezone.now():
        raise ConditionsNotMet([str(_("expires_at: choose a day in the future."))])
    _require_signing(licensee, wanted, signs)
    facts = {"scopes": sorted(wanted), "rate_per_minute": rate_per_minute, "expires_at": expires_at}
    key, token = _draw(signs=signs, name=name, owner=owner, licensee=licensee, created_by=created_by, **facts)
    details = {
        "prefix": key.prefix,
        "owner": str(owner.pk),
        "licensee": licensee.slug,
        "scopes": key.scopes,
        "expires_at": expires_at,
        "name": name,
        "signs": signs,
        "proposal": proposal,
    }
    record("platform.issue_key", by=by, about=key, details=details)
    return key, token


def _draw(*, licensee: Licensee, signs: bool, **facts: Any) -> tuple[ApiKey, str]:
    prefix = (TEST_MARK if licensee.is_test else MARK) + secrets.token_hex(4)
    token = f"{prefix}_{secrets.token_urlsafe(32)}"
    key = ApiKey(prefix=prefix, secret_hash=digest(token), licensee=licensee, **facts)
    if signs:
        signing = secrets.token_urlsafe(32)
        key.signing_sealed = signatures.sealed(signing, of=key)
        token = f"{token}{HALVES}{signing}"
    key.save(force_insert=True)
    return key, token


def _require_signing(licensee: Licensee, scopes: Iterable[str], signs: bool) -> None:
    """The operator's rules may ask keys of a licensee to sign (staff.toml, `keys.signed`)."""
    rules = staff_rules(on=timezone.localdate()).keys
    if not signs and not licensee.is_test and rules.asks_to_sign(licensee.slug, scopes):
        raise ConditionsNotMet([str(_("With these scopes the key has to sign its requests."))])


@transaction.atomic
def rotate_key(
    key: ApiKey, *, overlap: timedelta, created_by: User, by: Acts, signs: bool | None = None, proposal: str = ""
) -> tuple[ApiKey, str]:
    """A key with the same facts and as long a life, and its secret. Both work for `overlap`, then the former ends.
    Whether it signs its requests may be chosen anew; without a choice as the former did.

    ConditionsNotMet where the key is not usable, or was replaced before.
    """
    if not timedelta(0) < overlap <= LONGEST_OVERLAP:
        hours = LONGEST_OVERLAP // timedelta(hours=1)
        raise ConditionsNotMet([_("Choose from 1 to %(hours)d hours.") % {"hours": hours}])
    former: ApiKey = ApiKey.objects.select_for_update(of=("self",)).select_related("owner", "licensee").get(pk=key.pk)
    now = timezone.now()
    if not former.usable_at(now) or former.replaced_by_id is not None:
        raise ConditionsNotMet([_("This key no longer works, or was replaced already.")])
    same = {name: getattr(former, name) for name in ("name", "owner", "licensee", *_SAME)}
    same["scopes"] = former.scopes_that_count
    signs = former.signs if signs is None else signs
    _require_signing(former.licensee, same["scopes"], signs)
    new, token = _draw(
        **same, signs=signs, expires_at=now + (former.expires_at - former.created_at), created_by=created_by
    )
    former.replaced_by, former.expires_at = new, min(now + overlap, former.expires_at)
    former.save(update_fields=["replaced_by", "expires_at"])
    details = {"former": former.prefix, "prefix": new.prefix, "until": former.expires_at, "expires_at": new.expires_at}
    record("platform.rotate_key", by=by, about=new, details=details | {"signs": signs, "proposal": proposal})
    return new, token


@transaction.atomic
def revoke_key(key: ApiKey, *, by: Acts) -> ApiKey:
    """Refuse the key from the next request on. Revoking twice changes nothing."""
    if ApiKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=Now()):
        record("platform.revoke_key", by=by, about=key, details={"prefix": key.prefix})
    fresh: ApiKey = ApiKey.objects.select_related("owner", "licensee").get(pk=key.pk)
    return fresh


@transaction.atomic
def pin_version(key: ApiKey, version: str, *, by: Acts) -> ApiKey:
    """From the next request on the key is answered in this version of the API. ConditionsNotMet when there is none."""
    if version not in VERSIONS:
        known = {"asked": version, "known": ", ".join(VERSIONS)}
        raise ConditionsNotMet([str(_("There is no version %(asked)s. Known: %(known)s.")) % known])
    fresh: ApiKey = ApiKey.objects.select_for_update(of=("self",)).select_related("owner", "licensee").get(pk=key.pk)
    if fresh.api_version != version:
        changes = {"api_version": (fresh.api_version, version)}
        fresh.api_version = version
        fresh.save(update_fields=["api_version"])
        record("platform.pin_version", by=by, about=fresh, changes=changes, details={"prefix": fresh.prefix})
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
