"""What stands out about who looks at whom, from the log's entries of reading: told to supervisors, decided by nobody.

Counted are players, not clicks, and only those of whom the person never had a case: whoever works much looks much.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from math import ceil
from statistics import median
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone

from audit.actors import system
from audit.record import record
from cases import kinds
from cases.looking.letters import TELL
from cases.looking.models import Fact
from cases.looking.services import aml_people
from cases.models import Case
from compliance.outbox.services import post
from compliance.people.models import Customer, Membership, User
from compliance.people.queries import fold
from compliance.policy.staff import Looking, staff_rules

SHORTEST_SURNAME = 3
_LOOKS = """
SELECT DISTINCT actor_id, subject_id FROM audit_entry
WHERE log = 'main' AND action COLLATE "C" IN ('audit.read', 'people.reveal') AND at > %s
  AND actor_kind = 'staff' AND subject_kind = 'customer' AND outcome = 'done'
"""


@dataclass(frozen=True, slots=True)
class Found:
    """One thing that stands out. `usual` is the median of the others, rounded up, None where it is not compared."""

    user_id: str
    kind: str
    count: int
    usual: int | None = None
    customer_id: str | None = None


def watch(*, now: datetime | None = None) -> int:
    """Note what stands out in the last hours, each thing once a day; supervisors get a letter. How much was new."""
    now = now or timezone.now()
    rules = staff_rules(on=timezone.localdate(now)).looking
    looks = _without_own_cases(_looks(since=now - timedelta(hours=rules.window_hours)))
    found = [*_many(looks, rules), *_without_case(looks, rules), *_same_name(looks)]
    return sum(_note(one, day=timezone.localdate(now)) for one in found)


Looks = Mapping[str, set[str]]  # by sign-in, the players that it looked at


def _looks(*, since: datetime) -> Looks:
    with connection.cursor() as cursor:
        cursor.execute(_LOOKS, [since])
        rows = cursor.fetchall()
    hidden, looks = aml_people(), defaultdict(set)
    for user, customer in rows:
        if user not in hidden:
            looks[user].add(customer)
    return looks


def _without_own_cases(looks: Looks) -> Looks:
    """Players of whom the person never had a case, and proposed or decided nothing."""
    own: dict[str, set[str]] = defaultdict(set)
    rows = Case.objects.filter(assignee__in=list(looks)).values_list("assignee_id", "customer_id")
    for user, customer in rows:
        own[str(user)].add(str(customer))
    return {user: players - own[user] for user, players in looks.items()}


def _many(looks: Looks, rules: Looking) -> Iterator[Found]:
    counts = {user: len(players) for user, players in looks.items()}
    yield from _above(counts, Fact.Kind.MANY, least=rules.least_players, times=rules.times_peers)


def _without_case(looks: Looks, rules: Looking) -> Iterator[Found]:
    everybody = {UUID(player) for players in looks.values() for player in players}
    cases = Case.objects.filter(kind__in=kinds.everyday(), closed_at=None)
    busy = cases.filter(customer__in=everybody).values_list("customer_id", flat=True)
    open_now = {str(one) for one in busy}
    counts = {user: len(players - open_now) for user, players in looks.items()}
    yield from _above(counts, Fact.Kind.WITHOUT_CASE, least=rules.least_without_case, times=rules.times_peers)


def _above(counts: Mapping[str, int], kind: str, *, least: int, times: int) -> Iterator[Found]:
    """Who is at `least` and above so many times the median of the others with the same roles."""
    high = {user: count for user, count in counts.items() if count >= least}
    if not high:
        return
    roles = _roles()
    for user, count in high.items():
        mine = roles.get(user, frozenset())
        peers = [counts.get(other, 0) for other, theirs in roles.items() if other != user and theirs == mine]
        usual = ceil(median(peers)) if peers else 0
        if count > times * usual:
            yield Found(user, kind, count, usual)


def _roles() -> Mapping[str, frozenset[str]]:
    held: dict[str, set[str]] = defaultdict(set)
    for user, role in Membership.objects.filter(user__is_active=True).values_list("user_id", "role"):
        held[str(user)].add(role)
    return {user: frozenset(roles) for user, roles in held.items()}


def _same_name(looks: Looks) -> Iterator[Found]:
    names = {str(one.pk): surname(one.name) for one in User.objects.filter(pk__in=list(looks))}
    for user, players in looks.items():
        name = names.get(user, "")
        if len(name) < SHORTEST_SURNAME:
            continue
        ends = Q(name_fold__endswith=f" {name}") | Q(name_fold__contains=f" {name} ")
        for customer in Customer.objects.filter(ends, pk__in=players).values_list("pk", flat=True):
            yield Found(user, Fact.Kind.SAME_NAME, 1, None, str(customer))


def surname(name: str) -> str:
    """The last word of a name of two or more, folded; nothing for a single word."""
    words = fold(name).split()
    return words[-1] if len(words) > 1 else ""


@transaction.atomic
def _note(found: Found, *, day: date) -> bool:
    """True when it was not noted that day yet."""
    values: dict[str, Any] = {"count": found.count, "usual": found.usual}
    key = {"user_id": found.user_id, "kind": found.kind, "day": day, "customer_id": found.customer_id}
    fact, made = Fact.objects.get_or_create(**key, defaults=values)
    if made:
        details = {"kind": found.kind, "count": found.count, "usual": found.usual, "day": day}
        record("looking.notice", by=system(), about=fact, details=details)
        post(TELL, payload={"fact_id": str(fact.pk)})
    return made
