"""Life of an exclusion: started by anybody at once -> kept -> ended by its policy, or by a return that two accept.

Whoever is behind these doors was asked above (cases.types.gaming): rights on the case, the policy of the licensee, two
persons. What would end one early is refused by the database, whoever asks.
"""

from contextlib import suppress
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Now

from audit.actors import Acts, system
from audit.perform import ConditionsNotMet, WrongState, perform
from audit.record import record
from compliance.people import restrictions
from compliance.people.exclusions import clock, ledger, suppression
from compliance.people.exclusions.carrying import carry
from compliance.people.exclusions.models import AskedBy, Duplicate, Exclusion, Kind
from compliance.people.exclusions.terms import needed, reflecting, stopped_by, terms_of
from compliance.people.models import Account, Customer, Person, Restriction
from compliance.people.permissions import require_active
from compliance.people.sameness.services import circle, stop_found
from compliance.people.services import known_of
from compliance.policy import Policy
from compliance.policy.records import Period

SOURCE = suppression.SOURCE
CODES = {Kind.TIME_OUT: "time_out", Kind.SELF_EXCLUSION: "self_excluded"}
MARKETING = "marketing_off"


@transaction.atomic
def start(
    customer: Customer,
    *,
    policy: Policy,
    kind: str,
    period: Period | None,
    asked_by: str,
    by: Acts,
    scope: str = "",
    matter: str = "",
) -> Exclusion:
    """Keep the person out, at once, everywhere the scope reaches. One person is enough, or nobody.

    `period` None: without an end. Raises ConditionsNotMet, which names what the policy offers.
    """
    require_active(by, action="exclusion.start", about=customer)
    rules = policy.exclusions
    # Whoever joins two records of this person, or starts another one, waits.
    person = Person.objects.select_for_update().get(pk=customer.person_id)
    running = Exclusion.objects.of(person.pk).filter(kind=Kind.SELF_EXCLUSION).exists()
    at = clock.now()
    terms = terms_of(
        rules,
        kind=kind,
        period=period,
        third_party=asked_by == AskedBy.THIRD_PARTY,
        running=running,
        licensee=customer.licensee,
        start=at,
    )
    scopes = needed(rules, "scopes")
    scope = scope or scopes[0]
    if scope not in scopes:
        raise ConditionsNotMet([f"scope: {', '.join(scopes)}."])
    row = restrictions.restrict(
        person if scope == "group" else customer,
        stops=stopped_by(rules),
        cover_code=CODES[Kind(kind)],
        source=SOURCE,
        by=by,
        starts_at=at,
        matter=matter or None,
    )
    exclusion = Exclusion(
        person=person,
        customer=customer,
        licensee=customer.licensee,
        restriction=row,
        kind=kind,
        asked_by=asked_by,
        scope=scope,
        starts_at=at,
        term_ends_at=terms.term_ends_at,
        ends_at=terms.ends_at,
        return_from=terms.return_from,
        policy_version=policy.version,
        matter=matter,
    )
    exclusion.save(force_insert=True)
    suppression.remember(person, known_by(person))
    record("exclusion.start", by=by, about=exclusion, details=_facts(exclusion))
    ledger.write(exclusion, "started")
    _carry_to_linked(exclusion, by=by)
    stop_resembling(person, by=by)
    stop_found(person.pk)
    return exclusion


def _carry_to_linked(exclusion: Exclusion, *, by: Acts) -> None:
    """Players of whom two persons found that they are this one are kept out too."""
    own = Customer.objects.filter(person_id=exclusion.person_id, erased_at=None)
    if exclusion.scope != "group":
        own = own.filter(licensee_id=exclusion.licensee_id)
    for customer in own.order_by("pk"):
        for other in circle(customer):
            if other.person_id != exclusion.person_id:
                carry(exclusion.person_id, other.person_id, by=by, customer=other)


def _facts(exclusion: Exclusion) -> dict[str, Any]:
    names = ("kind", "asked_by", "scope", "starts_at", "term_ends_at", "ends_at", "return_from")
    facts = {name: getattr(exclusion, name) for name in names}
    facts |= {"policy": exclusion.policy_version, "restriction": exclusion.restriction_id}
    return {name: found for name, found in facts.items() if found is not None}


