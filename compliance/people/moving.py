"""Money that moved on accounts: told by whoever counts it, heard by whoever adds it up. Neither knows the other.

Whoever counts names a reader as it starts, and tells of each batch in the transaction that counts it. Whoever listens
must be quick and must not fail: the count waits for it.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from compliance.people.models import Licensee

DEPOSIT, WITHDRAWAL, STAKE, WINNING, REVERSAL = "deposit", "withdrawal", "bet", "win", "reversal"


@dataclass(frozen=True, slots=True)
class Movement:
    """One counted transaction. `at` is when it happened, `known_at` when we received it; `amount` in minor units.

    `by` is how it was paid (card, bank, ...), "" where the platform did not say. A reversal is a deposit charged back,
    or a withdrawal that the player took back.
    """

    id: UUID
    at: datetime
    known_at: datetime
    account_id: UUID
    kind: str
    by: str
    amount: int
    currency: str

    @property
    def order(self) -> tuple[datetime, int]:
        return self.at, self.id.int


Moved = tuple[UUID, datetime, str]  # of whom, when it happened, its kind
Follow = Callable[[Licensee, Sequence[Moved]], None]
Read = Callable[[UUID, Collection[str], datetime | None, datetime | None], list[Movement]]

_followers: Final[list[Follow]] = []
_readers: Final[list[Read]] = []


def also(follow: Follow) -> None:
    """Have `follow(licensee, moved)` called in the transaction that counts a batch."""
    _followers.append(follow)


def tell(licensee: Licensee, moved: Sequence[Moved]) -> None:
    for follow in _followers:
        follow(licensee, moved)


def read_by(read: Read) -> None:
    """Name who reads what was counted: `read(customer, kinds, since, until)`, of all the customer's accounts, in no
    order."""
    _readers.append(read)


def movements(
    customer: UUID, kinds: Collection[str], *, since: datetime | None = None, until: datetime | None = None
) -> list[Movement]:
    """What a customer moved since a moment (None: ever), before another (None: till now), in the order of time."""
    found = [one for read in _readers for one in read(customer, kinds, since, until)]
    return sorted(found, key=lambda one: one.order)
