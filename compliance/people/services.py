"""Acts on players: register, open an account, reveal, restrict. Acts on staff are in `staff`; both are offered here.

Every write records its entry in the same transaction. What is wrong with an input is a ValidationError that names the
field. The caller checks whether its user may act for the licensee (a queue's grant, an API key's scope).
"""

import json
import uuid
from collections.abc import Mapping
from datetime import date
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from audit.actors import Acts, SubjectRef
from audit.record import ObjectRef, record, record_read
from compliance.keys.services import IndexPurpose, blind_index, ensure_subject_key, open_sealed, seal
from compliance.outbox.services import post
from compliance.people import opening
from compliance.people.changing import keep_email, keep_phone, language_code, look_at
from compliance.people.contacts import (
    InvalidContact,
    clean_line,
    country,
    day_of_birth,
    mask,
    normal_email,
    normal_national_id,
    normal_phone,
    tail,
)
from compliance.people.exclusions.registers import close_until_asked
from compliance.people.models import Account, Brand, Customer, Licensee, Person, RiskFact
from compliance.people.permissions import MANAGE_STAFF, REVEAL, require, require_active
from compliance.people.restrictions import restrict
from compliance.people.returning import require_present, welcome_back
from compliance.people.risk import tell as tell_risk
from compliance.people.staff import (
    check_time_zone,
    create_team,
    create_user,
    deactivate_user,
    join,
    leave,
    set_preferences,
    sync_roles,
    team_group,
    team_groups,
)
from compliance.policy import policy_for

__all__ = [
    "InvalidContact",
    "contact_of",
    "create_brand",
    "create_licensee",
    "create_team",
    "create_user",
    "deactivate_user",
    "join",
    "known_of",
    "leave",
    "masked",
    "normal_email",
    "normal_phone",
    "note_risk",
    "open_account",
    "reach_level",
    "register_customer",
    "restrict",
    "reveal",
    "set_preferences",
    "sync_roles",
    "team_group",
    "team_groups",
]

REVEALABLE = ("national_id", "birth_date", "phone", "email")
LEVEL_CHANGED = "people.level_changed"


# ------------------------------------------------------------------------------------------------- the operator
@transaction.atomic
def create_licensee(
    *, name: str, slug: str, jurisdiction: str, time_zone: str, is_test: bool = False, by: Acts
) -> Licensee:
    """A legal entity with a licence. Its jurisdiction must have a policy today (PolicyMissing).

    A test one holds invented players: its keys and endpoints see nothing else, and no mail leaves for its players.
    """
    require(by, MANAGE_STAFF, action="people.create_licensee", about=ObjectRef("licensee", "new"))
    jurisdiction = country(jurisdiction, field="jurisdiction")
    policy_for(jurisdiction, on=timezone.localdate())
    licensee = Licensee(name=clean_line(name, field="name", longest=120), slug=slug, jurisdiction=jurisdiction)
    licensee.is_test = is_test
    licensee.time_zone = check_time_zone(time_zone)
    licensee.full_clean()
    licensee.save()
    details = {"slug": slug, "jurisdiction": jurisdiction, "time_zone": time_zone, "is_test": is_test}
    record("people.create_licensee", by=by, about=licensee, details=details)
    return licensee


@transaction.atomic
def create_brand(*, licensee: Licensee, name: str, slug: str, by: Acts) -> Brand:
    require(by, MANAGE_STAFF, action="people.create_brand", about=licensee)
    brand = Brand(licensee=licensee, name=clean_line(name, field="name", longest=120), slug=slug)
    brand.full_clean()
    brand.save()
    record("people.create_brand", by=by, about=brand, details={"slug": slug, "licensee": licensee.slug})
    return brand


# ------------------------------------------------------------------------------------------------- customers
@transaction.atomic
def register_customer(
    *,
    licensee: Licensee,
    full_name: str,
    birth_date: date,
    nationality: str,
    national_id: str | None = None,
    address: str = "",
    by: Acts,
) -> Customer:
    """A new player at a licensee: Person, Customer and the customer's own key. The national id is sealed and indexed.

    Raises ValidationError with the field; a number that is registered at this licensee already is one.
    """
    require_active(by, action="people.register_customer", about=licensee)
    nationality = country(nationality)
    declared: dict[str, Any] = {
        "full_name": clean_line(full_name, field="full_name", longest=200),
        "birth_date": day_of_birth(birth_date, today=licensee.today()),
        "nationality": nationality,
        "address": clean_line(address, field="address", longest=400, required=False),
    }
    subject = SubjectRef("customer", str(customer_id := uuid.uuid4()))
    ensure_subject_key(subject)
    index = tail_index = sealed = None
    if national_id:
        number = normal_national_id(national_id, nationality=nationality)
        index = blind_index(IndexPurpose.NATIONAL_ID, number)
        tail_index = blind_index(IndexPurpose.NUMBER_TAIL, tail(number))
        sealed = seal(subject, "national_id", number.encode(), aad=customer_id.bytes)
    try:
        with transaction.atomic():
            customer = Customer.objects.create(
                id=customer_id,
                person=Person.objects.create(),
                licensee=licensee,
                full_name=declared["full_name"],
                birth_date=declared["birth_date"],
                nationality=nationality,
                address=declared["address"],
                national_id_index=index,
                national_id_tail_index=tail_index,
                national_id_sealed=sealed,
            )
    except IntegrityError as error:
        if _violated(error) != "customer_national_id_once":
            raise
        raise ValidationError({"national_id": _("A player with this number is registered here already.")}) from None
    record("people.register_customer", by=by, about=customer, details={"licensee": licensee.slug, **declared})
    return customer


