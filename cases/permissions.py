"""Who may see, work on and decide a case: the queue's grant, of a restricted case its own besides, minus conflicts."""

from collections.abc import Set
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db.models import Q
from guardian.utils import get_group_obj_perms_model, get_user_obj_perms_model

from audit.actors import System
from compliance.people.access.live import live_groups
from compliance.people.access.once import once, remembers
from compliance.people.models import Membership
from compliance.platform.models import ApiKey

VIEW, WORK, DECIDE = "view_case", "work_case", "decide_case"


def granted(user: Any, permission: str, klass: Any) -> Any:
    """Objects of `klass` on which the user, or a group whose role has not ended, holds the permission by a row.

    Never by a global right. Lazy: to be asked for single objects, or within another query.
    """
    return klass._default_manager.filter(_by_row(user, permission, klass)).order_by()


def granted_as(roles: Set[str], user: Any, permission: str, klass: Any) -> Any:
    """The same, by the groups alone that the user is in for one of these roles."""
    groups = live_groups(user).filter(pk__in=Membership.objects.filter(user=user, role__in=roles).values("group"))
    held = {"permission__content_type": ContentType.objects.get_for_model(klass), "permission__codename": permission}
    rows = get_group_obj_perms_model(klass)._default_manager.filter(group__in=groups, **held)
    return klass._default_manager.filter(pk__in=rows.values("content_object")).order_by()


def allowed(user: Any, permission: str, queue: Any, case: Any) -> Q:
    """Which cases of the user's queues: those that are not restricted, and those with a grant of their own.

    A grant on one case gives nothing that the user's roles do not give on its queue: it goes with the role.
    Where a page only reads, the queues are named instead of asked for in each of its many queries.
    """
    theirs, shown = Q(queue__in=queues_of(user, permission, queue)), Q(restricted=False)
    if remembers(user) and (permission,) not in once(user, case, lambda: _said(user, case, "permission__codename")):
        return theirs & shown
    return theirs & (shown | _by_row(user, permission, case))


def queues_of(user: Any, permission: str, queue: Any) -> Any:
    """For `queue__in`: a query of the user's queues, or in a page the queues themselves."""
    if not remembers(user):
        return granted(user, permission, queue).values("pk")
    held = once(user, queue, lambda: _said(user, queue, "permission__codename", "content_object"))
    return [pk for codename, pk in held if codename == permission]


def _by_row(user: Any, permission: str, klass: Any) -> Q:
    own, theirs = _rows(user, klass, permission__codename=permission)
    return Q(pk__in=own.values("content_object")) | Q(pk__in=theirs.values("content_object"))


def _said(user: Any, klass: Any, *fields: str) -> set[tuple[Any, ...]]:
    own, theirs = _rows(user, klass)
    return set(own.values_list(*fields).union(theirs.values_list(*fields)))


def _rows(user: Any, klass: Any, **only: Any) -> tuple[Any, Any]:
    """Grants on single objects: the user's own, and those of groups whose role has not ended."""
    held = only | {"permission__content_type": ContentType.objects.get_for_model(klass)}
    own = get_user_obj_perms_model(klass)._default_manager.filter(user=user, **held)
    theirs = get_group_obj_perms_model(klass)._default_manager.filter(group__in=live_groups(user), **held)
    return own, theirs


def may(user: Any, permission: str, case: Any) -> bool:
    """Whether the user may do this on this case. A second person is the proposal's business, not asked here.

    The product itself holds no grant: what it does, its moves name.
    """
    if not user.is_active or isinstance(user, System):
        return False
    row = type(case)._base_manager.filter(pk=case.pk)
    # Most panels of a page ask it of the same case.
    return once(user, ("may", permission, case.pk), lambda: bool(row.allowed_to(user, permission).exists()))


def is_key(user: Any) -> bool:
    return isinstance(user, ApiKey)
