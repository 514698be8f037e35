"""Marking a player, closing the cases that come later, and lifting the mark."""

from collections.abc import Collection, Mapping
from typing import Any, Final

from django.db import transaction
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from audit.actors import Acts, system
from audit.perform import ConditionsNotMet, perform
from audit.record import record
from cases import kinds, restricting
from cases.marks.models import ClosedCase, Named, PlayerMark
from cases.models import Case, Queue
from cases.permissions import DECIDE, VIEW, WORK, granted, may
from cases.services import require, when_opened
from compliance.people.conflicts.queries import stands_between
from compliance.people.models import Customer, User
from compliance.proposals.queries import require_second_person

LIFT: Final = "marks.lift"
BECAUSE: Final = "well_known_player"  # of restricting.RESTRICTED_BECAUSE
LIFT_REASONS: Final[Mapping[str, str | Promise]] = {
    "no_longer": gettext_lazy("The player is not well known any more, or works here no longer"),
    "mistaken": gettext_lazy("It was a mistake"),
}


def standing(customer_id: Any) -> PlayerMark | None:
    rows = PlayerMark.objects.standing().filter(customer_id=customer_id)
    found: PlayerMark | None = rows.select_related("customer", "set_by").first()
    return found


@transaction.atomic
def mark(case: Case, *, kind: str, to: Collection[User], by: User) -> PlayerMark:
    """From now on only `to` and `by` see this player's everyday cases, those to come included.

    Raises Denied (recorded) for who may not decide the case, ConditionsNotMet with words.
    """
    require(DECIDE, case, by=by, action="marks.set")
    # A case that is opened at this moment waits for us, or we see it.
    customer = Customer.objects.select_for_update(of=("self",)).get(pk=case.customer_id)
    named = {user.pk: user for user in [*to, by]}
    if kind not in PlayerMark.Kind.values:
        raise ConditionsNotMet([_("Choose a reason.")])
    if strangers := [user.name for user in named.values() if not may(user, VIEW, case)]:
        raise ConditionsNotMet([_("%(names)s may not see this case.") % {"names": ", ".join(strangers)}])
    if standing(customer.pk) is not None:
        raise ConditionsNotMet([_("The player is marked already.")])
    made = PlayerMark(customer=customer, kind=kind, set_by=by, set_at=timezone.now())
    made.save(force_insert=True)
    Named.objects.bulk_create([Named(mark=made, user=user) for user in named.values()])
    rows = Case.objects.filter(customer=customer, kind__in=kinds.everyday(), merged_into=None, restricted=False)
    closed = [_closed(made, one, by=by).number for one in rows.order_by("pk")]
    details = {"kind": kind, "users": sorted(map(str, named)), "cases": closed}
    record("marks.set", by=by, about=made, details=details)
    return made


def close_new(case: Case) -> bool:
    """A case that was opened just now is for those named, where its player is marked. Whether it is."""
    found = standing(case.customer_id) if case.kind in kinds.everyday() else None
    if found is not None:
        _closed(found, case, by=system())
    return found is not None


def lift(mark: PlayerMark, *, by: Acts, reason: str, proposal: str | None = None, maker: str = "") -> PlayerMark:
    """The team sees what the mark alone closed. Raises SecondPersonNeeded where policy asks for two."""
    with transaction.atomic():
        require_second_person(LIFT, mark, proposal=proposal)
        numbers = list(mark.closed.order_by("case__number").values_list("case__number", flat=True))
        details = {"cases": numbers, "proposal": proposal or "", "maker": maker}
        lifted: PlayerMark = perform(mark.lift, by=by, reason=reason, at=timezone.now(), details=details)
        for one in ClosedCase.objects.filter(mark=lifted).select_related("case").order_by("case_id"):
            closed = one.case
            one.delete()
            restricting.give_back(closed, by=by)
    return lifted


def _closed(mark: PlayerMark, case: Case, *, by: Acts) -> Case:
    rights = {}
    for user in User.objects.filter(pk__in=mark.named.values("user"), is_active=True).order_by("pk"):
        held = [
            right for right in (VIEW, WORK, DECIDE) if granted(user, right, Queue).filter(pk=case.queue_id).exists()
        ]
        if VIEW in held and not stands_between(user, case.audit_subject):
            rights[user] = held
    closed = restricting.close_to(case, rights, by=by, because=BECAUSE)
    ClosedCase.objects.create(mark=mark, case_id=closed.pk)
    return closed


when_opened(close_new)
