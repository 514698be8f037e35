"""Stop play now: one act by one person, never waits. Lifting it weakens a protection: two persons, and time.

The stop reaches the customer, so all their accounts at the licensee; what was won can still be withdrawn. Other kinds
of restriction are lifted by the kind of case that set them, never here.
"""

import hashlib
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from audit.actors import Acts
from audit.perform import ConditionsNotMet
from cases.caseless import get_player, players_of, without_case
from cases.models import Case
from cases.permissions import DECIDE, VIEW, WORK
from cases.services import require
from compliance import formats
from compliance.people import restrictions
from compliance.people.models import Customer, Restriction
from compliance.people.sameness import services as sameness
from compliance.people.services import restrict
from compliance.policy.schema import Need
from compliance.proposals import acts
from compliance.proposals.queries import require_second_person
from compliance.rulebook.queries import policy_of

SOURCE, PUBLIC_CODE, MARKETING_CODE = "protection", "play_stopped", "marketing_off"
STOPS = ("play", "deposit", "marketing")
# What was carried from another record of the same person is lifted here too, once its origin or the link is over.
LIFTABLE = (SOURCE, sameness.SOURCE)
LIFT = "people.lift_restriction"
# Operator default (practice.md: weakening acts need two persons and time). It can be proposed at once, not confirmed.
EARLIEST_LIFT = timedelta(hours=24)
SECOND_CLICK = timedelta(minutes=1)

STOP_REASONS: dict[str, str | Promise] = {
    "player_asked": _("The player asked for it"),
    "signs_of_harm": _("Signs of harm: losses, distress, play that got out of hand"),
    "third_party_asked": _("Somebody else asked for it"),
    "not_the_player": _("Somebody else may be playing, or the player may be under age"),
}
LIFT_REASONS: dict[str, str | Promise] = {
    "mistaken": _("It was set by mistake or on the wrong player"),
    "cause_gone": _("What led to it was looked into and is settled"),
}
EFFECTS: dict[str, str | Promise] = {
    "sign_in": _("Sign-in"),
    "deposit": _("Deposits"),
    "play": _("Play"),
    "withdraw": _("Withdrawals"),
    "marketing": _("Marketing"),
}


@transaction.atomic
def stop_play(case: Case, *, by: Acts, reason: str) -> Restriction:
    """Stop play, deposits and marketing of the case's player, at once and without an end. A second click is the same
    act; asked for again later, it is a stop of its own, so that a lift that was proposed meanwhile does not undo it.
    """
    require(WORK, case, by=by, action="people.restrict")
    return _stop(case.customer_id, by=by, reason=reason, matter=case.number)


@transaction.atomic
def stop_player(customer: Customer, *, by: Acts, reason: str) -> Restriction:
    """The same for a player who is reached without a case: whoever works at the licensee may."""
    player = get_player(customer.pk, user=by)
    return _stop(player.pk, by=by, reason=reason, matter=None)


def _stop(customer_id: UUID, *, by: Acts, reason: str, matter: str | None) -> Restriction:
    if reason not in STOP_REASONS:
        raise ConditionsNotMet([str(_("Choose a reason."))])
    customer = Customer.objects.select_for_update(of=("self",)).get(pk=customer_id)
    rows = restrictions.in_force(customer).filter(source=SOURCE, customer=customer).select_for_update(of=("self",))
    running = rows.last()
    if running is not None and running.starts_at > timezone.now() - SECOND_CLICK:
        return running
    return restrict(customer, stops=STOPS, cover_code=PUBLIC_CODE, source=SOURCE, by=by, reason=reason, matter=matter)


@transaction.atomic
def stop_by_rule(
    customer: Customer, *, stops: Iterable[str], cover_code: str, by: Acts, since: datetime, matter: str | None = None
) -> Restriction:
    """What a rule stops by itself, at once and without an end. What was laid down by this act from `since` on (when the
    rule called for it) and stops as much is enough; what is older may be about to be lifted for another cause. It is
    lifted as the rest, by two persons, and its entry names no cause: that is kept where it may be read.
    """
    asked = set(stops)
    customer = Customer.objects.select_for_update(of=("self",)).get(pk=customer.pk)
    rows = restrictions.in_force(customer).filter(source=SOURCE, customer=customer, until=None, starts_at__gte=since)
    for row in rows:
        if asked <= set(restrictions.effects_of(row)):
            return row
    return restrict(customer, stops=asked, cover_code=cover_code, source=SOURCE, by=by, matter=matter)


@transaction.atomic
def lift(
    restriction: Restriction, *, by: Acts, reason: str, proposal: str | None = None, maker: str | None = None
) -> Restriction:
    """Allow play again. Runs when a second person confirms."""
    require_second_person(LIFT, restriction, proposal=proposal)
    if missing := [*_follows(restriction), *filter(None, [too_early(restriction, now=timezone.now())])]:
        raise ConditionsNotMet(missing)
    about = {name: value for name, value in (("proposal", proposal), ("maker", maker)) if value}
    seen = _case_of(restriction, by)
    return restrictions.lift(restriction, by=by, reason=reason, matter=seen.number if seen else None, **about)


def restrictions_shown(case: Case) -> list[dict[str, Any]]:
    """What holds the player back, for the case page: effects, since, until, and where to propose its end.

    Never who or what set it: a restriction of the AML side must look like a routine one.
    """
    rows = restrictions.in_force(case.customer, account=case.account)
    return [
        {
            "row": row,
            "stops": [EFFECTS[effect] for effect in restrictions.effects_of(row)],
            "title": TITLES.get(row.cover_code, _("Routine check")),
            "lift_url": reverse("cases:lift", args=[case.number, row.pk]) if is_ours(row) else "",
        }
        for row in rows
    ]


