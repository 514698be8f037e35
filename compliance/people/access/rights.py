"""Who has which role since when, whether they may have it, and what is left over. Reviews and the nightly check."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Max, Q
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from audit.actors import Acts, System, system
from audit.perform import Denied
from audit.record import ObjectRef, record, record_refusal
from compliance.people.access.models import Session, Tenure
from compliance.people.models import Membership, User
from compliance.people.permissions import MANAGE_STAFF, require
from compliance.people.roles import AML_ROLES, ROLES, Role
from compliance.policy.staff import staff_rules

GRANT_AML = "access.grant_aml"
KEEP, TAKE = "keep", "take"


def require_may_give(role: type[Role], user: User, *, by: Acts, action: str) -> None:
    """Administrators give roles, except those of the AML side: these are the reporting officer's. Nobody their own."""
    require(by, GRANT_AML if role.aml else MANAGE_STAFF, action=action, about=user)
    if not isinstance(by, System) and by.human_id == user.human_id:
        record_refusal(action, by=by, about=user, reason="same_person")
        raise Denied("same_person", _("Nobody changes their own rights. Another person has to do it."))


def has_aml_role(user: User) -> bool:
    """Also one whose time is over and that nothing has taken yet."""
    return bool(user.memberships.filter(role__in=AML_ROLES).exists())


def check_role(user: User, role: type[Role], until: datetime | None) -> None:
    """Raises ValidationError where this person may not have the role besides what they have, or not for so long."""
    if role.name == "integration":
        raise ValidationError({"role": _("This role is for API keys. A person cannot have it.")})
    rules = staff_rules(on=timezone.localdate())
    held = Membership.objects.filter(user__human_id=user.human_id).exclude(role=role.name)
    if rule := rules.separation.against(role.name, held.values_list("role", flat=True).distinct()):
        raise ValidationError({"role": rule.why.get(str(get_language())[:2], rule.why["en"])})
    longest = timedelta(days=rules.rights.longest_aml_days)
    if role.ends and (until is None or until > timezone.now() + longest):
        raise ValidationError({"until": _("Choose a day within the next %(days)d days.") % {"days": longest.days}})
    if until is not None and until <= timezone.now():
        raise ValidationError({"until": _("Choose a day in the future.")})


def note_tenure(membership: Membership, *, by: Acts, until: datetime | None) -> Tenure:
    actor = by.audit_actor
    return Tenure.objects.create(membership=membership, given_by=f"{actor.kind}:{actor.id}"[:60], until=until)


# ------------------------------------------------------------------------------------------------- reviews
def to_review(*, by: User) -> Any:
    """Roles that nobody looked at within the span of the rules, the oldest first. Not one's own."""
    before = timezone.now() - timedelta(days=staff_rules(on=timezone.localdate()).rights.review_days)
    seen = Q(tenure__reviewed_at__gt=before) | Q(tenure__reviewed_at=None, tenure__since__gt=before)
    rows = Membership.objects.exclude(seen).exclude(user__human_id=by.human_id)
    return rows.select_related("user", "team", "tenure__reviewed_by").order_by("tenure__since", "id")


@transaction.atomic
def keep(membership: Membership, *, by: User) -> Tenure:
    """This person still needs this role."""
    require_may_give(ROLES[membership.role], membership.user, by=by, action="access.review")
    tenure, _made = Tenure.objects.get_or_create(membership=membership, defaults={"given_by": "unknown"})
    tenure.reviewed_at, tenure.reviewed_by = timezone.now(), by
    tenure.save(update_fields=["reviewed_at", "reviewed_by"])
    details = {"team": membership.team.slug, "role": membership.role, "verdict": KEEP}
    record("access.review", by=by, about=membership.user, details=details)
    return tenure


@dataclass(frozen=True, slots=True)
class Held:
    """What somebody holds beside their roles, for a review: `kind` in words, `what` and `where` as they stand."""

    user: User
    kind: str | Promise
    what: str
    where: str
    since: datetime | None = None
    given_by: str = ""
    until: datetime | None = None
    seen: datetime | None = None


_held: list[Callable[[], Iterator[Held]]] = []


def also_held(look: Callable[[], Iterator[Held]]) -> None:
    """Packages above say what people hold of theirs."""
    _held.append(look)


