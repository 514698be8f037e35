"""Restricting a case to persons named: for everybody else it does not exist. Opening it again gives it to its team.

Whoever restricts it is one of them, so that nobody locks a matter away from themselves by mistake. What was merged into
the case goes with it, with the same grants: its history is part of the same matter. A grant goes with the role that
bears it (`leaving.py`); where nobody is left, the nightly check of rights says so and `name_person` is the way out.
"""

from collections.abc import Collection, Mapping
from typing import Any, Final

from django.db import transaction
from django.db.models import Q
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from guardian.shortcuts import assign_perm

from audit.actors import Acts, System
from audit.perform import ConditionsNotMet
from audit.record import record
from cases.happenings import tell
from cases.marks.models import ClosedCase, Named, PlayerMark
from cases.models import Case, CaseGroupPermission, CaseUserPermission, Queue
from cases.permissions import DECIDE, VIEW, WORK, granted, may
from cases.services import give, locked, require
from compliance.people.conflicts.queries import stands_between
from compliance.people.models import Customer, User

WELL_KNOWN: Final = "well_known_player"
RESTRICTED_BECAUSE: Final[Mapping[str, str | Promise]] = {
    WELL_KNOWN: gettext_lazy("The player is well known or works here"),
    "sensitive": gettext_lazy("The matter is sensitive"),
    "conflict": gettext_lazy("Several of the team know the player"),
    "legal": gettext_lazy("A court or an authority asked for it"),
}


@transaction.atomic
def restrict(case: Case, *, to: Collection[User], by: User, because: str) -> Case:
    """Only `to` and whoever restricts it see the case from now on, each with the rights they had on it."""
    require(DECIDE, case, by=by, action="cases.restrict")
    hold(case.customer_id)
    halves = _halves(case)
    case = halves[0]
    if because not in RESTRICTED_BECAUSE:
        raise ConditionsNotMet([_("Choose a reason.")])
    named = {user.pk: user for user in [*to, by]}
    rights = {user: [right for right in (VIEW, WORK, DECIDE) if may(user, right, case)] for user in named.values()}
    if strangers := [user.name for user, held in rights.items() if VIEW not in held]:
        raise ConditionsNotMet([_("%(names)s may not see this case.") % {"names": ", ".join(strangers)}])
    # From here on it is restricted for a reason of its own, whatever becomes of the player's mark.
    ClosedCase.objects.filter(case__in=halves).delete()
    return _close(halves, rights, by=by, because=because)


@transaction.atomic
def close_under(mark: PlayerMark, case: Case, *, by: Acts) -> Case:
    """Restrict it to those whom its player's mark names, each with the rights of their own roles."""
    rights: dict[User, list[str]] = {}
    for user in User.objects.filter(pk__in=mark.named.values("user"), is_active=True).order_by("pk"):
        held = _by_role(user, case)
        if VIEW in held and not stands_between(user, case.audit_subject):
            rights[user] = held
    halves = _halves(case)
    ClosedCase.objects.bulk_create([ClosedCase(mark=mark, case_id=half.pk) for half in halves], ignore_conflicts=True)
    return _close(halves, rights, by=by, because=WELL_KNOWN)


def hold(customer_id: Any) -> None:
    """Until the transaction ends nobody marks the player, lifts the mark, or opens or restricts a case of theirs.

    The cases first: whoever moves one on locks it and then, where it comes to that, the player.
    """
    list(Case.objects.select_for_update(of=("self",)).filter(customer_id=customer_id).order_by("pk"))
    Customer.objects.select_for_update(of=("self",), no_key=True).get(pk=customer_id)


def _close(halves: list[Any], rights: Mapping[User, Collection[str]], *, by: Acts, because: str) -> Case:
    case: Case = halves[0]
    named = {user.pk for user in rights}
    users = sorted(map(str, named))
    for half in halves:
        _clear(half)
        for user, held in rights.items():
            for right in held:
                assign_perm(right, user, _plain(half))
        _set(half, restricted=True)
        if half.assignee is not None and half.assignee_id not in named:
            give(half, None, by=by)
        record("cases.restrict", by=by, about=half, reason=because, details={"users": users, "restricted": True})
    tell(case, "restricted", by=by)
    return case


@transaction.atomic
def unrestrict(case: Case, *, by: User) -> Case:
    """The team sees it again; where its player is marked, those whom the mark names, and nobody else.

    ConditionsNotMet for a case that the mark closes: then all of theirs open, or none.
    """
    require(DECIDE, case, by=by, action="cases.unrestrict")
    hold(case.customer_id)
    if ClosedCase.objects.filter(case_id=case.pk).exists():
        raise ConditionsNotMet([_("The player is marked: lift the mark.")])
    mark, halves = PlayerMark.objects.standing().filter(customer_id=case.customer_id).first(), _halves(case)
    if mark is not None and halves[0].restricted:
        return close_under(mark, case, by=by)
    return give_back(halves, by=by)


def give_back(halves: list[Case], *, by: Acts) -> Case:
    """These to their team, fresh and locked, the first with what was merged into it. Whether one may was asked."""
    case, opened = halves[0], [half for half in halves if half.restricted]
    for half in opened:
        _clear(half)
        _set(half, restricted=False)
        record("cases.unrestrict", by=by, about=half, details={"restricted": False})
    if opened:
        tell(case, "restricted", by=by)
    return case


@transaction.atomic
def name_person(case: Case, user: User, *, by: System) -> Case:
    """From the machine, where nobody named is left: this person sees it too, with the rights of their own roles.

    Where the player's mark closes it, what is opened later is for them too.
    """
    hold(case.customer_id)
    halves = [half for half in _halves(case) if half.restricted]
    if not halves:
        raise ConditionsNotMet([_("The case is not restricted: its team sees it.")])
    held = _by_role(user, case)
    if VIEW not in held or not user.is_active or stands_between(user, case.audit_subject):
        raise ConditionsNotMet([_("%(names)s may not see this case.") % {"names": user.name}])
    for half in halves:
        for right in held:
            assign_perm(right, user, _plain(half))
        record("cases.name_person", by=by, about=half, details={"users": [str(user.pk)], "restricted": True})
    for mark in PlayerMark.objects.filter(closed__case__in=halves).distinct():
        _named, fresh = Named.objects.get_or_create(mark=mark, user=user)
        if fresh:
            record("marks.name", by=by, about=mark, details={"users": [str(user.pk)]})
    tell(case, "restricted", by=by)
    return case


def _by_role(user: User, case: Case) -> list[str]:
    return [right for right in (VIEW, WORK, DECIDE) if granted(user, right, Queue).filter(pk=case.queue_id).exists()]


def _halves(case: Case) -> list[Any]:
    """The case, of its own kind, and what was merged into it: all fresh and locked."""
    rows = Case.objects.select_for_update(of=("self",)).filter(Q(pk=case.pk) | Q(merged_into_id=case.pk)).order_by("pk")
    list(rows)  # in the order in which merging locks; once it holds them nothing is merged into the case any more
    return [locked(case), *(half for half in rows.all() if half.pk != case.pk)]


def _set(case: Case, *, restricted: bool) -> None:
    case.restricted = restricted
    case.version += 1
    case.save(update_fields=["restricted", "version"])


def _clear(case: Case) -> None:
    CaseUserPermission.objects.filter(content_object_id=case.pk).delete()
    CaseGroupPermission.objects.filter(content_object_id=case.pk).delete()


def _plain(case: Case) -> Any:
    """Grants hang on the table of cases, not on the proxy of a kind."""
    return Case.objects.get(pk=case.pk)
