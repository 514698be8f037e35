"""Whom a campaign chooses, by what everybody who works on verifications may know of a player.

Nothing of the AML side is asked, so that nobody is in a campaign, or missing from it, for what it knows. Who is kept
out of play, is closed to protect somebody, or is being looked at already is not asked: nobody says which of these.
"""

from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from django.db.models import Exists, F, Max, OuterRef, Q, QuerySet
from django.utils import timezone

from cases.marks.models import PlayerMark
from cases.models import Case, Evidence
from cases.quality.models import SecondLook
from cases.types.verification import holds
from cases.types.verification.models import KIND, Outcome
from compliance.people.conflicts.queries import declared_by
from compliance.people.exclusions.models import Exclusion
from compliance.people.models import Account, Customer, Licensee, Restriction
from compliance.rulebook.queries import policy_of


@dataclass(frozen=True, slots=True)
class Choice:
    """All that is said must hold; what is empty asks nothing. `verified_before`: never approved here counts as before.
    `papers_until`: an accepted paper is good until this day at the latest.
    """

    levels: tuple[str, ...] = ()
    risks: tuple[str, ...] = ()
    verified_before: date | None = None
    papers_until: date | None = None

    def plain(self) -> dict[str, Any]:
        """As JSON."""
        facts = asdict(self)
        return {name: value.isoformat() if isinstance(value, date) else value for name, value in facts.items()}

    @classmethod
    def loaded(cls, plain: dict[str, Any]) -> "Choice":
        days = {name: date.fromisoformat(plain[name]) if plain[name] else None for name in _DAYS}
        return cls(tuple(plain["levels"]), tuple(plain["risks"]), **days)


_DAYS = ("verified_before", "papers_until")


def levels_of(licensee: Licensee) -> list[str]:
    """Levels that somebody was verified to: all but the first, which asks for nothing."""
    return list(policy_of(licensee, on=licensee.today()).verification.levels)[1:]


def chosen(licensee: Licensee, choice: Choice) -> QuerySet[Customer]:
    """Verified players to whom the choice fits, askable or not; `verified_at` says when last, None: elsewhere."""
    approved = Q(cases__kind=KIND, cases__outcome=Outcome.APPROVED)
    rows = Customer.objects.filter(
        Exists(Account.objects.filter(customer=OuterRef("pk"), released_at=None)), licensee=licensee, erased_at=None
    )
    rows = rows.filter(level__in=choice.levels or levels_of(licensee))
    if choice.risks:
        rows = rows.filter(risk__in=choice.risks)
    if choice.papers_until:
        papers = Evidence.objects.filter(case__customer=OuterRef("pk"), case__kind=KIND, state="accepted")
        rows = rows.filter(Exists(papers.filter(good_until__lte=choice.papers_until)))
    rows = rows.annotate(verified_at=Max("cases__closed_at", filter=approved))
    if choice.verified_before:
        start = licensee.day_starts(choice.verified_before)
        rows = rows.filter(Q(verified_at=None) | Q(verified_at__lt=start))
    return rows


def askable(rows: QuerySet[Customer]) -> QuerySet[Customer]:
    """Those of them who can be asked now, the longest ago first."""
    kept_out = Exclusion.objects.live().filter(person=OuterRef("person_id"))
    running = Case.objects.filter(kind=KIND, customer=OuterRef("pk"), closed_at=None, merged_into=None)
    closed = Restriction.objects.filter(
        Q(customer=OuterRef("pk")) | Q(person=OuterRef("person_id")),
        Q(until=None) | Q(until__gt=timezone.now()),
        source=holds.SOURCE,
        cover_code=holds.CLOSED,
        lifted_at=None,
    )
    asked = rows.filter(~Exists(kept_out), ~Exists(running), ~Exists(closed))
    return asked.order_by(F("verified_at").asc(nulls_first=True), "pk")


def nameable(rows: QuerySet[Customer], user: Any) -> QuerySet[Customer]:
    """Those of them whom this person may be shown: nobody whom they know, whose case they look at again, or whose
    cases are for others.
    """
    known = declared_by(user).values("customer_id")
    blind = SecondLook.objects.held_by(user).values("case__customer_id")
    for_others = PlayerMark.objects.standing().exclude(named__user=user).values("customer_id")
    return rows.exclude(pk__in=known).exclude(pk__in=blind).exclude(pk__in=for_others)


def may_be_asked(customer: Customer) -> bool:
    """The same of one player, when it is their turn."""
    return askable(Customer.objects.filter(pk=customer.pk).annotate(verified_at=Max("cases__closed_at"))).exists()
