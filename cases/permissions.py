"""Who may see, work on and decide a case: the queue's grant unless it is restricted, or its own, minus conflicts."""

from typing import Any

from guardian.shortcuts import get_objects_for_user

from compliance.platform.models import ApiKey

VIEW, WORK, DECIDE = "view_case", "work_case", "decide_case"


def granted(user: Any, permission: str, klass: Any) -> Any:
    """Objects of `klass` on which the user or a group holds the permission by a row. Never by a global right."""
    return get_objects_for_user(
        user, permission, klass=klass, use_groups=True, with_superuser=False, accept_global_perms=False
    ).order_by()


def may(user: Any, permission: str, case: Any) -> bool:
    """Whether the user may do this on this case. A second person is the proposal's business, not asked here."""
    if not user.is_active:
        return False
    return bool(type(case)._base_manager.filter(pk=case.pk).allowed_to(user, permission).exists())


def is_key(user: Any) -> bool:
    return isinstance(user, ApiKey)
