"""Players who may be one person: found by what they agree in, linked by two persons, parted by two.

Life of a link: found (the attributes are named) -> linked or dismissed -> parted, if it was a mistake. While linked,
what restricts one restricts the other: what stands when they are linked, and what is set later. Each such restriction
is a row of its own with the same end, lifted with its origin. It stays after a parting: no parting lets anybody play
(practice: un-merge never restores play); two persons lift it then (cases.protection).

Who may be somebody that is kept out is stopped with the finding, like a match of what was remembered
(exclusions.suppression): two persons clear it, no dismissal of a link does.

Only players of one licensee are compared: what one licensee holds is not the other's to know. Restrictions of the AML
side are not carried, and are told by the log that knows of them: a row on another account would tell of them.
"""

from collections.abc import Iterable
from itertools import product
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from audit.actors import Acts, system
from audit.cards import without_cards
from audit.models import Entry
from audit.perform import perform
from audit.record import record
from compliance.keys.services import IndexPurpose, blind_index
from compliance.outbox.kinds import register
from compliance.outbox.models import OutboxRow
from compliance.outbox.services import post
from compliance.people import restrictions
from compliance.people.alike import compare
from compliance.people.exclusions import registers, suppression
from compliance.people.exclusions.carrying import carry as carry_exclusions
from compliance.people.exclusions.models import LIVE, Exclusion
from compliance.people.models import Account, Customer, Restriction
from compliance.people.returning import require_present
from compliance.people.risk import learn
from compliance.people.sameness.models import Carried, Link, Trait

LOOK, SOURCE = "sameness.look", "sameness"
TRAITS: Final = {"device": IndexPurpose.DEVICE, "payment_instrument": IndexPurpose.PAYMENT_INSTRUMENT}
MOST = 50
FEWEST = 5  # different characters: zeros and dashes stand for nothing


# ------------------------------------------------------------------------------------------------------- noticing
@transaction.atomic
def notice(account: Account, what: str, value: str, *, by: Acts) -> None:
    """A device, or the operator's own token of a payment instrument, was seen with a player. Kept as a digest only.

    ValidationError names the field; a card number is refused.
    """
    if what not in TRAITS:
        raise ValidationError({"what": _("Known: %(known)s.") % {"known": ", ".join(sorted(TRAITS))}})
    value = value.strip()
    if not 8 <= len(value) <= 200:
        raise ValidationError({"value": _("Send 8 to 200 characters that stand for one device or instrument.")})
    if len(set(value)) < FEWEST:
        raise ValidationError({"value": _("This value stands for no device or instrument of its own.")})
    if without_cards(value) != value:
        raise ValidationError({"value": _("This is a card number. Send your own token of the card.")})
    customer = account.customer
    require_present(customer)
    _trait, new = Trait.objects.get_or_create(
        customer=customer, what=what, digest_index=blind_index(TRAITS[what], value)
    )
    if new:
        record("sameness.notice", by=by, about=account, details={"what": what})
        meet(customer)
        look_later(customer)


def look_later(customer: Customer) -> None:
    """Leave a row by which a worker compares the player with the others."""
    post(LOOK, payload={"customer_id": customer.pk})


def look(row: OutboxRow) -> None:
    customer = Customer.objects.filter(pk=row.payload["customer_id"], erased_at=None).first()
    if customer is not None:
        find(customer)
        for link in links_of(customer, state=Link.State.FOUND):
            _stop_beside_the_excluded(link)


# -------------------------------------------------------------------------------------------------------- finding
@transaction.atomic
def find(customer: Customer) -> list[Link]:
    """Every player of the licensee who agrees with this one in something, and the link to each.

    A device of a whole household is enough at MOST players; who is kept out is always found, and always finds.
    """
    most = None if Exclusion.objects.of(customer.person_id).exists() else MOST
    links = [*meet(customer), *_noted(customer, _others(customer), most=most)]
    return list({link.pk: link for link in links}.values())


def meet(customer: Customer) -> list[Link]:
    """The links to players who are kept out. Whoever calls this has the player stopped in the same transaction."""
    kept_out = Exclusion.objects.filter(state__in=LIVE).values("person_id")
    return _noted(customer, _others(customer).filter(person_id__in=kept_out), most=None)


def stop_found(person_id: Any) -> None:
    """The person is kept out now: whoever was found to be like them is stopped.

    MOST of them at once, so that the player's own request is short; a worker stops the rest, and looks for others.
    """
    for customer in Customer.objects.filter(person_id=person_id, erased_at=None).order_by("pk"):
        for link in links_of(customer, state=Link.State.FOUND)[:MOST]:
            _stop_beside_the_excluded(link)
        look_later(customer)


