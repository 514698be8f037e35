"""How an excluded person is known again: by keyed digests that survive the erasure of all that they were made of.

A new account whose national id, e-mail, phone, or name and day of birth agree with those of somebody who is kept out is
stopped in the transaction that opens it. Two persons may clear it; nobody is told whom it resembles.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef

from audit.actors import Acts, system
from audit.perform import perform
from audit.record import record
from compliance.keys.services import IndexPurpose, blind_index
from compliance.outbox.services import post
from compliance.people.exclusions.clock import now
from compliance.people.exclusions.models import LIVE, Duplicate, DuplicateState, Exclusion, Suppressed
from compliance.people.models import Customer, Person, RiskFact
from compliance.people.queries import fold
from compliance.people.restrictions import effects_of, lift, restrict
from compliance.people.risk import end as end_fact
from compliance.people.risk import learn

SOURCE, CODE = "gaming", "routine_check"
MET_AGAIN = "excluded_person_met_again"
SHARED = frozenset({"device"})
MET_STATES = (DuplicateState.OPEN, DuplicateState.CONFIRMED)
MET = "people.met_again"  # the outbox row of a player who came to resemble somebody who is kept out, or does no longer
AT_ONCE = 200

Digests = Mapping[str, bytes]


def digests_of(
    *,
    full_name: str = "",
    birth_date: date | None = None,
    national_id: str = "",
    emails: Iterable[str] = (),
    phones: Iterable[str] = (),
) -> list[tuple[str, bytes]]:
    """What a person is known by, as pairs of name and digest. Contacts and number in their normal spelling."""
    plain: list[tuple[str, str]] = []
    if full_name and birth_date:
        # The words of a name in any order.
        plain.append(("name_birth", f"{' '.join(sorted(fold(full_name).split()))}|{birth_date.isoformat()}"))
    if national_id:
        plain.append(("national_id", national_id))
    plain += [("email", _mailbox(email)) for email in emails if email]
    plain += [("phone", phone) for phone in phones if phone]
    return sorted({(what, blind_index(IndexPurpose.SUPPRESSION, f"{what}|{text}")) for what, text in plain})


def _mailbox(email: str) -> str:
    """The mailbox behind an address: what follows a plus sign is the owner's own label."""
    local, _at, domain = email.rpartition("@")
    return f"{local.partition('+')[0]}@{domain}"


def remember(person: Person | Any, digests: Iterable[tuple[str, bytes]]) -> None:
    rows = [Suppressed(person=person, what=what, digest=digest) for what, digest in digests]
    Suppressed.objects.bulk_create(rows, ignore_conflicts=True)


def resembled(digests: Iterable[tuple[str, bytes]], *, but: Any) -> dict[Any, list[str]]:
    """Persons who are kept out and agree in something, `but` themselves: what agrees, by the person's id."""
    wanted = list(digests)
    rows = Suppressed.objects.filter(digest__in=[digest for _what, digest in wanted]).exclude(person_id=but)
    live = Exclusion.objects.filter(state__in=LIVE).values("person_id")
    found: dict[Any, set[str]] = {}
    for person_id, what in rows.filter(person_id__in=live).values_list("person_id", "what"):
        found.setdefault(person_id, set()).add(what)
    return {person_id: sorted(what) for person_id, what in found.items()}


def meet(customer: Customer, digests: list[tuple[str, bytes]], *, by: Acts) -> list[Duplicate]:
    """A player came, or came with something new: stop whoever resembles a person who is kept out, at once.

    What an excluded person brings themselves is remembered too.
    """
    if Exclusion.objects.of(customer.person_id).exists():
        remember(Person(pk=customer.person_id), digests)
    return [
        made
        for person_id, what in sorted(resembled(digests, but=customer.person_id).items(), key=str)
        if (made := stop(customer, person_id, what, by=by)) is not None
    ]


