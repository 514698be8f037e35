"""Money of the example platform, as Mizan hears of it: room is asked for before a deposit, each movement told after."""

import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from mizan_client import Mizan, Problem
from mizan_client.types import EventIn

KINDS = {"deposit": "deposit", "play": "bet", "withdraw": "withdrawal"}


@dataclass(frozen=True)
class Movement:
    """One act with money. Its `source_id` makes it count once, however often it is told."""

    account: str
    act: str
    amount: int
    source_id: str = field(default_factory=lambda: f"sim-{uuid.uuid4().hex}")
    at: str = field(default_factory=lambda: datetime.now(UTC).isoformat())


class Cashier:
    """`count(name)` is told what came of it. May be called from several threads."""

    def __init__(self, mizan: Mizan, currency: str, count: Callable[[str], None]) -> None:
        self._mizan, self._currency, self._count = mizan, currency, count
        self._untold: list[Movement] = []
        self._lock = threading.Lock()

    def has_room(self, movement: Movement) -> bool:
        """Whether the player's limits leave room for this deposit, which is kept for it. Without an answer: no."""
        try:
            said = self._mizan.check_limits(
                movement.account,
                act="deposit",
                currency=self._currency,
                amount=movement.amount,
                source_id=movement.source_id,
            )
        except (Problem, OSError, ValueError):
            self._count("limits.unanswered")
            return False
        fits = said["fits"] is not False  # None: there is no limit
        self._count("limits.fit" if fits else "limits.refused")
        return fits

    def tell(self, movement: Movement) -> None:
        """Report it, with all that could not be reported before."""
        with self._lock:
            self._untold.append(movement)
        self._tell_waiting()

    def _tell_waiting(self) -> None:
        with self._lock:
            waiting, self._untold = self._untold, []
        for one in waiting:
            try:
                self._report(one)
                self._count("reported")
            except (Problem, OSError, ValueError) as error:
                self._count("unreported")
                self._count(f"unreported.{error.code if isinstance(error, Problem) else type(error).__name__}")
                with self._lock:
                    self._untold.append(one)

    def settle(self, within: float = 60.0) -> None:
        """Report what could not be reported so far; for so many seconds at most, a second apart."""
        ends = time.monotonic() + within
        while self._untold and time.monotonic() < ends:
            self._tell_waiting()
            if self._untold:
                time.sleep(1)

    def _report(self, one: Movement) -> None:
        kind = KINDS[one.act]
        event: EventIn = {"source_id": one.source_id, "kind": kind, "amount": one.amount, "at": one.at}  # type: ignore[typeddict-item]
        self._mizan.report_money(one.account, currency=self._currency, events=[event])
        row = {
            "source_id": one.source_id,
            "account": one.account,
            "kind": kind,
            "currency": self._currency,
            "at": one.at,
        }
        self._mizan.report_transactions([{**row, "amount": one.amount}])

    @property
    def untold(self) -> int:
        return len(self._untold)
