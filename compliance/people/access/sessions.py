"""Life of a session: opened at the sign-in, seen at each request, ended by its user, a limit, or a closed sign-in."""

from datetime import timedelta
from typing import Any, cast
from uuid import UUID

from django.db import transaction
from django.db.models import DateTimeField, DurationField, ExpressionWrapper, F, Value
from django.db.models.functions import Least, Now
from django.http import HttpRequest
from django.utils import timezone

from audit.actors import Acts, system
from audit.middleware import address_of
from audit.record import record
from compliance.people.access import factors
from compliance.people.access.confirmation import DIRECTORY
from compliance.people.access.models import Emergency, End, Identity, Session
from compliance.people.models import User
from compliance.policy.staff import Span, staff_rules

NAMED = "staff_session"  # where the cookie's session keeps the id of the row
SEEN_EVERY = timedelta(seconds=30)
BY_ITSELF = "Mizan-By-Itself"  # the header of focus.js
KEPT = timedelta(days=30)  # so that somebody can still look where they were signed in


def limits(user: User) -> Span:
    """What a session of this user may last, by their roles today."""
    rules = staff_rules(on=timezone.localdate()).sessions
    if Emergency.objects.filter(user=user).exists():
        return rules.emergency
    return rules.of(user.memberships.values_list("role", flat=True).distinct())


@transaction.atomic
def open_session(request: HttpRequest, user: User, *, factors_used: str) -> Session:
    """Note who signed in where, and name it in the request's own session.

    Whom the directory may not let in any more (it was forgotten since they came back from there) has one that is over.
    """
    by_directory = DIRECTORY in factors_used.split("+")
    if by_directory:  # who gives a role of the AML side meanwhile waits for us, or we for them
        User.objects.select_for_update(of=("self",)).get(pk=user.pk)
    span = limits(user)
    elsewhere = bool(getattr(request, "second_step_shown", False))  # oidc/views.py
    session = Session.objects.create(
        user=user,
        ends_at=Now() + span.whole,  # by the clock that it begins and is asked by
        idle=span.idle,
        needs_factor=not elsewhere and factors.is_missing(user),
        second_elsewhere=elsewhere,
        factors=factors_used[:60],
        address=(address_of(request) or "")[:45],
        browser=(request.META.get("HTTP_USER_AGENT") or "")[:300],
    )
    session.refresh_from_db(fields=["ends_at"])
    request.session[NAMED] = str(session.pk)
    if by_directory and not Identity.objects.filter(user=user).exists():
        end(session, by=system(), why=End.CHANGED)
    return session


def standing(request: HttpRequest) -> Session | None:
    """The open session of this request, seen now; None when it ended or none was ever opened. One query.

    What a page asks by itself while nobody is at it (BY_ITSELF) keeps no session open.
    """
    found: Session | None = Session.objects.open().filter(pk=named(request), user=cast(User, request.user)).first()
    if found is not None and BY_ITSELF not in request.headers and timezone.now() - found.seen_at > SEEN_EVERY:
        Session.objects.filter(pk=found.pk).update(seen_at=Now())
        found.seen_at = timezone.now()
    return found


def seconds_left(session: Session) -> int:
    """Until it ends, when nothing more is done."""
    return max(0, int((min(session.ends_at, session.seen_at + session.idle) - timezone.now()).total_seconds()))


def session_ends(request: HttpRequest | None) -> dict[str, int | bool]:
    """For a page: seconds left, and whether doing something makes it longer. Nothing where there is no session."""
    session = getattr(request, "staff_session", None)
    return {"left": seconds_left(session), "stay": may_stay(session)} if session else {}


def may_stay(session: Session) -> bool:
    """Whether doing something makes it last: not once its whole time is what ends it."""
    return session.ends_at > session.seen_at + session.idle


def why_over(request: HttpRequest) -> str:
    """Why the session of this request opens nothing any more. A limit that was reached is noted and recorded now."""
    session = Session.objects.filter(pk=named(request), user=cast(User, request.user)).select_related("user").first()
    if session is None:
        return ""
    if session.ended_at is None:
        end(session, by=system(), why=End.WHOLE if session.ends_at <= timezone.now() else End.IDLE)
        session.refresh_from_db()
    return str(session.ended_for)


@transaction.atomic
def end(session: Session, *, by: Acts, why: End) -> bool:
    """Over, from the next request on. False when it was over already."""
    changed = Session.objects.filter(pk=session.pk, ended_at=None).update(ended_at=Now(), ended_for=why)
    if changed:
        record("access.end_session", by=by, about=session.user, details={"session": str(session.pk), "why": why.value})
    return bool(changed)


@transaction.atomic
def end_all(user: User, *, by: Acts, why: End, but: Any = None) -> int:
    """End every session of a user, except `but`. One entry says how many."""
    rows = Session.objects.filter(user=user, ended_at=None).exclude(pk=but)
    count = rows.update(ended_at=Now(), ended_for=why)
    if count:
        record("access.end_session", by=by, about=user, details={"why": why.value, "ended": count})
    return int(count)


def roles_changed(user: User) -> None:
    """Running sessions get the limits of the roles that there are now: never longer than they had."""
    rows = Session.objects.filter(user=user, ended_at=None)
    if not rows.exists():
        return
    span = limits(user)
    whole = ExpressionWrapper(F("started_at") + Value(span.whole, DurationField()), output_field=DateTimeField())
    rows.update(
        idle=Least(F("idle"), Value(span.idle, DurationField())),
        ends_at=Least(F("ends_at"), whole),
    )
    factors_changed(user)


def factors_changed(user: User) -> bool:
    """Whether a second factor is missing, now that one may have been set up or removed; the sessions know it too."""
    missing = factors.is_missing(user)
    here = Session.objects.filter(user=user, ended_at=None, second_elsewhere=False)
    here.exclude(needs_factor=missing).update(needs_factor=missing)
    return missing


def of(user: User) -> Any:
    """The open sessions of a user, the last used first."""
    return Session.objects.open().filter(user=user).order_by("-seen_at")


def one_of(user: User, named: str) -> Session | None:
    """The open session with this id, if it is the user's."""
    return next((one for one in of(user) if str(one.pk) == named), None)


def forget_old() -> int:
    """Delete what ended long ago. Deleting twice does nothing."""
    before = timezone.now() - KEPT
    deleted, _by_model = Session.objects.filter(ends_at__lt=before).delete()
    return deleted


def named(request: HttpRequest) -> Any:
    """The id that this browser's session carries."""
    try:
        return UUID(str(request.session.get(NAMED)))
    except ValueError:
        return None
