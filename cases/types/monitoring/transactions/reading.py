"""What a platform says of one transaction, read and checked: from the API and from files alike.

source_id         the platform's own number of it, 1 to 64 characters; the same twice is the same transaction
account           the operator's reference of the account
kind              deposit, withdrawal, bet, win, bonus, reversal, transfer_out, transfer_in
amount            minor units, a whole number above 0 (1050 for 10.50)
currency          ISO 4217
at                ISO 8601 with an offset or Z
instrument_id     a token or fingerprint of the card, account or wallet; never a card number
instrument_kind, instrument_country, instrument_tail (its last four), holder (name of its holder)
device_id, ip_address (only a digest of its network is kept), ip_country, proxy
counterparty      reference of the other player's account, for transfers
covered_percent   share of outcomes that this bet covers together with others
declared_income   what the player declared to earn a year, in minor units of `currency`
"""

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from django.utils import timezone
from django.utils.translation import gettext as _

from audit.cards import without_cards
from cases.patterns.kinds import Instrument, Kind

MOST_MINOR: Final = 10**12
OLDEST: Final = datetime(2000, 1, 1, tzinfo=UTC)
AHEAD: Final = timedelta(minutes=10)  # clocks of platforms differ
FIELDS: Final = (
    *("source_id", "account", "kind", "amount", "currency", "at", "instrument_id", "instrument_kind"),
    *("instrument_country", "instrument_tail", "holder", "device_id", "ip_address", "ip_country", "proxy"),
    *("counterparty", "covered_percent", "declared_income"),
)
NEEDED: Final = ("source_id", "account", "kind", "amount", "currency", "at")
_WHOLE: Final = re.compile(r"[+-]?\d{1,20}")
_SHOWN: Final = re.compile(r"[^\x00-\x1f\x7f-\x9f\ud800-\udfff]*")  # no control characters, no half of a pair


@dataclass(frozen=True, slots=True)
class Row:
    """One transaction as the platform told it."""

    source_id: str
    account: str
    kind: str
    amount: int
    currency: str
    at: datetime
    instrument_id: str = ""
    instrument_kind: str = ""
    instrument_country: str = ""
    instrument_tail: str = ""
    holder: str = ""
    device_id: str = ""
    ip_address: str = ""
    ip_country: str = ""
    proxy: bool = False
    counterparty: str = ""
    covered_percent: int | None = None
    declared_income: int | None = None
    label: str = ""


@dataclass(frozen=True, slots=True)
class Wrong:
    """What is wrong with one field of one row, in words."""

    row: int
    field: str
    code: str
    words: str