def known_by(person: Person) -> list[tuple[str, bytes]]:
    """Everything by which this person is known at any licensee, as keyed digests."""
    digests: list[tuple[str, bytes]] = []
    for customer in Customer.objects.filter(person=person, erased_at=None).order_by("created_at", "pk"):
        digests += digests_of_customer(customer)
    return digests


def digests_of_customer(customer: Customer) -> list[tuple[str, bytes]]:
    accounts = list(Account.objects.filter(customer=customer, released_at=None))
    return suppression.digests_of(
        full_name=customer.full_name,
        birth_date=customer.birth_date,
        national_id=known_of(customer, "national_id"),
        emails=[known_of(account, "email") for account in accounts],
        phones=[known_of(account, "phone") for account in accounts],
    )


def stop_resembling(person: Person, *, by: Acts) -> list[Duplicate]:
    """Players who were here before and resemble the person are stopped too, until two persons clear them."""
    own = Customer.objects.filter(person=person, erased_at=None)
    accounts = Account.objects.filter(customer__in=own)
    same = Q(pk__in=[])
    for customer in own:
        if customer.national_id_index:
            same |= Q(national_id_index=bytes(customer.national_id_index))
        if customer.name_fold and customer.birth_date:
            same |= Q(name_fold=customer.name_fold, birth_date=customer.birth_date)
    for account in accounts:
        if account.email_index:
            same |= Q(accounts__email_index=bytes(account.email_index))
        if account.phone_index:
            same |= Q(accounts__phone_index=bytes(account.phone_index))
    others = Customer.objects.filter(same, erased_at=None).exclude(person=person).distinct().order_by("pk")
    stopped = []
    for other in others.select_related("licensee"):
        agreed = suppression.resembled(digests_of_customer(other), but=other.person_id)
        if what := agreed.get(person.pk):
            made = suppression.stop(other, person.pk, what, by=by)
            stopped += [made] if made else []
    return stopped


# ------------------------------------------------------------------------------------------------------- its end
@transaction.atomic
def end(exclusion: Exclusion) -> Exclusion:
    """The policy lets it end by itself."""
    return _over(perform(exclusion.end, by=system(), at=clock.now()), by=system(), reason="term_over")


def _over(exclusion: Exclusion, *, by: Acts, reason: str) -> Exclusion:
    """What held is lifted; marketing stays off. Whether the player may ask for it is asked when they do
    (cases.types.gaming.acts): a rule that says nothing keeps it off.
    """
    ledger.write(exclusion, "annulled" if exclusion.state == Exclusion.State.ANNULLED else "ended")
    row = restrictions.lift(exclusion.restriction, by=by, reason=reason, matter=exclusion.matter or None)
    suppression.release_where_nobody_is_out(exclusion.person_id)
    if exclusion.state == Exclusion.State.ENDED and row.stops_marketing and exclusion.kind == Kind.SELF_EXCLUSION:
        reach = row.person or row.customer
        if reach is not None:
            restrictions.restrict(reach, stops=["marketing"], cover_code=MARKETING, source=SOURCE, by=system())
    return exclusion


def marketing_off(exclusion: Exclusion) -> QuerySet[Restriction]:
    """What keeps marketing off after an exclusion, as far as this one reached."""
    row = exclusion.restriction
    reach = Q(person=row.person_id) if row.person_id else Q(customer=row.customer_id)
    return Restriction.objects.filter(reach, source=SOURCE, cover_code=MARKETING, lifted_at=None)


@transaction.atomic
def ask_return(exclusion: Exclusion, *, policy: Policy, channel: str, by: Acts) -> Exclusion:
    """The player wants to play again. Nothing changes for them by asking."""
    offered = needed(policy.exclusions, "return_channels")
    if channel not in offered:
        raise ConditionsNotMet([f"channel: {', '.join(offered)}."])
    done = perform(exclusion.ask_return, by=by, channel=channel, at=clock.now(), details={"channel": channel})
    return done  # type: ignore[no-any-return]


