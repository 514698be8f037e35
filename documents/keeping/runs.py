"""The retention run: what no rule keeps any longer is erased. A plan is the same list, without the act."""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from audit.actors import system
from audit.models import Entry
from audit.perform import ConditionsNotMet
from audit.record import ObjectRef, record
from compliance.keys.locks import Busy
from compliance.people.models import Customer, Licensee
from compliance.policy import PolicyMissing, PolicyNotVerified
from compliance.rulebook.queries import policy_of
from documents.keeping.erasure import shred_when_due
from documents.keeping.models import Erasure, RelationshipEnd
from documents.keeping.remnants import Remnant, destroy, remnants
from documents.keeping.reports import end_reports
from documents.keeping.standing import WORDS, Outcome, Standing, longest, standing_of

RUN = "retention.run"
_LOCK = 0x4D5A_0003


@dataclass(frozen=True, slots=True)
class Plan:
    """`due` in the order in which they are erased; `others` how many customers whose relationship ended are kept, why.

    `goes_on` are those whose relationship goes on, of whom nothing is asked. `afterwards` is what the log sealed about
    erased players since, due or not. `without_period` are licensees of whom nothing is ever erased, because
    their policy says no period, with that in words.
    """

    due: list[Standing]
    others: dict[str, int]
    goes_on: int
    two_persons: dict[str, str] = field(default_factory=dict)
    afterwards: list[Remnant] = field(default_factory=list)
    without_period: dict[str, str] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """16 hex digits: equal plans have equal ones."""
        ends = [remnant.as_dict() for remnant in self.afterwards if remnant.is_due]
        text = json.dumps([[standing.as_dict() for standing in self.due], ends], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def as_dict(self) -> dict[str, Any]:
        return {
            "plan": self.digest,
            "due": [standing.as_dict() for standing in self.due],
            "kept": self.others,
            "relationship goes on": self.goes_on,
            "no period verified": self.without_period,
            "needs two persons": self.two_persons,
            "written after the erasure": [remnant.as_dict() for remnant in self.afterwards],
        }


def plan() -> Plan:
    due, others = [], Counter[str]()
    for customer in _ended():
        standing = standing_of(customer)
        if standing.is_due:
            due.append(standing)
        else:
            others[str(standing.outcome)] += 1
    goes_on = Customer.objects.filter(relationship_end=None, erasures=None).count()
    asking_two = _asking_two({standing.licensee for standing in due})
    return Plan(due, dict(sorted(others.items())), goes_on, asking_two, list(remnants()), _without_period())


def _ended() -> Iterator[Customer]:
    """Customers whose relationship ended and who are not erased yet, oldest end first."""
    rows = RelationshipEnd.objects.exclude(customer__in=Erasure.objects.values("customer"))
    for end in rows.select_related("customer__licensee").order_by("ended_on", "pk").iterator(chunk_size=500):
        yield end.customer


def _asking_two(licensees: set[str]) -> dict[str, str]:
    """Licensees whose policy wants two persons for the run: theirs are left to `keys shred`."""
    wanting = {}
    for licensee in Licensee.objects.filter(slug__in=licensees):
        today = licensee.today()
        if (need := policy_of(licensee, on=today).need_two(RUN)).two:
            wanting[licensee.slug] = need.why
    return wanting


def _without_period() -> dict[str, str]:
    every = Licensee.objects.order_by("slug")
    return {who.slug: str(WORDS[Outcome.NOT_VERIFIED]) for who in every if longest(who, who.today())[1] is None}


@dataclass(frozen=True, slots=True)
class Run:
    plan: Plan
    erased: list[str]
    failed: dict[str, str]


def run(*, say: Callable[[int, int], None] = lambda done, of: None) -> Run:
    """Carry the plan out, customer by customer, each in a transaction of its own. Killed, the next run does the rest.

    Raises Busy when another run is going on, KeyUnavailable.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [_LOCK])
        if not cursor.fetchone()[0]:
            raise Busy(Busy.__doc__)
        try:
            return _carried_out(plan(), say)
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [_LOCK])


def _carried_out(planned: Plan, say: Callable[[int, int], None]) -> Run:
    erased: list[str] = []
    failed: dict[str, str] = {}
    mine = [standing for standing in planned.due if standing.licensee not in planned.two_persons]
    for number, standing in enumerate(mine, start=1):
        try:
            shred_when_due(Customer.objects.get(pk=standing.customer))
            erased.append(standing.customer)
        except ConditionsNotMet as unmet:
            # A hold or a case that came since the plan was made.
            failed[standing.customer] = "; ".join(unmet.reasons)
        say(number, len(mine))
    for remnant in planned.afterwards:
        if remnant.is_due:
            try:
                destroy(Customer.objects.get(pk=remnant.customer))
            except ConditionsNotMet as unmet:
                failed[remnant.customer] = "; ".join(unmet.reasons)
    end_reports()
    with transaction.atomic():
        facts = {"plan": planned.digest, "due": len(planned.due), "erased": len(erased), "failed": len(failed)}
        record(RUN, by=system(), about=ObjectRef("retention", planned.digest), details=facts)
    return Run(planned, erased, failed)


def last_run() -> datetime | None:
    entry = Entry.objects.filter(action=RUN).order_by("-id").first()
    return entry.at if entry else None


def overdue() -> list[str]:
    """Licensees whose law wants a run more often than there was one, each in words."""
    last, late = last_run(), []
    for licensee in Licensee.objects.order_by("slug"):
        today = licensee.today()
        try:
            interval = policy_of(licensee, on=today).retention.destruction_interval
        except (PolicyMissing, PolicyNotVerified):
            continue
        if interval and (last is None or interval.value.after(last.date()) <= today):
            late.append(f"{licensee.slug}: the law wants a run every {interval.value} ({interval.id}).")
    return late
