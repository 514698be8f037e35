"""Acts on staff: teams, sign-ins, roles. A right goes to the group of a role, and a person joins the group."""

from datetime import datetime
from functools import cache
from typing import Any
from zoneinfo import available_timezones

from django.apps import AppConfig, apps
from django.conf import settings
from django.contrib.auth.models import Group, Permission
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q
from django.utils.text import slugify
from django.utils.translation import gettext as _

from audit.actors import Acts, system
from audit.record import ObjectRef, record
from compliance.people.access import identities, leaving, rights, sessions
from compliance.people.access.models import Emergency, End
from compliance.people.conflicts import own
from compliance.people.contacts import clean_line, normal_email
from compliance.people.models import Human, Membership, Team, User
from compliance.people.permissions import MANAGE_STAFF, require
from compliance.people.roles import ROLES, Role

PREFERENCES = ("language", "time_zone", "theme", "keys_on", "keys")


class UnknownRight(LookupError):
    """A role names a right that no model declares: a typo would silently give nothing."""


# ------------------------------------------------------------------------------------------------- teams and roles
@transaction.atomic
def create_team(*, name: str, slug: str = "", by: Acts) -> Team:
    """A team, with a group for each role: rights on queues are granted to these groups before anybody joins."""
    require(by, MANAGE_STAFF, action="people.create_team", about=ObjectRef("team", "new"))
    team = Team(name=clean_line(name, field="name", longest=120), slug=slug or slugify(name))
    team.full_clean()
    team.save()
    groups = [Group(name=group_name(team, role)) for role in ROLES]
    Group.objects.bulk_create(groups, ignore_conflicts=True)
    record("people.create_team", by=by, about=team, details={"slug": team.slug})
    return team


def group_name(team: Team, role: str) -> str:
    return f"{team.slug}/{role}"


def team_group(team: Team, role: str) -> Group:
    """The group of a team and role: what a queue's rights are granted to."""
    return Group.objects.get_or_create(name=group_name(team, _role(role).name))[0]


def team_groups(team: Team) -> dict[str, Group]:
    """The groups of a team, by role."""
    groups = Group.objects.in_bulk([group_name(team, role) for role in ROLES], field_name="name")
    return {role: groups.get(group_name(team, role)) or team_group(team, role) for role in ROLES}


def role_group(role: str) -> Group:
    """The group of a role in every team: it carries the rights that hold everywhere."""
    return Group.objects.get_or_create(name=f"role/{_role(role).name}")[0]


@transaction.atomic
def sync_roles() -> list[str]:
    """Bring the groups to what `roles.py` says; return the names of those that changed. May run any number of times."""
    changed = []
    for role in ROLES.values():
        group, made = Group.objects.get_or_create(name=f"role/{role.name}")
        wanted = _permissions(role)
        if made or set(group.permissions.all()) != set(wanted):
            group.permissions.set(wanted)
            changed.append(group.name)
        for team in Team.objects.all():
            _group, made = Group.objects.get_or_create(name=group_name(team, role.name))
            if made:
                changed.append(group_name(team, role.name))
    return changed


def sync_after_migrate(sender: AppConfig, **kwargs: Any) -> None:
    """Django's post_migrate runs per app; the rights of all apps exist once it reaches the last one."""
    if sender == [config for config in apps.get_app_configs() if config.models_module][-1]:
        sync_roles()


def _permissions(role: type[Role]) -> list[Permission]:
    if not role.permissions:
        return []
    asked = Q()
    for name in role.permissions:
        app, codename = name.split(".")
        asked |= Q(content_type__app_label=app, codename=codename)
    found = list(Permission.objects.filter(asked).select_related("content_type"))
    names = {f"{permission.content_type.app_label}.{permission.codename}" for permission in found}
    if missing := sorted(set(role.permissions) - names):
        raise UnknownRight(f"roles.py, {role.name}: no model declares {', '.join(missing)}. Correct the name.")
    return found