@transaction.atomic
def stop(customer: Customer, person_id: Any, what: list[str], *, by: Acts) -> Duplicate | None:
    """Stop a probable duplicate; None where the pair is stopped already, or was cleared on all of this."""
    agreed = _to_look_at(customer, person_id, what, by=by)
    if not agreed:
        return None
    strongest = Exclusion.objects.of(person_id).select_related("restriction")
    stops = {effect for exclusion in strongest for effect in effects_of(exclusion.restriction)}
    try:
        with transaction.atomic():
            row = restrict(customer, stops=stops, cover_code=CODE, source=SOURCE, by=by, starts_at=now())
            duplicate = Duplicate(person_id=person_id, customer=customer, restriction=row, by=agreed)
            duplicate.save(force_insert=True)
    except IntegrityError:
        # Another process stopped this pair a moment ago. For any other cause the whole act falls.
        if _to_look_at(customer, person_id, what, by=by):
            raise
        return None
    learn(customer, MET_AGAIN, source=SOURCE, known_on=customer.licensee.today(), by=by)
    post(MET, payload={"customer_id": str(customer.pk)})
    record("duplicate.find", by=by, about=duplicate, details={"by": agreed, "restriction": row.pk})
    return duplicate


def _to_look_at(customer: Customer, person_id: Any, what: list[str], *, by: Acts) -> list[str]:
    """All that the pair agrees in, where it has to be stopped now; else nothing.

    What agrees anew is added to what is open, so that nobody clears more than they saw. Whoever was cleared on less is
    to be looked at again, but not for a device: a household has one.
    """
    pair = Duplicate.objects.filter(person_id=person_id, customer=customer).exclude(state=DuplicateState.OVER)
    if set(what) <= _named(pair):
        return []
    rows = list(pair.select_for_update(of=("self",)).order_by("found_at", "pk"))
    seen = _named(rows)
    agreed = sorted(seen | set(what))
    standing = [row for row in rows if row.state != DuplicateState.CLEARED]
    for row in standing:
        _grow(row, agreed, by=by)
    return agreed if not standing and (not rows or set(what) - seen - SHARED) else []


def _named(rows: Iterable[Duplicate]) -> set[str]:
    return {what for row in rows for what in row.by}


def _grow(duplicate: Duplicate, agreed: list[str], *, by: Acts) -> None:
    """Who is confirmed as the same person is kept out in their own right: nothing is left to look at."""
    if duplicate.state == DuplicateState.OPEN:
        Duplicate.objects.filter(pk=duplicate.pk).update(by=agreed)
        details = {"by": agreed, "restriction": duplicate.restriction_id}
        record("duplicate.find", by=by, about=duplicate, details=details)


def forget_where_nobody_is_met(customer: Customer, *, by: Acts, reason: str) -> None:
    """The player resembles nobody any more who is kept out: what was learned of it holds no longer. Of two likenesses
    that end at once the second one sees that the first is over.
    """
    Customer.objects.select_for_update(of=("self",)).get(pk=customer.pk)
    post(MET, payload={"customer_id": str(customer.pk)})
    if Duplicate.objects.filter(customer=customer, state__in=MET_STATES).exists():
        return
    for fact in RiskFact.objects.filter(customer=customer, code=MET_AGAIN, source=SOURCE, ended_at=None):
        end_fact(fact, by=by, reason=reason)


def release_where_nobody_is_out(person_id: Any) -> None:
    """The person is kept out no more: what was remembered goes, and whoever resembled them is free."""
    if Exclusion.objects.of(person_id).exists():
        return
    Suppressed.objects.filter(person_id=person_id).delete()
    standing = Duplicate.objects.filter(person_id=person_id, state__in=["open", "confirmed"])
    free: dict[Any, Customer] = {}
    for duplicate in standing.order_by("found_at", "pk"):
        done = perform(duplicate.lapse, by=system(), at=now())
        lift(done.restriction, by=system(), reason="nobody_is_out")
        free[done.customer_id] = done.customer
    for pk in sorted(free):  # in one order, as each is locked
        forget_where_nobody_is_met(free[pk], by=system(), reason="nobody_is_out")


def forget_stale() -> int:
    """End what was learned of players who resemble nobody any more: of likenesses that were over before it was ended
    with them. How many players; each in a transaction of its own, the next sweep takes the rest.
    """
    met = Duplicate.objects.filter(customer=OuterRef("customer"), state__in=MET_STATES)
    over = Duplicate.objects.exclude(state__in=MET_STATES).values("customer")  # few, where facts of risk are many
    facts = RiskFact.objects.filter(~Exists(met), customer__in=over, code=MET_AGAIN, source=SOURCE, ended_at=None)
    stale = Customer.objects.filter(pk__in=facts.values("customer")).order_by("pk")[:AT_ONCE]
    for customer in stale:
        with transaction.atomic():
            forget_where_nobody_is_met(customer, by=system(), reason="nobody_is_met")
    return len(stale)
