"""One spelling for what is searched by equality: e-mail, phone, national id. And how each looks when it is masked."""

import re
import unicodedata
from datetime import date, datetime
from functools import cache
from typing import Any, Final

import phonenumbers
from babel import Locale
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext as _
from stdnum.exceptions import ValidationError as WrongNumber
from stdnum.tr import tckimlik

HIDDEN = "•"
OLDEST: Final = 120  # years: nobody is known to have lived longer, but for one
# Characters that change how a line reads without being seen: controls, and those that turn the direction of writing.
_UNSEEN = re.compile("[\u0000-\u001f\u007f-\u009f\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]")


class InvalidContact(ValidationError):
    """A contact that is none. Says the field and what to do, like every ValidationError here."""


def normal_email(text: str, *, field: str = "email") -> str:
    """Lower case, without spaces around. InvalidContact names the field."""
    # On a Turkish keyboard the capital of i is İ, which lower() would make two characters of.
    address = unicodedata.normalize("NFC", text).strip().replace("İ", "i").lower()
    try:
        validate_email(address)
    except ValidationError:
        raise InvalidContact({field: _("Enter an e-mail address such as name@example.com.")}) from None
    return address


def normal_phone(text: str, *, region: str, field: str = "phone") -> str:
    """E.164 such as +905321234567. A number without a country code is one of `region` (ISO 3166-1)."""
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        number = None
    if number is None or not phonenumbers.is_valid_number(number):
        raise InvalidContact({field: _("Enter a phone number, with its country code when it is from abroad: +44 …")})
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def normal_national_id(text: str, *, nationality: str, field: str = "national_id") -> str:
    """Letters and digits only, upper case. A Turkish number is tried with its check digits."""
    number = "".join(c for c in unicodedata.normalize("NFKC", text) if c.isalnum()).upper()
    if nationality == "TR":
        try:
            tckimlik.validate(number)
        except WrongNumber:
            raise ValidationError(
                {field: _("This is not a Turkish identity number: 11 digits, the last two are check digits.")}
            ) from None
    elif not 4 <= len(number) <= 32:
        raise ValidationError({field: _("Enter the number of the identity document, 4 to 32 letters and digits.")})
    return number


def tail(number: str) -> str:
    """What people read out of the number of a paper when they do not read it all: its last four characters."""
    return number[-4:]


def country(code: str, *, field: str = "nationality") -> str:
    """An ISO 3166-1 code of two letters, upper case."""
    code = code.strip().upper()
    if code not in _countries():
        raise ValidationError({field: _("Enter the two letters of a country, such as TR or GB.")})
    return code


@cache
def _countries() -> frozenset[str]:
    not_countries = {"EU", "EZ", "QO", "UN", "XA", "XB", "ZZ"}
    territories = map(str, Locale.parse("en").territories)
    return frozenset(code for code in territories if len(code) == 2 and code.isalpha()) - not_countries


def clean_line(text: str, *, field: str, longest: int, required: bool = True) -> str:
    """One line of text as it is read: NFC, single spaces, no unseen characters."""
    line = " ".join(unicodedata.normalize("NFC", text).split())
    if required and not line:
        raise ValidationError({field: _("Enter this.")})
    if len(line) > longest:
        raise ValidationError({field: _("Shorten this to %(longest)d characters.") % {"longest": longest}})
    if _UNSEEN.search(line):
        raise ValidationError({field: _("Remove the invisible characters, or type it again.")})
    return line


def day_of_birth(given: Any, *, today: date, field: str = "birth_date") -> date:
    """`given`, where somebody alive may be born on it; `today` is the licensee's. ValidationError names the field."""
    if isinstance(given, datetime) or not isinstance(given, date):
        raise ValidationError({field: _("Enter a date such as 1990-12-31.")})
    if given > today:
        raise ValidationError({field: _("This day is in the future.")})
    if (today.year - given.year, (today.month, today.day)) > (OLDEST, (given.month, given.day)):
        raise ValidationError({field: _("This day is more than 120 years ago. Check the year.")})
    return given


def mask(field: str, value: str | date) -> str:
    """What is shown of a field that is not revealed: enough to tell two apart, too little to use."""
    text = value.isoformat() if isinstance(value, date) else value
    if not text:
        return ""
    match field:
        case "national_id":
            return HIDDEN * (len(text) - 2) + text[-2:]
        case "phone":
            return text[:3] + HIDDEN * (len(text) - 5) + text[-2:]
        case "email":
            name, _at, domain = text.partition("@")
            return f"{name[:1]}{HIDDEN * 3}@{domain}"
        case "birth_date":
            return f"{text[:4]}-{HIDDEN * 2}-{HIDDEN * 2}"
    raise ValueError(f"{field}: there is no mask for this field.")
