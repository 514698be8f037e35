"""Who somebody is and which rights hold now: a role whose time is over gives none, before any sweep has run."""

from typing import Any

from allauth.account.auth_backends import AuthenticationBackend
from django.contrib.auth.models import Permission
from django.db.models import QuerySet

from compliance.people.access import attempts
from compliance.people.access.live import live_groups


class StaffBackend(AuthenticationBackend):  # type: ignore[misc]  # allauth has no types
    def authenticate(self, request: Any, **credentials: Any) -> Any:
        """The password is weighed first, so that a locked sign-in answers as late as any other."""
        user = super().authenticate(request, **credentials)
        if not attempts.is_locked(user):  # asked of nobody, too
            return user
        if request is not None:
            request.right_and_locked = True  # for the log: sign_in.py
        return None

    def _get_group_permissions(self, user_obj: Any) -> "QuerySet[Permission]":
        """Django's own question, without the groups of roles that ended."""
        return Permission.objects.filter(group__in=live_groups(user_obj))