@transaction.atomic
def accept_return(exclusion: Exclusion, *, policy: Policy, by: Acts, **about: str) -> Exclusion:
    """Two persons agree (asked above, and by the database): the time to reflect runs."""
    earliest, until = reflecting(
        policy.exclusions,
        without_end=exclusion.term_ends_at is None,
        third_party=exclusion.asked_by == AskedBy.THIRD_PARTY,
        licensee=exclusion.licensee,
        asked_at=exclusion.return_asked_at or clock.now(),
        accepted_at=clock.now(),
    )
    facts = {"policy": policy.version, **about}
    return perform(  # type: ignore[no-any-return]
        exclusion.accept_return, by=by, cooling_ends_at=earliest, confirm_until=until, details=facts
    )


def refuse_return(exclusion: Exclusion, *, by: Acts, reason: str) -> Exclusion:
    return perform(exclusion.refuse_return, by=by, reason=reason)  # type: ignore[no-any-return]


def take_back_return(exclusion: Exclusion, *, by: Acts) -> Exclusion:
    return perform(exclusion.take_back_return, by=by)  # type: ignore[no-any-return]


@transaction.atomic
def confirm_return(exclusion: Exclusion, *, by: Acts) -> Exclusion:
    """The player says once more, after the wait, that they want to play again."""
    return _over(perform(exclusion.confirm_return, by=by, at=clock.now()), by=by, reason="player_confirmed")


@transaction.atomic
def annul(exclusion: Exclusion, *, by: Acts, reason: str, **about: str) -> Exclusion:
    """It was set on the wrong person. Two persons and evidence: asked above, and by the database."""
    done = perform(exclusion.annul, by=by, reason=reason, at=clock.now(), details=about)
    return _over(done, by=by, reason="wrong_person")


# ------------------------------------------------------------------------------------------------------ duplicates
@transaction.atomic
def clear_duplicate(duplicate: Duplicate, *, by: Acts, reason: str, **about: str) -> Duplicate:
    """It is somebody else. Two persons: asked above, and by the database."""
    done: Duplicate = perform(duplicate.clear, by=by, reason=reason, at=clock.now(), details=about)
    restrictions.lift(done.restriction, by=by, reason="somebody_else")
    suppression.forget_where_nobody_is_met(done.customer, by=by, reason="somebody_else")
    return done


@transaction.atomic
def confirm_duplicate(duplicate: Duplicate, *, by: Acts) -> Duplicate:
    """It is the person who is kept out: they are from now on, here too. It protects, so one person is enough."""
    done: Duplicate = perform(duplicate.confirm, by=by, at=clock.now())
    carry(done.person_id, done.customer.person_id, by=by, customer=done.customer)
    return done


# ------------------------------------------------------------------------------------------------------------ sweeps
def sweep() -> dict[str, int]:
    """What time brings: terms that are over, returns that nobody confirmed. Nothing ends on a clock that leapt."""
    done = {"ended": 0, "persisting": 0, "lapsed": 0}
    if clock.tick():
        due = Exclusion.objects.filter(state__in=["active", "persisting"], ends_at__lte=Now())
        done["ended"] = _each(due, end)
    over = Exclusion.objects.filter(state="active", term_ends_at__lte=Now()).filter(
        Q(ends_at=None) | Q(ends_at__gt=Now())
    )
    done["persisting"] = _each(over, lambda row: perform(row.persist, by=system()))
    late = Exclusion.objects.filter(state="cooling", confirm_until__lte=Now())
    done["lapsed"] = _each(late, lambda row: perform(row.lapse_return, by=system()))
    ledger.sync()
    return done


def _each(rows: Any, act: Any) -> int:
    count = 0
    for row in rows.select_related("restriction", "licensee").order_by("starts_at", "pk"):
        with suppress(ConditionsNotMet, WrongState):  # somebody was faster, or the clock leapt a moment ago
            act(row)
            count += 1
    return count
