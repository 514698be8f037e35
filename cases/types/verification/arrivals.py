"""What a new account meets before anybody looked at its player. In the transaction that opens it."""

from collections.abc import Iterable

from django.conf import settings

from audit.actors import Acts, system
from cases.services import NoQueue
from cases.types.verification import ages, holds, playing, services, telling
from cases.types.verification.models import Because, Verification
from compliance.people import correcting, opening
from compliance.people.models import Account, Customer, Person
from compliance.people.services import restrict
from compliance.rulebook.queries import policy_of

DECLARED, UNDER_AGE = "declared_age", "under_age"


def begin(account: Account, by: Acts) -> None:
    """Whoever is under age by their own word is stopped, and somebody looks; others wait for play until verified, and
    where the law asks for it for their first deposit until told what may be needed.
    """
    if ages.is_too_young(account.customer):
        _stop_a_child(account)
    if settings.VERIFIED_BEFORE_PLAY:
        playing.stop_until_verified(account.customer, by=system())
        telling.stop_until_told(account.customer, by=system())


def stop_who_was_here_before(accounts: Iterable[Account]) -> dict[str, int]:
    """The same for accounts that were opened earlier; done twice it changes nothing. In the caller's transaction."""
    done = {"under_age": 0, "unverified": 0}
    for account in accounts:
        child = ages.is_too_young(account.customer)
        if child and not holds.closed_for(account.customer).exists():
            _stop_a_child(account)
            done["under_age"] += 1
        done["unverified"] += playing.stop_until_verified(account.customer, by=system()) is not None
    return done


def _stop_a_child(account: Account) -> None:
    running = Verification.objects.open().filter(customer=account.customer_id).first()
    if running is not None:
        holds.hold(running, "underage", by=system(), reason=DECLARED)
        return
    policy = policy_of(account.licensee, on=account.licensee.today())
    try:  # the first level: whoever works on it sees the papers, if there are any
        services.open(account, level=next(iter(policy.verification.levels)), by=system(), because=Because.NEW_FACT)
    except NoQueue:  # nobody works on verifications here: the account is stopped all the same
        restrict(
            Person.objects.get(pk=account.customer.person_id),
            stops=policy.verification.stops["underage"].value,
            cover_code=holds.CODES["underage"],
            source=holds.SOURCE,
            by=system(),
            reason=DECLARED,
        )


def look_again(customer: Customer, fields: frozenset[str], by: Acts) -> str:
    """The right date of birth shows somebody under age: stopped at once, like whoever says so themselves. Who was
    stopped as under age and is not stays stopped, until two persons lift it.
    """
    account = Account.objects.filter(customer=customer, released_at=None).order_by("created_at").first()
    if account is None or "birth_date" not in fields or not ages.is_too_young(customer):
        return ""
    if holds.closed_for(customer).filter(person=customer.person_id).exists():
        return ""
    _stop_a_child(account)
    return UNDER_AGE


opening.also(begin)
correcting.also(look_again)