def _others(customer: Customer) -> QuerySet[Customer]:
    return Customer.objects.filter(licensee_id=customer.licensee_id, erased_at=None).exclude(pk=customer.pk)


def _noted(customer: Customer, among: QuerySet[Customer], *, most: int | None) -> list[Link]:
    found: dict[Any, set[str]] = {}
    for what, others in _agreeing(customer, among):
        for other in others[:most]:
            found.setdefault(other, set()).add(what)
    return [
        note(customer, Customer.objects.get(pk=other), sorted(what)) for other, what in sorted(found.items(), key=str)
    ]


def _agreeing(customer: Customer, others: QuerySet[Customer]) -> Iterable[tuple[str, list[Any]]]:
    if customer.national_id_index is not None:
        yield (
            "national_id",
            list(others.filter(national_id_index=customer.national_id_index).values_list("pk", flat=True)),
        )
    mine = Account.objects.filter(customer=customer, released_at=None)
    for field, what in (("email_index", "email"), ("phone_index", "phone")):
        known = list(mine.exclude(**{field: None}).values_list(field, flat=True))
        if known:
            with_it = others.filter(accounts__released_at=None, **{f"accounts__{field}__in": known})
            yield what, list(with_it.distinct().values_list("pk", flat=True))
    for what, digest in Trait.objects.filter(customer=customer).values_list("what", "digest_index"):
        seen = others.filter(traits__what=what, traits__digest_index=digest)
        yield what, list(seen.distinct().values_list("pk", flat=True))
    yield "name_birth", _same_name_and_birth(customer, others)


def _same_name_and_birth(customer: Customer, others: QuerySet[Customer]) -> list[Any]:
    """Born on one day, with a name that is the same or nearly so by a stated fold."""
    if customer.birth_date is None:
        return []
    born = others.filter(birth_date=customer.birth_date).values_list("pk", "full_name")
    return [pk for pk, name in born if compare(customer.full_name, name).kind in ("same", "close", "possible")]


def note(one: Customer, other: Customer, agrees_in: list[str]) -> Link:
    """The link of two who agree in these; what is new is added to what was known. What was decided stays decided."""
    first, second = sorted((one, other), key=lambda customer: customer.pk)
    link, new = Link.objects.get_or_create(
        first=first, second=second, defaults={"agrees_in": sorted(agrees_in), "found_at": timezone.now()}
    )
    more = sorted({*link.agrees_in, *agrees_in})
    grown = more != link.agrees_in
    if new or grown:
        Link.objects.filter(pk=link.pk).update(agrees_in=more)
        link.agrees_in = more
        record("sameness.find", by=system(), about=link, details={"agrees_in": more, "other": str(second.pk)})
    _stop_beside_the_excluded(link, grown=grown)
    return link


@transaction.atomic
def _stop_beside_the_excluded(link: Link, *, grown: bool = False) -> None:
    """One of the two is kept out and nobody decided on the pair: the other may not play until two persons clear it.

    A dismissal is one person's word on what was known then: where more agrees since (`grown`), it holds no longer.
    """
    undecided = link.state == Link.State.FOUND or (grown and link.state == Link.State.DISMISSED)
    if not undecided or link.first.person_id == link.second.person_id:
        return
    for customer in (link.first, link.second):
        person_id = link.other(customer).person_id
        if Exclusion.objects.of(person_id).exists():
            suppression.stop(customer, person_id, link.agrees_in, by=system())


def links_of(customer: Customer, *, state: str = "") -> QuerySet[Link]:
    rows = Link.objects.filter(Q(first=customer) | Q(second=customer)).select_related("first", "second")
    return (rows.filter(state=state) if state else rows).order_by("found_at", "id")


# ------------------------------------------------------------------------------------------------------- deciding
@transaction.atomic
def join(link: Link, *, by: Acts, reason: str, **about: str) -> Link:
    """Two persons found that they are one: what stands against one now stands against the other."""
    one_side, other_side = circle(link.first), circle(link.second)
    link = perform(link.join, by=by, reason=reason, at=timezone.now(), details=about or None)
    # Taken before anything is carried: what is carried now is not carried back.
    standing = {one.pk: list(restrictions.in_force(one, coming=True)) for one in (*one_side, *other_side)}
    known = {row.pk for rows in standing.values() for row in rows}
    for mine, theirs in [*product(one_side, other_side), *product(other_side, one_side)]:
        for row in standing[mine.pk]:
            if _origin_of(row) not in known and _is_of_the_main_side(row):
                _carry(row, theirs, by=by)
        if mine.person_id != theirs.person_id:
            carry_exclusions(mine.person_id, theirs.person_id, by=by, customer=theirs)
    for customer in (link.first, link.second):
        learn(customer, "second_account", source=SOURCE, known_on=customer.licensee.today(), by=by)
    return link