def _role(name: str) -> type[Role]:
    try:
        return ROLES[name]
    except KeyError:
        facts = {"role": name, "known": ", ".join(ROLES)}
        raise ValidationError({"role": _("There is no role %(role)s. Known: %(known)s.") % facts}) from None


# ------------------------------------------------------------------------------------------------- sign-ins
@transaction.atomic
def create_user(
    *,
    email: str,
    name: str,
    by: Acts,
    human: Human | None = None,
    password: str | None = None,
    language: str = "en",
    time_zone: str = "UTC",
) -> User:
    """A sign-in for a new member of staff, or a second one for the `human` given, who stays one person for four eyes.

    Without a password nobody can sign in until one is set by a link. Raises ValidationError with the field.
    """
    require(by, MANAGE_STAFF, action="people.create_user", about=ObjectRef("user", "new"))
    address = normal_email(email)
    if User.objects.filter(email=address).exists():
        raise ValidationError({"email": _("Somebody signs in with this e-mail address already.")})
    _check_preferences(language=language, time_zone=time_zone)
    facts: dict[str, Any] = {"name": clean_line(name, field="name", longest=120), "language": language}
    facts |= {"time_zone": time_zone, "human": human}
    if password is not None:
        _check_password(password, User(email=address, name=facts["name"]))
    user = User.objects.create_user(address, password, **facts)
    record("people.create_user", by=by, about=user, details={"name": user.name, "email": user.email})
    own.meet_user(user)
    return user


@transaction.atomic
def deactivate_user(user: User, *, by: Acts) -> User:
    """Close a sign-in: from this moment no right, no session and no API key of it works. Its roles are taken, what it
    proposed is no longer waited for. Nobody closes their own.
    """
    require(by, MANAGE_STAFF, action="people.deactivate_user", about=user)
    return close_sign_in(user, by=by)


@transaction.atomic
def close_sign_in(user: User, *, by: Acts) -> User:
    """For callers that asked for the right themselves (an API key's scope)."""
    user = User.objects.select_for_update(of=("self",)).get(pk=user.pk)
    if user.is_active:
        user.is_active = False
        user.save(update_fields=["is_active"])
        ended = {"sessions": sessions.end_all(user, by=by, why=End.CLOSED), **leaving.end_all(user, by=by)}
        taken = [_take(membership, by=by) for membership in user.memberships.select_related("team", "group")]
        user.groups.clear()
        leaving.end_what_roles_bore(user, by=by)
        details = {"ended": [f"{name}:{count}" for name, count in ended.items()], "roles": sorted(taken)}
        record("people.deactivate_user", by=by, about=user, changes={"is_active": (True, False)}, details=details)
    return user


@transaction.atomic
def reactivate_user(user: User, *, by: Acts) -> User:
    """Open a closed sign-in again. It has no role until somebody gives one; the password is as it was."""
    require(by, MANAGE_STAFF, action="people.reactivate_user", about=user)
    user = User.objects.select_for_update(of=("self",)).get(pk=user.pk)
    if not user.is_active:
        user.is_active = True
        user.save(update_fields=["is_active"])
        record("people.reactivate_user", by=by, about=user, changes={"is_active": (False, True)})
    return user


@transaction.atomic
def mark_emergency(user: User, *, by: Acts) -> Emergency:
    """Set a sign-in aside for emergencies: no second factor, an hour at most, and everybody hears of each use."""
    require(by, MANAGE_STAFF, action="access.mark_emergency", about=user)
    emergency, made = Emergency.objects.get_or_create(user=user)
    if made:
        record("access.mark_emergency", by=by, about=user)
    return emergency


