"""Who holds a right that a role gives everywhere: letters go to them."""

from compliance.people.models import Membership, User
from compliance.people.roles import ROLES


def holders_of(right: str) -> list[User]:
    """Active people with a role that carries the right, and who have it now, by address."""
    roles = [role.name for role in ROLES.values() if right in role.permissions]
    ids = Membership.objects.filter(role__in=roles).values("user")
    people = User.objects.filter(pk__in=ids, is_active=True).order_by("email")
    return [user for user in people if user.has_perm(right)]
