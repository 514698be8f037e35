"""Players of a former system from a file (compliance.rows): one account a row, by its reference.

Columns by our names: reference, brand, full_name, birth_date, nationality; and where known national_id, address, email,
phone, language, time_zone, level with verified_on. A level is one that the player reached before they came here: the
log says so, and since when. Any other column is refused by name.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from audit.actors import Acts
from audit.record import record
from compliance.people.models import Account, Brand, Licensee
from compliance.people.services import open_account, reach_level, register_customer
from compliance.rows import Columns, Intake

BLOCK: Final = 500
OF_THE_CUSTOMER: Final = ("full_name", "nationality", "national_id", "address")
OF_THE_ACCOUNT: Final = ("reference", "email", "phone", "language", "time_zone")
FIELDS: Final = (*OF_THE_CUSTOMER, *OF_THE_ACCOUNT, "brand", "birth_date", "level", "verified_on")
NEEDED: Final = ("reference", "brand", "full_name", "birth_date", "nationality")
Brands = Mapping[str, Brand]


@dataclass(slots=True)
class Imported:
    """`known` rows had an account here already; `verified` came with a level."""

    rows: int = 0
    opened: int = 0
    verified: int = 0
    known: int = 0
    refused: int = 0


def take_in(licensee: Licensee, path: Path, *, by: Acts, dry_run: bool = False, **how: Any) -> Imported:
    """Take a file in, or go on with it. `how` is that of Intake.run. Raises FileRefused."""
    brands = {brand.slug: brand for brand in Brand.objects.filter(licensee=licensee).select_related("licensee")}
    counted = Imported()
    columns = Columns("reference", NEEDED, FIELDS, _beyond)
    take = partial(_take, counted, brands, licensee, by=by)
    taken = Intake(path, columns, partial(_here, licensee), take, BLOCK).run(dry_run=dry_run, **how)
    counted.rows, counted.opened = taken.rows, taken.taken
    counted.known, counted.refused = taken.known, taken.refused
    if not dry_run:
        with transaction.atomic():
            counts = {name: getattr(counted, name) for name in ("rows", "opened", "verified", "refused")}
            record("people.import", by=by, about=licensee, details=counts)
    return counted


def _here(licensee: Licensee, references: list[str]) -> set[str]:
    found = Account.objects.filter(licensee=licensee, reference__in=references)
    return set(found.values_list("reference", flat=True))


def _take(counted: Imported, brands: Brands, licensee: Licensee, given: dict[str, str], *, by: Acts) -> None:
    brand = brands.get(given["brand"])
    if brand is None:
        raise ValidationError({"brand": _("Known: %(known)s.") % {"known": ", ".join(sorted(brands)) or "-"}})
    if ("level" in given) != ("verified_on" in given):
        raise ValidationError({"level": _("Give the level and the day of its verification, both or neither.")})
    facts = {name: given[name] for name in OF_THE_CUSTOMER if name in given}
    born = _day(given, "birth_date")
    customer = register_customer(licensee=brand.licensee, birth_date=born, by=by, **facts)
    if "level" in given:
        verified_on = _day(given, "verified_on")
        if verified_on > licensee.today():
            raise ValidationError({"verified_on": _("This day lies in the future.")})
        customer = reach_level(customer, given["level"], by=by)
        details = {"level": given["level"], "verified_on": verified_on}
        record("people.import_level", by=by, about=customer, details=details)
    open_account(
        customer=customer, brand=brand, by=by, **{name: given[name] for name in OF_THE_ACCOUNT if name in given}
    )
    counted.verified += "level" in given


def _beyond(names: str) -> str:
    """What is not kept is refused by name: nobody shall believe that a player came in kept out."""
    words = _("Not known here: %(names)s. Take it out of the file; who is kept out is told over the API.")
    return words % {"names": names}


def _day(given: Mapping[str, str], field: str) -> date:
    try:
        return date.fromisoformat(given[field])
    except ValueError:
        raise ValidationError({field: _("Enter a date such as 1990-12-31.")}) from None