@transaction.atomic
def join(user: User, team: Team, role: str, *, by: Acts, until: datetime | None = None) -> Membership:
    """Give a user a role in a team, until then or until it is taken. Somebody who has it already keeps it as it is.

    Raises Denied (recorded) for who may not give it, ValidationError where the person may not have it.
    """
    known = _role(role)
    rights.require_may_give(known, user, by=by, action="people.join_team")
    _lock(user)
    found = Membership.objects.filter(user=user, team=team, role=role).first()
    if found is not None:
        return found
    rights.check_role(user, known, until)
    group, everywhere = team_group(team, role), role_group(role)
    membership = Membership.objects.create(user=user, team=team, role=role, group=group)
    rights.note_tenure(membership, by=by, until=until)
    user.groups.add(group, everywhere)
    sessions.roles_changed(user)
    details = {"team": team.slug, "role": role} | ({"until": until} if until else {})
    record("people.join_team", by=by, about=user, details=details)
    if known.aml:  # whoever looks after the directory is not let in there, nor by what they set up before
        identities.forget(user, by=by)
    return membership


@transaction.atomic
def leave(user: User, team: Team, role: str, *, by: Acts) -> None:
    """Take a role in a team from a user. Raises ValidationError when they do not have it."""
    rights.require_may_give(_role(role), user, by=by, action="people.leave_team")
    _lock(user)
    membership = Membership.objects.filter(user=user, team=team, role=_role(role).name).first()
    if membership is None:
        raise ValidationError({"role": _("%(name)s does not have this role in this team.") % {"name": user.name}})
    _take(membership, by=by)
    leaving.end_what_roles_bore(user, by=by)
    sessions.roles_changed(user)


@transaction.atomic
def end_what_is_over() -> int:
    """Take every role whose time is over. How many there were."""
    ended = list(rights.over())
    for membership in ended:
        _lock(membership.user)
        _take(membership, by=system())
        leaving.end_what_roles_bore(membership.user, by=system())
    return len(ended)


def _take(membership: Membership, *, by: Acts) -> str:
    """Remove a membership with its groups, recorded. Returns team/role."""
    user, team, role = membership.user, membership.team, membership.role
    user.groups.remove(membership.group)
    membership.delete()
    if not Membership.objects.filter(user=user, role=role).exists():
        user.groups.remove(role_group(role))
    record("people.leave_team", by=by, about=user, details={"team": team.slug, "role": role})
    return group_name(team, role)


@transaction.atomic
def set_preferences(user: User, *, by: Acts, **wanted: Any) -> User:
    """Language, time_zone, theme, keys_on, keys (as keymap.changed): how pages look and listen for this user. They
    follow the user to every browser.
    """
    if unknown := set(wanted) - set(PREFERENCES):
        raise TypeError(f"not a preference: {', '.join(sorted(unknown))}")
    _check_preferences(**wanted)
    user = User.objects.select_for_update(of=("self",)).get(pk=user.pk)
    changes = {name: (getattr(user, name), value) for name, value in wanted.items() if getattr(user, name) != value}
    if changes:
        for name, (_old, new) in changes.items():
            setattr(user, name, new)
        user.save(update_fields=list(changes))
        record("people.set_preferences", by=by, about=user, changes=changes)
    return user


def _lock(user: User) -> None:
    """Joins and leaves of one user wait for each other: two at once would each miss the other's membership."""
    User.objects.select_for_update(of=("self",)).get(pk=user.pk)


def _check_preferences(
    language: str = "en", time_zone: str = "UTC", theme: str = "", keys_on: bool = True, keys: Any = None
) -> None:
    if language not in dict(settings.LANGUAGES):
        known = ", ".join(dict(settings.LANGUAGES))
        raise ValidationError({"language": _("Choose one of: %(known)s.") % {"known": known}})
    check_time_zone(time_zone)
    if theme not in ("", "light", "dark"):
        raise ValidationError({"theme": _("Choose one of: light, dark, or nothing for the device's own.")})


@cache
def _time_zones() -> frozenset[str]:
    """Asked once: the answer is a walk over the files of the zone database."""
    return frozenset(available_timezones())


def check_time_zone(name: str) -> str:
    if name not in _time_zones():
        raise ValidationError({"time_zone": _("Enter a time zone such as Europe/Istanbul.")})
    return name


def _check_password(password: str, user: User) -> None:
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise ValidationError({"password": error.messages}) from None