def circle(customer: Customer) -> list[Customer]:
    """The customer and everybody linked to them, directly or through others."""
    known, waiting = {customer.pk: customer}, [customer]
    while waiting:
        one = waiting.pop()
        for link in links_of(one, state=Link.State.LINKED):
            other = link.other(one)
            if other.pk not in known:
                known[other.pk] = other
                waiting.append(other)
    return list(known.values())


def _is_of_the_main_side(row: Restriction) -> bool:
    return bool(Entry.objects.filter(log="main", action="people.restrict", object_id=str(row.pk)).exists())


@transaction.atomic
def part(link: Link, *, by: Acts, reason: str, **about: str) -> Link:
    """The link was a mistake. What was carried stays, until two persons lift it on its own."""
    return perform(link.part, by=by, reason=reason, at=timezone.now(), details=about or None)  # type: ignore[no-any-return]


@transaction.atomic
def dismiss(link: Link, *, by: Acts, reason: str) -> Link:
    return perform(link.dismiss, by=by, reason=reason, at=timezone.now())  # type: ignore[no-any-return]


def _carry(row: Restriction, to: Customer, *, by: Acts) -> None:
    """The same restriction on the other, as a row of its own. What reaches both by their person needs none."""
    now = timezone.now()
    if (row.person_id and row.person_id == to.person_id) or not _is_carried(row) or (row.until and row.until <= now):
        return
    if Carried.objects.filter(origin=row, restriction__customer=to, restriction__lifted_at=None).exists():
        return
    made = restrictions.restrict(
        to,
        stops=restrictions.effects_of(row),
        cover_code=row.cover_code,
        source=SOURCE,
        by=by,
        starts_at=max(row.starts_at, now),
        until=row.until,
        reason="same_person",
    )
    Carried.objects.create(restriction=made, origin=row)
    record("sameness.carry", by=by, about=made, details={"restriction": str(row.pk), "other": str(to.pk)})


def _is_carried(row: Restriction) -> bool:
    """All but what its own machine sets for each player: exclusions follow as exclusions, registers are asked about
    everybody, routine holds are drawn by chance, everybody is verified before their own play and told before their own
    deposit. Who is listed in a
    register, or resembles somebody kept out, is carried.
    """
    if row.source == suppression.SOURCE:
        return row.cover_code == suppression.CODE
    if row.source == registers.SOURCE:
        return row.cover_code != registers.CODE
    # cases.types.monitoring.routine, cases.types.verification.playing and .telling, which stand above
    return row.source not in ("routine", "before_play", "before_deposit")


def _origin_of(row: Restriction) -> Any:
    """The id of what a carried row copies; None for any other."""
    return Carried.objects.filter(restriction=row).values_list("origin_id", flat=True).first()


def follow(row: Restriction, by: Acts) -> None:
    """A restriction was set: those who are linked to whom it reaches get it too. In its transaction."""
    if row.source == SOURCE or not _is_carried(row):
        return  # what was carried was carried to everybody in the circle
    for customer in _linked_and_reached(row):
        for other in circle(customer):
            if other.pk != customer.pk:
                _carry(row, other, by=by)


def end_copies(row: Restriction, by: Acts) -> None:
    """A restriction was lifted: what was carried from it ends too, where the two are still one. In its transaction."""
    copies = list(Carried.objects.filter(origin=row, restriction__lifted_at=None).select_related("restriction"))
    if copies:
        linked = {other.pk for customer in _linked_and_reached(row) for other in circle(customer)}
        for copy in copies:
            if copy.restriction.customer_id in linked:
                restrictions.lift(copy.restriction, by=by, reason="same_person")


def still_follows(row: Restriction) -> bool:
    """Whether this row is carried from one that stands, of a player who is still linked: it ends with that one only."""
    copy = Carried.objects.filter(restriction=row, origin__lifted_at=None).select_related("origin").first()
    if copy is None or (copy.origin.until is not None and copy.origin.until <= timezone.now()):
        return False
    return any(row.customer_id == one.pk for reached in _linked_and_reached(copy.origin) for one in circle(reached))


def _linked_and_reached(row: Restriction) -> QuerySet[Customer]:
    reach = Q(pk=row.customer_id)
    if row.account_id:
        reach = Q(accounts=row.account_id)
    elif row.person_id:
        reach = Q(person_id=row.person_id)
    return Customer.objects.filter(reach).filter(Q(pk__in=_linked("first_id")) | Q(pk__in=_linked("second_id")))


def _linked(side: str) -> Any:
    return Link.objects.filter(state=Link.State.LINKED).values(side)


register(LOOK, look)
restrictions.also(follow)
restrictions.also_lift(end_copies)
