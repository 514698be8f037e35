"""Who owns which keys, for the review of rights. Every night: keys that end soon, that nobody uses, or whose owner has
no role any more.
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from compliance.people.access import rights
from compliance.people.access.rights import Finding, Held
from compliance.platform.models import ApiKey
from compliance.policy.staff import staff_rules

SOON: Final = timedelta(days=14)


def keys_to_look_after() -> Iterator[Finding]:
    """Left alone: a key that was replaced, which ends by itself, and those of test licensees."""
    now = timezone.now()
    unused = now - timedelta(days=staff_rules(on=timezone.localdate()).rights.unused_days)
    usable = ApiKey.objects.usable().filter(replaced_by=None, licensee__is_test=False)
    for kind, rows in (
        ("key_ends_soon", usable.filter(expires_at__lte=now + SOON)),
        ("key_unused", usable.filter(Q(last_used_at=None) | Q(last_used_at__lt=unused), created_at__lt=unused)),
        ("key_owner_without_role", usable.filter(owner__memberships=None)),
    ):
        for email, prefix in rows.order_by("prefix").values_list("owner__email", "prefix"):
            yield Finding(kind, email, prefix)


def keys_by_owner() -> Iterator[Held]:
    """Those that work."""
    rows = ApiKey.objects.usable().select_related("owner", "licensee", "created_by").order_by("prefix")
    for key in rows:
        yield Held(
            user=key.owner,
            kind=_("API key"),
            what=f"{key.prefix}: {', '.join(sorted(key.scopes_that_count))}",
            where=key.licensee.slug,
            since=key.created_at,
            given_by=key.created_by.email,
            until=key.expires_at,
            seen=key.last_used_at,
        )


rights.also_look(keys_to_look_after)
rights.also_held(keys_by_owner)
