"""Which groups of somebody give rights now. Rights over everything and over single objects both ask here."""

from typing import Any

from django.contrib.auth.models import Group
from django.db.models import Q, QuerySet, Value
from django.db.models.functions import Concat, Now

from compliance.people.access.once import once, remembers
from compliance.people.models import Membership


def live_groups(user: Any) -> "QuerySet[Group]":
    """The user's groups without those of roles that ended, as one lazy query.

    The group of a role in every team ("role/officer") goes with the last membership in that role.
    """
    if not remembers(user):
        return _live(user)
    return Group.objects.filter(pk__in=once(user, "live_groups", lambda: [group.pk for group in _live(user)]))


def _live(user: Any) -> "QuerySet[Group]":
    mine = Membership.objects.filter(user=user)
    ended = mine.filter(tenure__until__lte=Now())
    lasting = mine.filter(Q(tenure=None) | Q(tenure__until=None) | Q(tenure__until__gt=Now()))
    gone = ended.exclude(role__in=lasting.values("role")).annotate(everywhere=Concat(Value("role/"), "role"))
    groups: QuerySet[Group] = user.groups.exclude(
        Q(pk__in=ended.values("group")) | Q(name__in=gone.values("everywhere"))
    )
    return groups
