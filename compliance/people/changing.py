"""The contact of an account: how it is kept, how it changes, and who is looked for under a new one."""

import hashlib
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import get_language_info
from django.utils.translation import gettext as _

from audit.actors import Acts
from audit.record import record
from compliance.keys.services import IndexPurpose, blind_index, open_sealed, seal
from compliance.people.conflicts import own
from compliance.people.contacts import normal_email, normal_phone
from compliance.people.exclusions import suppression
from compliance.people.models import Account, Customer
from compliance.people.permissions import require_active
from compliance.people.returning import require_present
from compliance.people.sameness import services as sameness
from compliance.people.staff import check_time_zone

# What of an account tells that its contact changed: sealed values differ each time, their indexes do not.
_CONTACT = {"email_index": "email", "phone_index": "phone", "language": "language", "time_zone": "time_zone"}


@transaction.atomic
def change_contact(account: Account, *, by: Acts, **given: str) -> Account:
    """The account's `email`, `phone`, `language`, `time_zone` are these now; "" takes e-mail or phone away.

    A new address is looked at as one of a new account: somebody who is kept out may come under it. What stays as it
    was is no change and no entry. Raises ValidationError with the field.
    """
    require_active(by, action="people.change_contact", about=account)
    account = Account.objects.select_for_update(of=("self",)).get(pk=account.pk)
    customer = Customer.objects.select_related("licensee").get(pk=account.customer_id)
    require_present(customer)
    before = {name: getattr(account, name) for name in _CONTACT}
    brought: dict[str, list[str]] = {"email": [], "phone": []}
    for field, keep in (("email", keep_email), ("phone", keep_phone)):
        if field in given and not given[field]:
            setattr(account, f"{field}_index", None)
            setattr(account, f"{field}_sealed", None)
        elif field in given:
            brought[field].append(keep(account, given[field]))
    if "language" in given:
        account.language = language_code(given["language"])
    if "time_zone" in given:
        account.time_zone = check_time_zone(given["time_zone"])
    changed = [field for name, field in _CONTACT.items() if not _alike(before[name], getattr(account, name))]
    if not changed:
        return account
    account.save(update_fields=[*_CONTACT, "email_sealed", "phone_sealed"])
    record("people.change_contact", by=by, about=account, details={"fields": changed})
    if {"email", "phone"} & set(changed):
        look_at(customer, brought["email"], brought["phone"], by=by)
    return account


def _alike(one: Any, other: Any) -> bool:
    """Bytes come from the database as a view of them."""
    return bool(_plain(one) == _plain(other))


def _plain(value: Any) -> Any:
    return bytes(value) if isinstance(value, memoryview) else value


def contact_version(account: Account) -> str:
    """Another one after each change of the account's contact; says nothing of it, nor whose else it is."""
    values = [account.pk.bytes, bytes(account.email_index or b""), bytes(account.phone_index or b"")]
    words = [account.language.encode(), account.time_zone.encode()]
    return hashlib.sha256(b"|".join([*values, *words])).hexdigest()[:16]


def keep_email(account: Account, email: str) -> str:
    address = normal_email(email)
    account.email_index = blind_index(IndexPurpose.EMAIL, address)
    account.email_sealed = seal(account.audit_subject, "email", address.encode(), aad=account.pk.bytes)
    return address


def keep_phone(account: Account, phone: str) -> str:
    number = normal_phone(phone, region=account.customer.licensee.jurisdiction)
    account.phone_index = blind_index(IndexPurpose.PHONE, number)
    account.phone_sealed = seal(account.audit_subject, "phone", number.encode(), aad=account.pk.bytes)
    return number


def look_at(customer: Customer, emails: list[str], phones: list[str], *, by: Acts) -> None:
    """Whether somebody who is kept out comes under these, or somebody who works here. Who resembles one who is kept out
    is stopped in this transaction.
    """
    own.meet_account(customer, emails)
    known = suppression.digests_of(
        full_name=customer.full_name,
        birth_date=customer.birth_date,
        national_id=national_id_of(customer),
        emails=emails,
        phones=phones,
    )
    suppression.meet(customer, known, by=by)
    sameness.meet(customer)
    sameness.look_later(customer)  # an exclusion that begins at this very moment is not seen above


def national_id_of(customer: Customer) -> str:
    """For comparing, by the product alone."""
    if customer.national_id_sealed is None:
        return ""
    sealed = bytes(customer.national_id_sealed)
    return open_sealed(customer.audit_subject, "national_id", sealed, aad=customer.pk.bytes).decode()


def language_code(code: str) -> str:
    """The code as Django writes it: pages name the language by it."""
    try:
        return str(get_language_info(code.strip().lower())["code"])
    except KeyError:
        raise ValidationError({"language": _("Enter the code of a language, such as tr or en.")}) from None
