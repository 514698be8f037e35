"""Links between cases, and following a case.

Of a link between a restricted case and one that is not, only the restricted one tells: the other, and those who follow
it, would learn that a hidden matter exists.
"""

from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from audit.perform import ConditionsNotMet
from audit.record import record
from cases.happenings import tell
from cases.models import Case
from cases.permissions import VIEW, WORK
from cases.relations.models import Link, Watcher
from cases.services import require
from compliance.people.models import User


@transaction.atomic
def link(case: Case, other: Case, kind: str, *, by: User) -> Link:
    """Tie two cases that the person sees. Twice, in either direction, is refused."""
    require(WORK, case, by=by, action="relations.link")
    require(VIEW, other, by=by, action="relations.link")
    case, other = both_locked(case, other)
    if kind not in Link.Kind.values:
        raise ConditionsNotMet([_("Choose how the cases belong together.")])
    if case.pk == other.pk:
        raise ConditionsNotMet([_("This is the same case.")])
    both = Q(one_id=case.pk, other_id=other.pk) | Q(one_id=other.pk, other_id=case.pk)
    if Link.objects.filter(both).exists():
        raise ConditionsNotMet([_("These cases are linked already.")])
    try:
        with transaction.atomic():
            made = Link.objects.create(one_id=case.pk, other_id=other.pk, kind=kind, made_by=by)
    except IntegrityError:  # somebody else was faster by a moment
        raise ConditionsNotMet([_("These cases are linked already.")]) from None
    sides = telling(case, other)
    for each in sides:
        record("relations.link", by=by, about=each, details={"link_kind": kind})
    tell(sides[0], "linked", by=by)
    return made


@transaction.atomic
def unlink(made: Link, *, by: User, seen_from: Case) -> None:
    require(WORK, seen_from, by=by, action="relations.unlink")
    deleted, _models = Link.objects.filter(pk=made.pk).delete()
    if deleted:
        for each in telling(*both_locked(made.one, made.other)):
            record("relations.unlink", by=by, about=each, details={"link_kind": made.kind})


def telling(case: Case, other: Case) -> list[Case]:
    """Those of two linked cases that tell of the link."""
    return [each for each in (case, other) if each.restricted or case.restricted == other.restricted]


def both_locked(case: Case, other: Case) -> tuple[Any, Any]:
    """Fresh and locked in one order, so that two who tie them crosswise wait for each other."""
    rows = Case.objects.select_for_update(of=("self",)).filter(pk__in=[case.pk, other.pk]).order_by("pk")
    found = {each.pk: each for each in rows}
    return found[case.pk], found[other.pk]


def links_of(case: Case, *, user: Any) -> list[dict[str, Any]]:
    """The links that this case tells of, whose other case the user may see: {link, other, words}."""
    seen = Case.objects.visible_to(user).order_by().values("pk")
    if not case.restricted:
        seen = seen.filter(restricted=False)
    rows = Link.objects.filter(Q(one_id=case.pk, other__in=seen) | Q(other_id=case.pk, one__in=seen))
    found = []
    for row in rows.select_related("one", "other").order_by("made_at"):
        forward = row.one_id == case.pk
        words = _("This came out of it") if row.kind == Link.Kind.FOLLOWS and forward else row.get_kind_display()
        found.append({"link": row, "other": row.other if forward else row.one, "words": words})
    return found


@transaction.atomic
def watch(case: Case, *, by: User, batch: str = "") -> None:
    """Be told of what happens to the case. Seeing it is enough."""
    require(VIEW, case, by=by, action="relations.watch")
    _row, made = Watcher.objects.get_or_create(case_id=case.pk, user=by)
    if made:
        record("relations.watch", by=by, about=case, details={"batch": batch} if batch else {})


@transaction.atomic
def unwatch(case: Case, *, by: User, batch: str = "") -> None:
    deleted, _models = Watcher.objects.filter(case_id=case.pk, user=by).delete()
    if deleted:
        record("relations.unwatch", by=by, about=case, details={"batch": batch} if batch else {})


def watchers_of(case_id: Any) -> "QuerySet[User]":
    """Who follows the case. Whether they may still see it is asked when they are told."""
    return User.objects.filter(watched__case_id=case_id, is_active=True)