class _Reader:
    def __init__(self, given: Mapping[str, Any], number: int) -> None:
        self.given, self.number, self.wrong = given, number, list[Wrong]()

    def say(self, field: str, code: str, words: str) -> None:
        self.wrong.append(Wrong(self.number, field, code, words))

    def _given(self, field: str) -> Any:
        """What stands in the field; blanks around it, or instead of it, are nothing."""
        value = self.given.get(field)
        return value.strip(" \t\r\n") if isinstance(value, str) else value

    def text(self, field: str, most: int, *, needed: bool = False) -> str:
        value = self._given(field)
        if value is None or value == "":
            if needed:
                self.say(field, "missing", _("This is needed."))
            return ""
        text = str(value) if isinstance(value, (str, int)) and not isinstance(value, bool) else None
        if text is None or len(text) > most or not _SHOWN.fullmatch(text):
            self.say(field, "invalid", _("At most %(most)s characters, none of them invisible.") % {"most": most})
            return ""
        if without_cards(text) != text:
            self.say(field, "card_number", _("This is a card number. Send a token or fingerprint instead."))
            return ""
        return text

    def word(self, field: str, words: list[str], *, needed: bool = False) -> str:
        value = self.text(field, 20, needed=needed)
        if value and value not in words:
            self.say(field, "unknown", _("One of: %(words)s.") % {"words": ", ".join(words)})
            return ""
        return value

    def letters(self, field: str, count: int, *, needed: bool = False) -> str:
        value = self.text(field, 20, needed=needed).upper()
        if value and not re.fullmatch(rf"[A-Z]{{{count}}}", value):
            self.say(field, "invalid", _("%(count)s letters.") % {"count": count})
            return ""
        return value

    def whole(self, field: str, least: int, most: int, *, needed: bool = False) -> int | None:
        value = self._given(field)
        if value is None or value == "":
            if needed:
                self.say(field, "missing", _("This is needed."))
            return None
        number = value if isinstance(value, int) and not isinstance(value, bool) else None
        if isinstance(value, str) and _WHOLE.fullmatch(value):
            number = int(value)
        if number is None or not least <= number <= most:
            self.say(field, "invalid", _("A whole number from %(least)s to %(most)s.") % {"least": least, "most": most})
            return None
        return number

    def yes(self, field: str) -> bool:
        value = self.given.get(field)
        found = {True: True, False: False, None: False, "": False, "true": True, "false": False, "1": True, "0": False}
        key = value.strip().lower() if isinstance(value, str) else value
        if not isinstance(key, (str, bool, type(None))) or key not in found:
            self.say(field, "invalid", _("true or false."))
            return False
        return found[key]

    def moment(self, field: str) -> datetime | None:
        value = given = self._given(field)
        if isinstance(value, str) and value:
            try:
                value = datetime.fromisoformat(value)
            except ValueError:
                value = None
        if not isinstance(value, datetime) or value.tzinfo is None:
            words = _("A moment with its offset, such as 2026-11-20T18:30:00Z.")
            self.say(field, "missing" if given is None or given == "" else "invalid", words)
            return None
        if not OLDEST <= value <= timezone.now() + AHEAD:
            self.say(field, "out_of_range", _("Between 2000 and now."))
            return None
        return value.astimezone(UTC)

    def address(self, field: str) -> str:
        value = self.text(field, 45)
        try:
            return str(ipaddress.ip_address(value)) if value else ""
        except ValueError:
            self.say(field, "invalid", _("An IPv4 or IPv6 address."))
            return ""


def read(given: Any, number: int) -> Row | list[Wrong]:
    """The row, or everything that is wrong with it. `number` is its place, from 0."""
    if not isinstance(given, Mapping):
        return [Wrong(number, "", "invalid", _("An object is needed."))]
    reader = _Reader(given, number)
    for field in sorted(set(given) - set(FIELDS)):
        reader.say(str(field)[:40], "unknown_field", _("This field is not known."))
    amount = reader.whole("amount", 1, MOST_MINOR, needed=True)
    facts: dict[str, Any] = {
        "source_id": reader.text("source_id", 64, needed=True),
        "account": reader.text("account", 64, needed=True),
        "kind": reader.word("kind", list(Kind.values), needed=True),
        "currency": reader.letters("currency", 3, needed=True),
        "at": reader.moment("at"),
        "instrument_id": reader.text("instrument_id", 128),
        "instrument_kind": reader.word("instrument_kind", list(Instrument.values)),
        "instrument_country": reader.letters("instrument_country", 2),
        "instrument_tail": reader.text("instrument_tail", 4),
        "holder": reader.text("holder", 200),
        "device_id": reader.text("device_id", 128),
        "ip_address": reader.address("ip_address"),
        "ip_country": reader.letters("ip_country", 2),
        "proxy": reader.yes("proxy"),
        "counterparty": reader.text("counterparty", 64),
        "covered_percent": reader.whole("covered_percent", 0, 100),
        "declared_income": reader.whole("declared_income", 0, MOST_MINOR),
    }
    return reader.wrong or Row(amount=amount or 0, **facts)


def read_all(given: list[Any], *, first: int = 0) -> tuple[list[Row], list[Wrong]]:
    """Rows and what is wrong, the rows numbered from `first`."""
    rows, wrong = list[Row](), list[Wrong]()
    for number, one in enumerate(given, first):
        found = read(one, number)
        if isinstance(found, Row):
            rows.append(found)
        else:
            wrong += found
    return rows, wrong
