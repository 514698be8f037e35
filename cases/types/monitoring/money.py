"""The player's money over time: deposits, withdrawals and bets a day or week, with the days of flags, per currency.

Sums never cross currencies. The drawing is inline SVG whose numbers are whole units of its view box; the table beside
it says the same in words.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Count, Max, Min, Q, Sum
from django.db.models.functions import TruncDate
from django.utils import timezone

from cases.patterns.kinds import Kind
from cases.types.monitoring.models import Investigation
from cases.types.monitoring.rules.models import Flag
from cases.types.monitoring.services import players_of
from cases.types.monitoring.transactions.models import PaymentInstrument, Transaction, Use
from compliance.people.models import Customer

SHOWN = timedelta(days=180)
BY_DAY = 60  # more days than these are shown by weeks
WIDTH, HALF = 960, 120  # of the view box: deposits above the line, withdrawals below it
SERIES = (Kind.DEPOSIT, Kind.WITHDRAWAL, Kind.BET)


@dataclass(frozen=True, slots=True)
class Bucket:
    """Minor units of one currency from `starts_on` on, and the flags of that time."""

    starts_on: date
    deposits: int
    withdrawals: int
    bets: int
    flags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Bar:
    """A rectangle of the drawing, in whole units as text: templates would write 1.234 for 1234."""

    x: str
    y: str
    width: str
    height: str
    of: str


@dataclass(frozen=True, slots=True)
class View:
    """One currency: buckets for the table, bars, the line of bets and the marks of flags for the drawing."""

    currency: str
    buckets: Sequence[Bucket]
    by_week: bool
    bars: Sequence[Bar]
    line: str
    marks: Sequence[tuple[str, str]]

    @property
    def totals(self) -> tuple[int, int, int]:
        rows = [(one.deposits, one.withdrawals, one.bets) for one in self.buckets]
        deposits, withdrawals, bets = (sum(column) for column in zip(*rows, strict=True))
        return deposits, withdrawals, bets


@dataclass(frozen=True, slots=True)
class Instrument:
    """Something the player paid with, how much, and how many other players use the same."""

    kind: str
    tail: str
    country: str
    holder_match: int | None
    deposits: int
    withdrawals: int
    others: int
    seen_at: datetime | None


def views_of(investigation: Investigation, *, now: datetime | None = None) -> list[View]:
    """One for each currency that the investigation's players used in the last half year."""
    now = now or timezone.now()
    players, zone = players_of(investigation), investigation.licensee.zone
    rows = Transaction.objects.filter(customer__in=players, at__gte=now - SHOWN, at__lte=now, kind__in=SERIES)
    by_day = (
        rows.annotate(day=TruncDate("at", tzinfo=zone)).values("currency", "day", "kind").annotate(sum=Sum("amount"))
    )
    found: dict[str, dict[date, dict[str, int]]] = {}
    for row in by_day.order_by("currency", "day"):
        found.setdefault(row["currency"], {}).setdefault(row["day"], {})[row["kind"]] = int(row["sum"])
    flags = [(investigation.licensee.day_of(at), code) for at, code in _flags(players, now)]
    return [view(currency, days, flags, last=investigation.licensee.day_of(now)) for currency, days in found.items()]


def view(currency: str, days: dict[date, dict[str, int]], flags: Iterable[tuple[date, str]], *, last: date) -> View:
    """Pure: sums by day and kind, and days of flags, laid out from the first day of either to `last`."""
    flags = sorted(flags)
    first = min([*days, *(day for day, _code in flags if day <= last)])
    by_week = (last - first).days >= BY_DAY
    step = timedelta(days=7 if by_week else 1)
    buckets, starts = [], first
    while starts <= last:
        inside = [sums for day, sums in days.items() if starts <= day < starts + step]
        deposits, withdrawals, bets = (sum(sums.get(kind, 0) for sums in inside) for kind in SERIES)
        codes = tuple(code for day, code in flags if starts <= day < starts + step)
        buckets.append(Bucket(starts, deposits, withdrawals, bets, codes))
        starts += step
    return View(currency, buckets, by_week, *_drawn(buckets))