def stops_of(customer: Customer) -> "QuerySet[Restriction]":
    """What stands by this act, wherever it was done, and can be proposed to end."""
    return restrictions.in_force(customer).filter(source__in=LIFTABLE, customer=customer)


TITLES: dict[str, str | Promise] = {
    PUBLIC_CODE: _("Play stopped"),
    MARKETING_CODE: _("Marketing stopped"),
    "self_excluded": _("Self-excluded"),
    "time_out": _("Time-out"),
    "verification_needed": _("Verification needed"),
    "account_closed": _("Account stopped"),
}


def is_ours(restriction: Restriction) -> bool:
    return restriction.source in LIFTABLE and restriction.customer_id is not None


def too_early(restriction: Restriction, *, now: datetime) -> str:
    """Why it cannot be lifted yet, in words; "" when it can."""
    earliest = restriction.starts_at + EARLIEST_LIFT
    if now >= earliest:
        return ""
    return str(_("It can be lifted from %(moment)s on: time is part of the protection.")) % {
        "moment": formats.full_moment(earliest)
    }


# ------------------------------------------------------------------------------------------- lifting, as a heavy act
def _load(pk: UUID) -> Restriction:
    rows = Restriction.objects.select_for_update(of=("self",)).select_related("customer__licensee")
    return rows.get(pk=pk, source__in=LIFTABLE, customer__isnull=False)


def _digest(restriction: Restriction) -> bytes:
    facts = (restriction.pk, restriction.lifted_at, restriction.until, restrictions.effects_of(restriction))
    return hashlib.sha256(repr(facts).encode()).digest()


def _cases(user: Any, permission: str) -> "QuerySet[Case]":
    return Case.objects.allowed_to(user, permission)


def _of(user: Any, permission: str) -> "QuerySet[Restriction]":
    """Those of players whose case this person holds the permission on; of a player without any, at their licensee."""
    customers = _cases(user, permission).order_by().values("customer_id")
    reach = Q(customer_id__in=customers) | without_case(user, permission)
    return Restriction.objects.filter(reach, source__in=LIFTABLE, customer__isnull=False)


def may_propose_lift(restriction: Restriction, user: Any) -> bool:
    """Whoever may stop the player may propose it: a case that is hidden from them makes no
    difference that they could see. Only deciding asks for a right on the case.
    """
    if is_ours(restriction) and players_of(user).filter(pk=_customer(restriction).pk).exists():
        return True
    return _of(user, WORK).filter(pk=restriction.pk).exists()


def _may_confirm(restriction: Restriction, user: Any) -> bool:
    return _of(user, DECIDE).filter(pk=restriction.pk).exists()


def _sees(restriction: Restriction, user: Any) -> bool:
    return _of(user, VIEW).filter(pk=restriction.pk).exists()


def _visible(user: Any) -> Any:
    return _of(user, DECIDE).values_list("pk", flat=True)


def _need(restriction: Restriction) -> Need:
    licensee = _customer(restriction).licensee
    return policy_of(licensee, on=licensee.today()).need_two(LIFT)


def _customer(restriction: Restriction) -> Customer:
    if restriction.customer is None:
        raise ValueError("A restriction of the protection reaches a customer.")
    return restriction.customer


def _case_of(restriction: Restriction, user: Any) -> Case | None:
    """The newest case of the player that this person may decide, or at least work on: never the number of another."""
    cases = _cases(user, DECIDE) | _cases(user, WORK)
    return cases.filter(customer=_customer(restriction)).order_by("-opened_at", "id").first()


def _names_deciders(restriction: Restriction, user: Any) -> bool:
    """Only in a case that this person sees: elsewhere who may decide would tell whether there is one."""
    return _case_of(restriction, user) is not None


def _address(restriction: Restriction, user: Any) -> str:
    if case := _case_of(restriction, user):
        return reverse("cases:case", args=[case.number])
    if players_of(user).filter(pk=_customer(restriction).pk).exists():
        return reverse("cases:stop-player", args=[restriction.customer_id])
    return reverse("proposals:list")


def _unmet(restriction: Restriction) -> list[str]:
    return [str(_("It was lifted already."))] if restriction.lifted_at else _follows(restriction)


def _follows(restriction: Restriction) -> list[str]:
    """What was carried from a player who is linked ends with what it was carried from, never before."""
    words = _("It follows what stops the same person in another record: lift that, and this ends with it.")
    return [str(words)] if sameness.still_follows(restriction) else []


def _facts(restriction: Restriction) -> list[tuple[str | Promise, str | Promise]]:
    stops = ", ".join(str(EFFECTS[effect]) for effect in restrictions.effects_of(restriction))
    return [
        (_("Player"), ", ".join(account.reference for account in restrictions.accounts_reached(restriction))),
        (_("Stopped"), stops),
        (_("Since"), formats.full_moment(restriction.starts_at)),
        *([(_("Not yet"), early)] if (early := too_early(restriction, now=timezone.now())) else []),
    ]


acts.register(
    acts.Act(
        name=LIFT,
        title=_("Let the player play again"),
        run=lift,
        load=_load,
        digest=_digest,
        may_propose=may_propose_lift,
        may_confirm=_may_confirm,
        sees=_sees,
        names=_names_deciders,
        visible=_visible,
        need=_need,
        unmet=_unmet,
        facts=_facts,
        reason_text=lambda code: LIFT_REASONS.get(code, code),
        consequence=lambda restriction: _("Play, deposits and marketing are allowed again at once."),
        subject_url=lambda restriction: reverse("proposals:list"),
        url_for=_address,
    )
)
