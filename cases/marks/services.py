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
from cases import restricting
from cases.marks.models import ClosedCase, Named, PlayerMark
from cases.models import Case
from cases.permissions import DECIDE, VIEW, may
from cases.services import locked, require, when_opened
from compliance.people.models import Licensee, User
from compliance.policy.schema import Need
from compliance.proposals.queries import require_second_person
from compliance.rulebook.queries import policy_of

LIFT: Final = "marks.lift"
LIFT_REASONS: Final[Mapping[str, str | Promise]] = {
    "no_longer": gettext_lazy("The player is not well known any more, or works here no longer"),
    "mistaken": gettext_lazy("It was a mistake"),
}


def need_of(mark: PlayerMark, **inputs: Any) -> Need:
    return _need(mark.customer.licensee)


def _need(licensee: Licensee) -> Need:
    return policy_of(licensee, on=licensee.today()).need_two(LIFT)


def standing(customer_id: Any) -> PlayerMark | None:
    rows = PlayerMark.objects.standing().filter(customer_id=customer_id)
    found: PlayerMark | None = rows.select_related("customer", "set_by").first()
    return found


@transaction.atomic
def mark(case: Case, *, kind: str, to: Collection[User], by: User) -> PlayerMark:
    """From now on only `to` and `by` see this player's cases of every kind, those to come included.

    Raises Denied (recorded) for who may not decide the case, ConditionsNotMet with words.
    """
    require(DECIDE, case, by=by, action="marks.set")
    # A case that is opened at this moment waits for us, or we see it.
    restricting.hold(case.customer_id)
    customer = case.customer
    named = {user.pk: user for user in [*to, by]}
    if kind not in PlayerMark.Kind.values:
        raise ConditionsNotMet([_("Choose a reason.")])
    if strangers := [user.name for user in named.values() if not may(user, VIEW, case)]:
        raise ConditionsNotMet([_("%(names)s may not see this case.") % {"names": ", ".join(strangers)}])
    if _need(case.licensee).two and len({user.human_id for user in named.values() if may(user, DECIDE, case)}) < 2:
        words = _("Who may see them: choose one more who may decide on this case. Lifting the mark takes two.")
        raise ConditionsNotMet([words])
    if standing(customer.pk) is not None:
        raise ConditionsNotMet([_("The player is marked already.")])
    made = PlayerMark(customer=customer, kind=kind, set_by=by, set_at=timezone.now())
    made.save(force_insert=True)
    Named.objects.bulk_create([Named(mark=made, user=user) for user in named.values()])
    rows = Case.objects.filter(customer=customer, merged_into=None, restricted=False)
    closed = [restricting.close_under(made, one, by=by).number for one in rows.order_by("pk")]
    details = {"kind": kind, "users": sorted(map(str, named)), "cases": closed}
    record("marks.set", by=by, about=made, details=details)
    return made


def close_new(case: Case) -> bool:
    """A case that was opened just now is for those named, where its player is marked. Whether it is."""
    found = standing(case.customer_id)
    if found is not None:
        restricting.close_under(found, case, by=system())
    return found is not None


def lift(mark: PlayerMark, *, by: Acts, reason: str, proposal: str | None = None, maker: str = "") -> PlayerMark:
    """The team sees what the mark alone closed. Raises SecondPersonNeeded where policy asks for two."""
    with transaction.atomic():
        # What is opened at this moment under the mark is seen below, or finds no mark.
        restricting.hold(mark.customer_id)
        require_second_person(LIFT, mark, proposal=proposal)
        numbers = list(mark.closed.order_by("case__number").values_list("case__number", flat=True))
        details = {"cases": numbers, "proposal": proposal or "", "maker": maker}
        lifted: PlayerMark = perform(mark.lift, by=by, reason=reason, at=timezone.now(), details=details)
        for one in ClosedCase.objects.filter(mark=lifted).select_related("case").order_by("case_id"):
            closed = one.case
            one.delete()
            # It alone: of what was merged with it, the mark closed each or not.
            restricting.give_back([locked(closed)], by=by)
    return lifted


when_opened(close_new)
