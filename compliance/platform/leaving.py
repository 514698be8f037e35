"""When a member of staff leaves, the keys they own are revoked: a sign-in that opens again does not revive them."""

from audit.actors import Acts
from compliance.people.access import leaving
from compliance.people.models import User
from compliance.platform.models import ApiKey
from compliance.platform.services import revoke_key


def revoke_keys(user: User, *, by: Acts) -> int:
    keys = list(ApiKey.objects.filter(owner=user, revoked_at=None))
    for key in keys:
        revoke_key(key, by=by)
    return len(keys)


leaving.register("keys", revoke_keys)
