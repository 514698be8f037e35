"""Correcting what a player declared: name, date of birth, nationality. What hangs on it is reckoned in the same breath.

A correction may stop somebody (under age by the right date, alike somebody who is kept out) and never lets anybody go:
nothing that stands is lifted here. Who else has to look again is told by `also`; two persons and a paper are asked
above (cases.rectifying). Old and new value stand sealed in the entry, and nowhere else.
"""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from audit.actors import Acts
from audit.record import record
from compliance.keys.services import open_sealed
from compliance.people.contacts import clean_line, country, day_of_birth, normal_national_id
from compliance.people.exclusions import suppression
from compliance.people.exclusions.models import Duplicate, Exclusion
from compliance.people.exclusions.services import digests_of_customer, stop_resembling
from compliance.people.latin import latin
from compliance.people.models import Customer, Person
from compliance.people.permissions import require_active
from compliance.people.queries import fold
from compliance.people.returning import require_present
from compliance.people.sameness import services as sameness

FIELDS: Final[Mapping[str, str | Promise]] = {
    "full_name": gettext_lazy("Name"),
    "birth_date": gettext_lazy("Date of birth"),
    "nationality": gettext_lazy("Nationality"),
}
DUPLICATE, OTHERS = "duplicate", "others"
Follow = Callable[[Customer, frozenset[str], Acts], str]
_followers: list[Follow] = []


def also(follow: Follow) -> None:
    """Have `follow(customer, fields, by)` called in the transaction of a correction: the code of what it did, or ""."""
    _followers.append(follow)


def differing(customer: Customer, given: Mapping[str, Any]) -> dict[str, Any]:
    """What of `given` is another than what stands there, in its normal spelling.

    ValidationError by field for what cannot be, and for all of it being the same.
    """
    new: dict[str, Any] = {}
    wrong: dict[str, Any] = {}
    for field in (name for name in FIELDS if name in given):
        try:
            new[field] = _NORMAL[field](customer, given[field])
        except ValidationError as error:
            wrong |= error.message_dict
    if wrong:
        raise ValidationError(wrong)
    new = {field: value for field, value in new.items() if value != getattr(customer, field)}
    if not new:
        raise ValidationError(_("This is what stands there already. Nothing would change."))
    if "nationality" in new:
        _fits_the_number(customer, new["nationality"])
    return new


def _name(customer: Customer, given: Any) -> str:
    return clean_line(str(given), field="full_name", longest=200)


def _born(customer: Customer, given: Any) -> date:
    try:
        day = given if isinstance(given, date) else date.fromisoformat(str(given))
    except ValueError:
        day = None
    return day_of_birth(day, today=customer.licensee.today())


def _nationality(customer: Customer, given: Any) -> str:
    return country(str(given))


_NORMAL: Final[Mapping[str, Callable[[Customer, Any], Any]]] = {
    "full_name": _name,
    "birth_date": _born,
    "nationality": _nationality,
}


def _fits_the_number(customer: Customer, nationality: str) -> None:
    """The number of somebody stays what it is: it must be one of that country, and nobody else's there."""
    if customer.national_id_sealed is None:
        return
    index = bytes(customer.national_id_index or b"")
    others = Customer.objects.filter(licensee_id=customer.licensee_id, nationality=nationality, national_id_index=index)
    if others.exclude(pk=customer.pk).exists():
        raise ValidationError({"nationality": _("A player with this number is registered here already.")})
    sealed = bytes(customer.national_id_sealed)
    number = open_sealed(customer.audit_subject, "national_id", sealed, aad=customer.pk.bytes).decode()
    normal_national_id(number, nationality=nationality, field="nationality")


def locked(customer_id: Any) -> Customer:
    """The player to correct, and before them the person: whoever keeps somebody out locks the person and then writes
    about the player (exclusions.start). The other way round, each could wait for the other.
    """
    rows = Customer.objects.select_related("licensee")
    list(Person.objects.select_for_update().filter(pk=rows.get(pk=customer_id).person_id))
    return rows.select_for_update(of=("self",)).get(pk=customer_id)


@transaction.atomic
def correct(
    customer: Customer, given: Mapping[str, Any], *, by: Acts, reason: str, matter: str, evidence: str, **about: str
) -> list[str]:
    """The player's declared data are these now. The codes of what followed.

    `about` are the facts of the decision that the entry names (proposal, maker). Raises ValidationError, Erased.
    """
    require_active(by, action="people.correct", about=customer)
    require_present(customer)
    customer = locked(customer.pk)
    new = differing(customer, given)
    changes = {field: (getattr(customer, field), value) for field, value in new.items()}
    for field, value in new.items():
        setattr(customer, field, value)
    customer.name_fold = fold(customer.full_name)
    customer.name_latin = latin(customer.name_fold)
    customer.save(update_fields=[*new, "name_fold", "name_latin"])
    fields = frozenset(new)
    done = [*_met_again(customer, fields, by), *(follow(customer, fields, by) for follow in _followers)]
    followed = sorted(filter(None, done))
    details = {"declared": sorted(new), "evidence": evidence, "followed": followed, **about}
    record("people.correct", by=by, about=customer, reason=reason, changes=changes, details=details, matter=matter)
    return followed


def _met_again(customer: Customer, fields: frozenset[str], by: Acts) -> list[str]:
    """Who is alike under the right name and day: stopped where one of the two is kept out. What was found stays."""
    if not fields & {"full_name", "birth_date"}:
        return []
    stopped = {DUPLICATE: Duplicate.objects.filter(customer=customer)}
    stopped[OTHERS] = Duplicate.objects.filter(person_id=customer.person_id)
    known = {code: rows.count() for code, rows in stopped.items()}
    suppression.meet(customer, digests_of_customer(customer), by=by)
    if Exclusion.objects.of(customer.person_id).exists():
        stop_resembling(Person(pk=customer.person_id), by=by)
    sameness.find(customer)
    sameness.look_later(customer)  # an exclusion that begins at this very moment is not seen above
    return [code for code, rows in stopped.items() if rows.count() > known[code]]