def instruments_of(investigation: Investigation) -> list[Instrument]:
    """What the players paid with, the most used first."""
    players = players_of(investigation)
    sums = {
        row["instrument"]: row
        for row in Transaction.objects.filter(customer__in=players, instrument__isnull=False)
        .values("instrument")
        .annotate(
            deposits=Count("id", filter=Q(kind=Kind.DEPOSIT)),
            withdrawals=Count("id", filter=Q(kind=Kind.WITHDRAWAL)),
            seen=Max("at"),
        )
    }
    rows = PaymentInstrument.objects.filter(customer__in=players)
    users = dict(
        Use.objects.filter(key__in=rows.values("key"))
        .exclude(customer__in=players)
        .values_list("key")
        .annotate(Count("customer"))
    )
    found = [_instrument(row, sums.get(row.key, {}), users.get(row.key, 0)) for row in rows]
    return sorted(found, key=lambda one: one.deposits + one.withdrawals, reverse=True)


def linked(investigation: Investigation) -> list[tuple[Customer, list[str], datetime]]:
    """Other players who used the same device, instrument or network: what they share, and since when both did."""
    players = players_of(investigation)
    mine = dict(Use.objects.filter(customer__in=players).values_list("key", "kind"))
    rows = Use.objects.filter(key__in=list(mine)).exclude(customer__in=players)
    shared: dict[UUID, list[Any]] = {}
    for row in rows.order_by("first_at")[:500]:
        shared.setdefault(row.customer_id, []).append(row)
    people = Customer.objects.filter(pk__in=shared, licensee=investigation.licensee_id).in_bulk()
    found = [
        (people[key], sorted({row.get_kind_display() for row in uses}), min(row.first_at for row in uses))
        for key, uses in shared.items()
        if key in people
    ]
    return sorted(found, key=lambda one: (-len(one[1]), one[2]))


def counterparties(investigation: Investigation) -> list[dict[str, Any]]:
    """Players with whom money went to and fro at the tables: how often, and how much each way, per currency."""
    players = players_of(investigation)
    rows = Transaction.objects.filter(customer__in=players, counterparty__isnull=False)
    sums = rows.values("counterparty", "currency").annotate(
        lost=Sum("amount", filter=Q(kind=Kind.TRANSFER_OUT)),
        gained=Sum("amount", filter=Q(kind=Kind.TRANSFER_IN)),
        times=Count("id"),
        since=Min("at"),
    )
    found = list(sums.order_by("-times")[:50])
    people = Customer.objects.filter(pk__in=[row["counterparty"] for row in found]).in_bulk()
    return [{**row, "player": people.get(row["counterparty"])} for row in found]


def _flags(players: list[UUID], now: datetime) -> list[tuple[datetime, str]]:
    rows = Flag.objects.filter(customer__in=players, flagged_at__gte=now - SHOWN)
    return list(rows.order_by("flagged_at").values_list("flagged_at", "code"))


def _instrument(row: PaymentInstrument, sums: Mapping[str, Any], others: int) -> Instrument:
    return Instrument(
        row.get_kind_display(),
        row.tail,
        row.country,
        row.holder_match,
        sums.get("deposits", 0),
        sums.get("withdrawals", 0),
        others,
        sums.get("seen"),
    )


def _drawn(buckets: Sequence[Bucket]) -> tuple[list[Bar], str, list[tuple[str, str]]]:
    most = max([1, *(max(one.deposits, one.withdrawals) for one in buckets)])
    most_bets = max([1, *(one.bets for one in buckets)])
    slot = WIDTH / len(buckets)
    width = max(1, int(slot * 0.7))
    bars, points, marks = [], [], []
    for place, one in enumerate(buckets):
        left = int(place * slot)
        up, down = HALF * one.deposits // most, HALF * one.withdrawals // most
        if up:
            bars.append(Bar(str(left), str(HALF - up), str(width), str(up), "deposit"))
        if down:
            bars.append(Bar(str(left), str(HALF), str(width), str(down), "withdrawal"))
        points.append(f"{left + width // 2},{HALF - HALF * one.bets // most_bets}")
        if one.flags:
            marks.append((str(left + width // 2), ", ".join(one.flags)))
    return bars, " ".join(points), marks
