"""Invented histories of players, for trying, measuring and testing: most play as people do, some as a typology does.

Seeded: the same seed gives the same history. Every transaction of a typology carries its label, so that rules can be
measured against it. Amounts are minor units; nothing here looks at the rules or their parameters.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final

from cases.types.monitoring.transactions.reading import Row

DAY: Final = timedelta(days=1)
MOST_DAYS: Final = 399


@dataclass
class Player:
    """Somebody with an account. What they do is appended to `rows`; `number` makes source ids."""

    reference: str
    name: str
    chance: random.Random
    begins: datetime
    days: int
    prefix: str
    currency: str = "EUR"
    country: str = "TR"
    label: str = ""
    ring: str = ""
    number: int = 0
    rows: list[Row] = field(default_factory=list)

    def does(self, kind: str, amount: int, at: datetime, *, labelled: bool = True, **facts: Any) -> None:
        self.number += 1
        given: dict[str, Any] = {"ip_country": self.country, "device_id": f"device-{self.reference}"}
        if kind in ("deposit", "withdrawal"):
            given |= {
                "instrument_id": f"card-{self.reference}",
                "instrument_kind": "card",
                "instrument_country": self.country,
                "holder": self.name,
            }
        row = Row(
            f"{self.prefix}-{self.reference}-{self.number}",
            self.reference,
            kind,
            max(1, amount),
            self.currency,
            at,
            label=self.label if labelled else "",
        )
        self.rows.append(replace(row, **(given | facts)))

    def moment(self, day: float) -> datetime:
        """Some time of a day of the history."""
        return self.begins + day * DAY + timedelta(seconds=self.chance.randrange(6 * 3600, 23 * 3600))

    def spread(self, mean: int) -> int:
        """An amount like those that people pay: many small ones, few large ones, most not round."""
        amount = int(self.chance.lognormvariate(0, 0.6) * mean)
        return amount // 1000 * 1000 if self.chance.random() < 0.25 else amount


# ------------------------------------------------------------------------------------------------- ordinary play
def plays(player: Player, *, days: int | None = None, first: int = 0, mean: int | None = None) -> None:
    """Deposits now and then, plays most of it, wins sometimes, withdraws what is left."""
    chance, mean = player.chance, mean or player.chance.choice([1_500, 3_000, 6_000])
    habit, balance = chance.uniform(0.05, 0.5), 0
    for day in range(first, days if days is not None else player.days):
        if chance.random() > habit:
            continue
        at = player.moment(day)
        if balance < mean:
            amount = player.spread(mean)
            player.does("deposit", amount, at, labelled=False)
            balance += amount
        for _bet in range(chance.randrange(2, 9)):
            at += timedelta(seconds=chance.randrange(20, 400))
            stake = min(balance, max(100, mean // 8))
            if stake < 100:
                break
            player.does("bet", stake, at, labelled=False)
            balance -= stake
            if chance.random() < 0.4:
                player.does("win", gain := int(stake * chance.uniform(1.1, 2.6)), at, labelled=False)
                balance += gain
        if balance > 6 * mean and chance.random() < 0.7:
            player.does("withdrawal", balance // 2, at + timedelta(hours=1), labelled=False)
            balance -= balance // 2
        if chance.random() < 0.02:
            player.does("bonus", 500, at, labelled=False)


# ------------------------------------------------------------------------------------------------- typologies
def structuring(player: Player) -> None:
    """Deposits just under what would be asked about, several in a day, more than once."""
    plays(player)
    for _time in range(player.chance.randrange(1, 4)):
        at = player.moment(player.chance.randrange(1, player.days - 1)).replace(hour=9)
        for number in range(player.chance.randrange(3, 6)):
            player.does("deposit", player.chance.randrange(162_000, 199_900), at + number * timedelta(hours=2))


def minimal_play(player: Player) -> None:
    """In and out again, hardly anything played."""
    day = player.chance.randrange(1, max(2, player.days - 6))
    amount = player.chance.randrange(120_000, 500_000)
    player.does("deposit", amount, player.moment(day))
    player.does("bet", amount // 40, player.moment(day + 1))
    player.does("withdrawal", int(amount * 0.94), player.moment(day + 2))


def third_party(player: Player) -> None:
    """Pays with a card of somebody else."""
    plays(player)
    facts: dict[str, Any] = {
        "instrument_id": f"other-{player.reference}",
        "instrument_kind": "card",
        "holder": "Bogdan Krzysztof Wójcik",
    }
    for _time in range(2):
        player.does("deposit", player.spread(20_000), player.moment(player.chance.randrange(player.days)), **facts)


def velocity(player: Player) -> None:
    """Very many payments in an hour, or card after card."""
    plays(player)
    at = player.moment(player.chance.randrange(player.days)).replace(minute=2)
    if player.chance.random() < 0.5:
        for number in range(player.chance.randrange(11, 16)):
            player.does("deposit", player.spread(2_000), at + number * timedelta(minutes=3))
    else:
        for number in range(player.chance.randrange(3, 6)):
            card: dict[str, Any] = {"instrument_id": f"card-{player.reference}-{number}", "instrument_kind": "card"}
            player.does("deposit", player.spread(5_000), at + number * timedelta(minutes=40), **card)


def shared_device(player: Player) -> None:
    """Several accounts behind one device."""
    plays(player)
    for _time in range(3):
        player.does(
            "deposit", player.spread(5_000), player.moment(player.chance.randrange(player.days)), device_id=player.ring
        )


def collusion(player: Player) -> None:
    """Loses at the table to the same player, hand after hand."""
    day = player.chance.randrange(max(1, player.days - 8))
    player.does("deposit", 60_000, player.moment(day))
    for number in range(player.chance.randrange(22, 40)):
        player.does("transfer_out", player.chance.randrange(900, 2_500), player.moment(day + number % 6))
    player.does("transfer_in", 700, player.moment(day + 6))


def dormant(player: Player) -> None:
    """Silent for half a year and more, then large at once."""
    player.does("deposit", 2_000, player.moment(0), labelled=False)
    player.does("bet", 1_900, player.moment(1), labelled=False)
    if player.days > 195:
        day = player.chance.randrange(190, player.days - 2)
        player.does("deposit", player.chance.randrange(210_000, 600_000), player.moment(day))


def round_amounts(player: Player) -> None:
    plays(player, mean=2_000)
    first = player.chance.randrange(max(1, player.days - 22))
    for number in range(player.chance.randrange(6, 10)):
        player.does("deposit", player.chance.choice([50_000, 100_000]), player.moment(first + 2 * number))


def risky_country(player: Player) -> None:
    plays(player)
    for _time in range(2):
        at = player.moment(player.chance.randrange(player.days))
        player.does("deposit", player.spread(5_000), at, ip_country=player.chance.choice(["IR", "KP", "MM"]))


def baseline_shift(player: Player) -> None:
    """Small for months, then many times as much in a week."""
    for day in range(0, player.days - 7, 3):
        player.does("deposit", player.spread(1_500), player.moment(day), labelled=False)
        player.does("bet", 1_200, player.moment(day), labelled=False)
    for number in range(5):
        player.does("deposit", player.chance.randrange(25_000, 60_000), player.moment(player.days - 6 + number))


def bonus_abuse(player: Player) -> None:
    """Takes a bonus and covers every outcome until it is free."""
    plays(player)
    day = player.chance.randrange(player.days - 2)
    player.does("bonus", 5_000, player.moment(day).replace(hour=7))
    for number in range(player.chance.randrange(4, 9)):
        at = player.moment(day).replace(hour=9) + number * timedelta(minutes=11)
        player.does("bet", 2_500, at, covered_percent=player.chance.randrange(92, 100))


def open_loop(player: Player) -> None:
    """Withdraws to where nothing ever came from."""
    plays(player)
    day = player.chance.randrange(max(1, player.days - 3))
    player.does("deposit", 40_000, player.moment(day))
    bank: dict[str, Any] = {"instrument_id": f"bank-{player.reference}", "instrument_kind": "bank"}
    player.does("withdrawal", player.chance.randrange(15_000, 39_000), player.moment(day + 2), **bank)


def funnel(player: Player) -> None:
    """Very many small deposits, one large withdrawal."""
    first = player.chance.randrange(max(1, player.days - 20))
    total = 0
    for number in range(player.chance.randrange(26, 40)):
        amount = player.chance.randrange(3_600, 6_900)
        total += amount
        player.does("deposit", amount, player.moment(first + number % 15))
    player.does("bet", total // 3, player.moment(first + 16))
    player.does("withdrawal", max(101_000, int(total * 0.9)), player.moment(first + 18))


def beyond_income(player: Player) -> None:
    income = player.chance.randrange(1_200_000, 2_000_000)
    for number in range(0, min(player.days, 80), 4):
        player.does("deposit", income // 35, player.moment(number), declared_income=income)
        player.does("bet", income // 40, player.moment(number))


def anonymous(player: Player) -> None:
    plays(player, mean=1_500)
    first = player.chance.randrange(max(1, player.days - 12))
    for number in range(player.chance.randrange(6, 11)):
        kind = player.chance.choice(["prepaid", "voucher", "crypto"])
        facts: dict[str, Any] = {"instrument_id": f"{kind}-{player.reference}", "instrument_kind": kind, "holder": ""}
        player.does("deposit", player.chance.randrange(9_000, 20_000), player.moment(first + number), **facts)


def reversals(player: Player) -> None:
    plays(player)
    first = player.chance.randrange(max(1, player.days - 25))
    for number in range(player.chance.randrange(3, 6)):
        player.does("deposit", 15_000, player.moment(first + 4 * number))
        player.does("reversal", 15_000, player.moment(first + 4 * number + 2))


def impossible_journey(player: Player) -> None:
    plays(player)
    at = player.moment(player.chance.randrange(player.days)).replace(hour=12)
    player.does("bet", 1_000, at, ip_country="TR")
    player.does("deposit", 8_000, at + timedelta(minutes=25), ip_country="BR")


# Label, and the code of the rule that ought to notice it.
TYPOLOGIES: Final[dict[str, tuple[str, Callable[[Player], None]]]] = {
    "structuring": ("R01", structuring),
    "minimal_play": ("R02", minimal_play),
    "third_party": ("R03", third_party),
    "velocity": ("R04", velocity),
    "shared_device": ("R05", shared_device),
    "collusion": ("R06", collusion),
    "dormant": ("R07", dormant),
    "round_amounts": ("R08", round_amounts),
    "risky_country": ("R09", risky_country),
    "baseline_shift": ("R10", baseline_shift),
    "bonus_abuse": ("R11", bonus_abuse),
    "open_loop": ("R12", open_loop),
    "funnel": ("R13", funnel),
    "beyond_income": ("R14", beyond_income),
    "anonymous": ("R16", anonymous),
    "reversals": ("R19", reversals),
    "impossible_journey": ("R20", impossible_journey),
}


def histories(
    players: list[tuple[str, str]], *, seed: str, begins: datetime, days: int, one_in: int = 10
) -> Iterator[list[Row]]:
    """What each of the players (reference, name) did in `days` days, in the order of time, player by player.

    One in `one_in` follows a typology, each typology in its turn; shared devices by threes.
    """
    labels, turn, ring, device = list(TYPOLOGIES), 0, 0, ""
    for number, (reference, name) in enumerate(players):
        chance = random.Random(f"{seed}:{number}")
        player = Player(reference, name, chance, begins, days, f"g{seed}")
        if ring:
            ring -= 1
            player.label, player.ring = "shared_device", device
        elif number % one_in == 0:
            player.label = labels[turn % len(labels)]
            turn += 1
            if player.label == "shared_device":
                ring, device = 2, f"ring-{seed}-{number}"
                player.ring = device
        act = TYPOLOGIES[player.label][1] if player.label else plays
        act(player)
        end = begins + days * DAY
        yield sorted((row for row in player.rows if row.at < end), key=lambda row: row.at)