@transaction.atomic
def open_account(
    *,
    customer: Customer,
    brand: Brand,
    reference: str,
    email: str = "",
    phone: str | None = None,
    language: str = "tr",
    time_zone: str = "Europe/Istanbul",
    by: Acts,
) -> Account:
    """The customer at a brand, under the operator's own `reference`. Contacts are kept sealed and indexed.

    A phone without a country code is one of the licensee's jurisdiction. Raises ValidationError with the field.
    """
    require_active(by, action="people.open_account", about=customer)
    require_present(customer)
    if brand.licensee_id != customer.licensee_id:
        raise ValidationError({"brand": _("This brand belongs to another licensee.")})
    address = number = ""
    account = Account(
        customer=customer, licensee_id=customer.licensee_id, brand=brand, language=language_code(language)
    )
    account.reference = clean_line(reference, field="reference", longest=64)
    account.time_zone = check_time_zone(time_zone)
    if email:
        address = keep_email(account, email)
    if phone:
        number = keep_phone(account, phone)
    try:
        with transaction.atomic():
            account.save(force_insert=True)
    except IntegrityError as error:
        if _violated(error) != "account_reference_once":
            raise
        raise ValidationError({"reference": _("This licensee has an account with this number already.")}) from None
    details = {"brand": brand.slug, "reference": account.reference, "language": language, "time_zone": time_zone}
    record("people.open_account", by=by, about=account, details=details)
    welcome_back(account, by=by)
    look_at(customer, [address], [number], by=by)
    close_until_asked(customer, by=by)
    opening.tell(account, by=by)
    return account


def _violated(error: IntegrityError) -> str | None:
    """The name of the constraint that refused."""
    name: str | None = getattr(getattr(error.__cause__, "diag", None), "constraint_name", None)
    return name


@transaction.atomic
def reach_level(customer: Customer, level: str, *, by: Acts) -> Customer:
    """The customer's verification level is now at least `level`. A higher one that was reached before stays."""
    require_active(by, action="people.reach_level", about=customer)
    require_present(customer)
    customer = Customer.objects.select_for_update(of=("self",)).select_related("licensee").get(pk=customer.pk)
    levels = list(policy_for(customer.licensee.jurisdiction, on=customer.licensee.today()).verification.levels)
    if level not in levels:
        facts = {"level": level, "known": ", ".join(levels)}
        raise ValidationError({"level": _("There is no level %(level)s. Known: %(known)s.") % facts})
    before = customer.level
    if before not in levels or levels.index(level) > levels.index(before):
        customer.level = level
        customer.save(update_fields=["level"])
        changes = {"level": (before, level)}
        record("people.reach_level", by=by, about=customer, changes=changes, details={"level": level})
        post(LEVEL_CHANGED, payload={"customer_id": str(customer.pk)})
    return customer


# ------------------------------------------------------------------------------------------------- what is sealed
def reveal(
    customer: Customer, field: str, *, by: Acts, purpose: str, matter: str | None = None, account: Account | None = None
) -> str:
    """The plain value of a masked field (see REVEALABLE), for one who may. The reading is recorded with its `purpose`.

    Phone and e-mail are those of `account`. "" where nothing is stored. Raises Denied, KeyUnavailable, Shredded.
    """
    about = account if field in ("phone", "email") else customer
    if field not in REVEALABLE or about is None or (account and account.customer_id != customer.pk):
        raise ValueError(f"{field}: one of {', '.join(REVEALABLE)}; phone and email need the customer's own account.")
    require(by, REVEAL, action="people.reveal", about=about)
    value = _plain(about, field)
    subject, code = customer.audit_subject, f"{purpose}:{field}"
    record_read(by=by, subject=subject, purpose=code, about=about, matter=matter)
    return value.isoformat() if isinstance(value, date) else value


def masked(owner: Customer | Account, field: str) -> str:
    """What a page shows of a field before it is revealed; "" where nothing is stored."""
    return mask(field, _plain(owner, field))


def contact_of(account: Account, field: str) -> str | None:
    """The e-mail or phone a message is sent to. For the sender only, who records the sending; people use `reveal`."""
    if field not in ("email", "phone"):
        raise ValueError(f"{field}: email or phone.")
    return str(_plain(account, field)) or None


def known_of(owner: Customer | Account, field: str) -> str:
    """The plain value for a comparison by the product, who shows it to nobody and records what it compared."""
    return str(_plain(owner, field))


def _plain(owner: Customer | Account, field: str) -> str | date:
    if field == "birth_date":
        return getattr(owner, field) or ""
    sealed = getattr(owner, f"{field}_sealed")
    if sealed is None:
        return ""
    return open_sealed(owner.audit_subject, field, bytes(sealed), aad=owner.pk.bytes).decode()


# ------------------------------------------------------------------------------------------------- risk
@transaction.atomic
def note_risk(
    customer: Customer, *, code: str, source: str, details: Mapping[str, Any], by: Acts, matter: str | None = None
) -> RiskFact:
    """Keep something learned that raises or explains a customer's risk. Kinds of case ask for facts, never for each
    other. `details` are sealed under the customer's key, in the row as in the log.
    """
    fact = RiskFact(customer=customer, code=code, source=source, known_on=customer.licensee.today())
    fact.save(force_insert=True)
    sealed = json.dumps(details, sort_keys=True).encode()
    fact.details_sealed = seal(customer.audit_subject, "risk_fact", sealed, aad=str(fact.pk).encode())
    fact.save(update_fields=["details_sealed"])
    said = {"code": code, "source": source, "details": dict(details)}
    record("people.note_risk", by=by, about=fact, details=said, matter=matter)
    tell_risk(fact)
    return fact