def held() -> list[Held]:
    """Of everybody, by person."""
    found = [one for look in _held for one in look()]
    return sorted(found, key=lambda one: (one.user.email, str(one.kind), one.what))


# ------------------------------------------------------------------------------------------------- what is over
def over() -> Any:
    """Memberships whose time is over."""
    return Membership.objects.filter(tenure__until__lte=Now()).select_related("user", "team")


# ------------------------------------------------------------------------------------------------- nightly check
@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that should not be: its kind, whom it is about, and where."""

    kind: str
    user: str
    what: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.user} {self.what}".strip()


_looks: list[Callable[[], Iterator[Finding]]] = []


def also_look(look: Callable[[], Iterator[Finding]]) -> None:
    """Packages above look for what they keep themselves."""
    _looks.append(look)


def findings() -> list[Finding]:
    """Rights without a role, roles without rights, closed or unused sign-ins with some. None: all is well."""
    own = [_stray_groups, _missing_groups, _own_rights, _closed, _unused, _apart, _unknown_roles]
    return [one for look in [*own, *_looks] for one in look()]


@transaction.atomic
def check() -> list[Finding]:
    """Look for all of it and record that somebody looked. The alarm of /readyz stands while anything is found."""
    found = findings()
    details = {"found": len(found), "kinds": sorted({one.kind for one in found})}
    record("access.check_rights", by=system(), about=ObjectRef("rights", "all"), details=details)
    return found


def _stray_groups() -> Iterator[Finding]:
    """In a group that no membership of theirs explains."""
    explained = {(one.user_id, name) for one in _memberships() for name in (one.group.name, f"role/{one.role}")}
    rows = User.groups.through.objects.select_related("user", "group")
    for row in rows:
        if (row.user_id, row.group.name) not in explained:
            yield Finding("orphan_group", row.user.email, row.group.name)


def _missing_groups() -> Iterator[Finding]:
    """A role on paper that gives nothing."""
    there = set(User.groups.through.objects.values_list("user_id", "group__name"))
    for one in _memberships():
        for name in (one.group.name, f"role/{one.role}"):
            if (one.user_id, name) not in there:
                yield Finding("role_without_group", one.user.email, name)


def _own_rights() -> Iterator[Finding]:
    """Rights given to one person instead of a role."""
    for row in User.user_permissions.through.objects.select_related("user", "permission"):
        yield Finding("own_right", row.user.email, row.permission.codename)


def _closed() -> Iterator[Finding]:
    """A closed sign-in that still has roles or an open session."""
    for user in (
        User.objects.filter(is_active=False).filter(Q(groups__isnull=False) | Q(memberships__isnull=False)).distinct()
    ):
        yield Finding("closed_with_roles", user.email, "")
    for session in Session.objects.open().filter(user__is_active=False).select_related("user"):
        yield Finding("closed_with_session", session.user.email, "")


def _unused() -> Iterator[Finding]:
    """An open sign-in with a role that nobody used for long."""
    before = timezone.now() - timedelta(days=staff_rules(on=timezone.localdate()).rights.unused_days)
    rows = User.objects.filter(is_active=True, emergency=None, memberships__isnull=False, created_at__lt=before)
    for user in rows.annotate(seen=Max("sessions__seen_at")).distinct():
        if (user.seen is None and (user.last_login is None or user.last_login < before)) or (
            user.seen and user.seen < before
        ):
            yield Finding("unused", user.email, "")


def _apart() -> Iterator[Finding]:
    """One person with roles that the rules keep apart, from before the rule or by SQL."""
    separation = staff_rules(on=timezone.localdate()).separation
    held: dict[Any, set[str]] = {}
    for human, role in Membership.objects.filter(user__is_active=True).values_list("user__human_id", "role"):
        held.setdefault(human, set()).add(role)
    for human, roles in held.items():
        if any(separation.against(role, roles - {role}) for role in roles):
            for user in User.objects.filter(human_id=human, is_active=True):
                yield Finding("roles_apart", user.email, ", ".join(sorted(roles)))


def _unknown_roles() -> Iterator[Finding]:
    """A group of a role that the product no longer knows, with people in it."""
    for group in Group.objects.filter(name__contains="/", user__isnull=False).distinct():
        if group.name.rpartition("/")[2] not in ROLES:
            yield Finding("unknown_role", "", group.name)


def _memberships() -> Any:
    return Membership.objects.select_related("user", "group")
