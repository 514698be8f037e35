"""Acts: come, go, be away with a deputy, be back. Each for oneself, or by who manages staff.

A deputy takes over what names the absent person; rights are the deputy's own. Deputies who are away themselves hand on
to theirs; a circle ends nowhere.
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from audit.actors import Acts
from audit.perform import Denied
from audit.record import record, record_refusal
from compliance.people.access.once import once
from compliance.people.duty.models import Absence, Shift
from compliance.people.models import User
from compliance.people.permissions import MANAGE_STAFF

LONGEST_SHIFT = timedelta(hours=14)
USUAL_SHIFT = timedelta(hours=9)
LONGEST_ABSENCE = timedelta(days=366)
MOST_HANDS = 8  # deputies of deputies; nobody hands on further than this


@transaction.atomic
def come(user: User, *, by: Acts, ends_at: datetime | None = None) -> Shift:
    """On shift from now on: new work may be given to them. Coming again moves the end."""
    _for_oneself(user, by, "duty.come")
    now = timezone.now()
    ends_at = ends_at or now + USUAL_SHIFT
    if not now < ends_at <= now + LONGEST_SHIFT:
        raise ValidationError({"ends_at": _("A shift ends within the next 14 hours.")})
    if _is_away(user, now):
        raise ValidationError({"ends_at": _("You said that you are away. Say first that you are back.")})
    shift, made = Shift.objects.get_or_create(
        human_id=user.human_id, defaults={"user": user, "began_at": now, "ends_at": ends_at}
    )
    if not made:
        began = shift.began_at if shift.ends_at > now else now
        Shift.objects.filter(pk=shift.pk).update(user=user, began_at=began, ends_at=ends_at)
        shift.refresh_from_db()
    record("duty.come", by=by, about=user, details={"ends_at": ends_at})
    return shift


@transaction.atomic
def go(user: User, *, by: Acts) -> None:
    """No new work. What they have stays theirs."""
    _for_oneself(user, by, "duty.go")
    now = timezone.now()
    deleted, _models = Shift.objects.filter(human_id=user.human_id).delete()
    if deleted:
        record("duty.go", by=by, about=user, details={"ends_at": now})


@transaction.atomic
def be_away(user: User, *, deputy: User | None, starts_at: datetime, ends_at: datetime, by: Acts) -> Absence:
    """Away between two moments; `deputy` gets what names them. ValidationError with the field for what cannot be."""
    _for_oneself(user, by, "duty.be_away")
    now = timezone.now()
    if not starts_at < ends_at or ends_at <= now or ends_at - starts_at > LONGEST_ABSENCE:
        raise ValidationError({"ends_at": _("An absence ends after it starts, in the future, within a year.")})
    if deputy is not None and (deputy.human_id == user.human_id or not deputy.is_active):
        raise ValidationError({"deputy": _("Name another person who works here.")})
    overlapping = Absence.objects.filter(user__human_id=user.human_id, starts_at__lt=ends_at, ends_at__gt=starts_at)
    if overlapping.exists():
        raise ValidationError({"starts_at": _("There is an absence in this time already. End that one first.")})
    absence = Absence.objects.create(user=user, deputy=deputy, starts_at=starts_at, ends_at=ends_at)
    if starts_at <= now:
        Shift.objects.filter(human_id=user.human_id).delete()
    facts = {"user": str(user.pk), "named_checker": str(deputy.pk) if deputy else ""}
    record("duty.be_away", by=by, about=absence, details=facts | {"starts_at": starts_at, "ends_at": ends_at})
    return absence


@transaction.atomic
def be_back(absence: Absence, *, by: Acts) -> None:
    """It ends now; one that did not begin yet is taken back."""
    _for_oneself(absence.user, by, "duty.be_back")
    now = timezone.now()
    absence = Absence.objects.select_for_update(of=("self",)).get(pk=absence.pk)
    if absence.ends_at <= now:
        return
    record("duty.be_back", by=by, about=absence, details={"user": str(absence.user_id), "ends_at": now})
    if absence.starts_at >= now:
        absence.delete()
    else:
        absence.ends_at = now
        absence.save(update_fields=["ends_at"])


# ------------------------------------------------------------------------------------------------- questions
def absences_now(at: datetime | None = None) -> "QuerySet[Absence]":
    at = at or timezone.now()
    return Absence.objects.filter(starts_at__lte=at, ends_at__gt=at)


def absence_of(user: User, *, at: datetime | None = None) -> Absence | None:
    """The absence in which this person is now, with its deputy."""
    rows = absences_now(at).filter(user__human_id=user.human_id).select_related("deputy")
    return rows.order_by("-ends_at").first()


def on_shift(at: datetime | None = None) -> "QuerySet[User]":
    """The sign-ins of those who are here and not away."""
    at = at or timezone.now()
    here = Shift.objects.filter(began_at__lte=at, ends_at__gt=at).exclude(
        human_id__in=absences_now(at).values("user__human_id")
    )
    return User.objects.filter(pk__in=here.values("user_id"), is_active=True)


def stood_in_for(user: Any, *, at: datetime | None = None) -> Collection[UUID]:
    """The humans whose deputy this person is now, also of those who stand in for others. One query for nobody."""
    if getattr(user, "human_id", None) is None:
        return ()
    return _stood_in_for(user, at) if at else once(user, "stood_in_for", lambda: _stood_in_for(user, at))


def _stood_in_for(user: Any, at: datetime | None) -> Collection[UUID]:
    found: set[UUID] = set()
    layer: set[UUID] = {user.human_id}
    for _hand in range(MOST_HANDS):
        if _hand and not layer:
            break
        rows = absences_now(at).filter(deputy__human_id__in=layer, user__is_active=True)
        layer = set(rows.values_list("user__human_id", flat=True)) - found - {user.human_id}
        if not layer:
            break
        found |= layer
    return found


def desks_of(user: User) -> list[UUID]:
    """The sign-ins whose work this person sees as theirs: this one, and all of those they stand in for now."""
    humans = stood_in_for(user)
    others = User.objects.filter(human_id__in=humans).values_list("pk", flat=True) if humans else ()
    return [user.pk, *others]


def acts_for(user: User, *, at: datetime | None = None) -> User | None:
    """Who acts for this person now: themselves, or the deputy at the end of the chain; None when nobody is there."""
    seen: set[UUID] = set()
    now_acting: User | None = user
    while now_acting is not None and now_acting.human_id not in seen and len(seen) < MOST_HANDS:
        seen.add(now_acting.human_id)
        absence = absence_of(now_acting, at=at)
        if absence is None:
            return now_acting if now_acting.is_active else None
        now_acting = absence.deputy
    return None


def is_named(name: User, user: Any, *, at: datetime | None = None) -> bool:
    """Whether what names `name` may be taken up by `user`: the same human, or the deputy of one who is away."""
    human = getattr(user, "human_id", None)
    return human is not None and (name.human_id == human or name.human_id in stood_in_for(user, at=at))


def named(path: str, user: Any) -> Q:
    """`is_named` for a queryset: `path` leads to a user, such as "assignee"."""
    return Q(**{f"{path}__human_id__in": [user.human_id, *stood_in_for(user)]})


def _is_away(user: User, at: datetime) -> bool:
    return absences_now(at).filter(user__human_id=user.human_id).exists()


def _for_oneself(user: User, by: Acts, action: str) -> None:
    mine = getattr(by, "human_id", None) == user.human_id and by.is_active
    manages = getattr(by, "has_perm", None) is not None and by.has_perm(MANAGE_STAFF)  # type: ignore[attr-defined]
    system = by.audit_actor.kind == "system"
    if not (mine or manages or system):
        record_refusal(action, by=by, about=user, reason="no_right")
        raise Denied("no_right")
