"""One transaction as rules see it, and the attributes that they may ask for."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from cases.patterns.kinds import Fact, Instrument, Kind, Sign
from compliance.people.models import Risk

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND: Final = timedelta(microseconds=1)
SECOND, MINUTE, HOUR = 1_000_000, 60_000_000, 3_600_000_000  # in microseconds
SLOT: Final = 900 * SECOND  # every zone's day begins at a quarter of an hour
NEVER: Final = 1_000_000_000  # minutes: no other country was seen before
UNKNOWN: Final = -1


@dataclass(frozen=True, slots=True)
class Attribute:
    """`column` is the raw column it is read from, "" when it is worked out. `codes` are the words it may be, None when
    it is a number, () when it is a country."""

    words: str | Promise
    column: str = ""
    codes: tuple[str, ...] | None = None


ATTRIBUTES: Final[Mapping[str, Attribute]] = {
    "amount": Attribute(_("the amount"), "amount"),
    "holder_match": Attribute(_("likeness of the holder's name, in percent"), "holder_match"),
    "covered": Attribute(_("share of outcomes covered, in percent"), "covered"),
    "income": Attribute(_("declared yearly income"), "income"),
    "proxy": Attribute(_("hidden network address"), "proxy"),
    "shared_device": Attribute(_("players who use this device"), "shared_device"),
    "shared_instrument": Attribute(_("players who use this payment instrument"), "shared_instrument"),
    "shared_network": Attribute(_("players who use this network address"), "shared_network"),
    "instrument_new": Attribute(_("first use of this payment instrument")),
    "instrument_funded": Attribute(_("earlier deposit with this payment instrument")),
    "country_minutes": Attribute(_("minutes since a transaction from another country")),
    "days_known": Attribute(_("days since the first transaction")),
    "kind": Attribute(_("the kind of transaction"), "kind", tuple(Kind.values)),
    "instrument_kind": Attribute(
        _("the kind of payment instrument"), "instrument_kind", ("", *(str(one) for one in Instrument.values))
    ),
    "risk": Attribute(_("the player's risk"), "risk", ("", *(str(one) for one in Risk.values))),
    "instrument_country": Attribute(_("the country of the payment instrument"), "instrument_country", ()),
    "ip_country": Attribute(_("the country of the network address"), "ip_country", ()),
    "nationality": Attribute(_("the player's nationality"), "nationality", ()),
}
# For the markers of harm alone: `age` of the player at the moment they are asked, the rest in the filters of features.
CARE_ATTRIBUTES: Final[Mapping[str, Attribute]] = {
    "age": Attribute(_("the player's age")),
    "clock_hour": Attribute(_("the hour of the day")),
    "sign": Attribute(_("the sign"), codes=tuple(Sign.values)),
}
EVERY_ATTRIBUTE: Final[Mapping[str, Attribute]] = {**ATTRIBUTES, **CARE_ATTRIBUTES}
FACTS: Final[Mapping[str, tuple[Fact, str | Promise]]] = {
    "list_hit": (Fact.LIST_HIT, _("the player is on a list of sanctions or of exposed persons")),
    "excluded": (Fact.EXCLUDED, _("the player was matched to somebody who is excluded")),
    "evasion": (Fact.EVASION, _("the player's papers were altered, of somebody else, or used by another player")),
}
# As they are read from the table, in this order.
COLUMNS: Final = (
    "id",
    "at",
    "customer_id",
    "kind",
    "amount",
    "currency",
    "instrument",
    "instrument_kind",
    "instrument_country",
    "holder_match",
    "device",
    "network",
    "ip_country",
    "proxy",
    "covered",
    "income",
    "nationality",
    "risk",
    "facts",
    "shared_device",
    "shared_instrument",
    "shared_network",
)


class Event:
    """A transaction on its way through the rules. Times are microseconds since 1970; money is minor units."""

    __slots__ = (
        *COLUMNS,
        "country_minutes",
        "day",
        "days_known",
        "hour",
        "instrument_funded",
        "instrument_new",
        "time",
        "zone",
    )
    id: UUID
    at: datetime
    customer_id: UUID
    kind: str
    amount: int
    currency: str
    instrument: UUID | None
    instrument_kind: str
    instrument_country: str
    holder_match: int
    device: UUID | None
    network: UUID | None
    ip_country: str
    proxy: int
    covered: int
    income: int
    nationality: str
    risk: str
    facts: int
    shared_device: int
    shared_instrument: int
    shared_network: int
    time: int
    hour: int
    day: int
    country_minutes: int
    days_known: int
    instrument_new: int
    instrument_funded: int
    zone: ZoneInfo

    def __init__(self, row: tuple[Any, ...], zone: ZoneInfo) -> None:
        """`row` holds COLUMNS; `zone` is the licensee's, whose days count."""
        (
            self.id,
            self.at,
            self.customer_id,
            self.kind,
            self.amount,
            self.currency,
            self.instrument,
            self.instrument_kind,
            self.instrument_country,
            holder_match,
            self.device,
            self.network,
            self.ip_country,
            proxy,
            covered,
            income,
            self.nationality,
            self.risk,
            self.facts,
            self.shared_device,
            self.shared_instrument,
            self.shared_network,
        ) = row
        self.holder_match = UNKNOWN if holder_match is None else holder_match
        self.proxy, self.covered, self.income = int(proxy), covered or 0, income or 0
        self.zone = zone
        self.time = (self.at - EPOCH) // MICROSECOND
        self.hour = self.time // HOUR
        self.day = day_of(self.time // SLOT, zone)
        self.country_minutes, self.days_known, self.instrument_new, self.instrument_funded = NEVER, 0, 0, 0

    @property
    def clock_hour(self) -> int:
        """The hour of the licensee's day."""
        return hour_of(self.time // SLOT, self.zone)

    @property
    def order(self) -> tuple[datetime, int]:
        """Where it stands among the customer's transactions. Ids compare as unsigned numbers, as in the database."""
        return self.at, self.id.int


@lru_cache(maxsize=100_000)
def day_of(slot: int, zone: ZoneInfo) -> int:
    """The day's number in `zone`, of a quarter of an hour since 1970."""
    return (EPOCH + timedelta(seconds=slot * 900)).astimezone(zone).date().toordinal()


@lru_cache(maxsize=100_000)
def hour_of(slot: int, zone: ZoneInfo) -> int:
    """The hour of the day in `zone`, of a quarter of an hour since 1970."""
    return (EPOCH + timedelta(seconds=slot * 900)).astimezone(zone).hour
