"""What protects play: limits, money, exclusions, registers, orders to stop. Part of `Mizan`."""

from collections.abc import Mapping, Sequence
from typing import Any

from mizan_client.calls import Calls, part
from mizan_client.types import (
    CheckOut,
    EventIn,
    EventsOut,
    ExclusionOut,
    Exclusions,
    HeardOut,
    LimitOut,
    LimitsOut,
    LinkOut,
    PeriodIn,
    StopOrderOut,
    TransactionList,
    TransactionsOut,
)

MOST_ORDERS = 200  # in one answer


class Play(Calls):
    # ------------------------------------------------------------------------------------------ limits and money
    def limits(self, account: str) -> LimitsOut:
        found: LimitsOut = self._get(f"/accounts/{part(account)}/limits")
        return found

    def ask_limit(
        self, account: str, *, measure: str, span: str, amount: int | None, idempotency_key: str = "", **more: str
    ) -> LimitOut:
        """`amount` in minor units, None for no limit any more; `more`: currency, window. A raise waits."""
        facts = {"measure": measure, "span": span, "amount": amount, **more}
        found: LimitOut = self._post(f"/accounts/{part(account)}/limits", facts, idempotency_key)
        return found

    def confirm_limit(self, account: str, receipt: str, idempotency_key: str = "") -> LimitOut:
        """The player confirms a raise after its time to reflect."""
        return self._of_limit(account, receipt, "confirm", idempotency_key)

    def withdraw_limit(self, account: str, receipt: str, idempotency_key: str = "") -> LimitOut:
        return self._of_limit(account, receipt, "withdraw", idempotency_key)

    def test_passed(self, account: str, receipt: str, idempotency_key: str = "") -> LimitOut:
        """The player passed the test that the law asks for before this raise."""
        return self._of_limit(account, receipt, "test-passed", idempotency_key)

    def _of_limit(self, account: str, receipt: str, act: str, idempotency_key: str) -> LimitOut:
        path = f"/accounts/{part(account)}/limits/{part(receipt)}/{act}"
        found: LimitOut = self._post(path, None, idempotency_key)
        return found

    def check_limits(
        self, account: str, *, act: str, currency: str, amount: int | None = None, source_id: str = ""
    ) -> CheckOut:
        """Whether a deposit or wager fits the limits. With `source_id` room for it is kept until it is reported.

        No answer raises: take no money then.
        """
        facts: dict[str, Any] = {"act": act, "currency": currency, "amount": amount}
        facts |= {"reserve": True, "source_id": source_id} if source_id else {}
        found: CheckOut = self._post(f"/accounts/{part(account)}/limit-checks", facts, "")
        return found

    def release(self, account: str, source_id: str) -> bool:
        """Give kept room back: the payment came to nothing."""
        path = f"/accounts/{part(account)}/reservations/{part(source_id)}/release"
        return bool(self._post(path, None, "")["released"])

    def report_money(self, account: str, *, currency: str, events: Sequence[EventIn]) -> EventsOut:
        """What happened to an account's money and time of play; each `source_id` counts once."""
        facts = {"currency": currency, "events": list(events)}
        found: EventsOut = self._post(f"/accounts/{part(account)}/money-events", facts, "")
        return found

    def report_transactions(self, rows: Sequence[Mapping[str, str | int | bool | None]]) -> TransactionsOut:
        """Up to 500 transactions of any accounts: all or none; each `source_id` counts once."""
        found: TransactionsOut = self._post("/transactions", {"transactions": [dict(row) for row in rows]}, "")
        return found

    def transactions(self, source_ids: Sequence[str]) -> TransactionList:
        """What was accepted under these numbers of yours, 100 at most; `missing` names those that were not."""
        found: TransactionList = self._get("/transactions", {"source_id": list(source_ids)})
        return found

    def player_link(self, account: str, idempotency_key: str = "") -> LinkOut:
        """Sends a player who is signed in with you to their own page of limits, once."""
        found: LinkOut = self._post(f"/accounts/{part(account)}/player-links", None, idempotency_key)
        return found

    # ------------------------------------------------------------------------------------------ exclusions
    def exclusions(self, account: str) -> Exclusions:
        """What runs, and what can be offered."""
        found: Exclusions = self._get(f"/accounts/{part(account)}/exclusions")
        return found

    def keep_out(
        self, account: str, *, kind: str, period: PeriodIn | None = None, scope: str = "", idempotency_key: str = ""
    ) -> ExclusionOut:
        """`kind`: time_out or self_exclusion. In force before you read the answer; it cannot be taken back."""
        facts: dict[str, Any] = {"kind": kind, "period": period} | ({"scope": scope} if scope else {})
        found: ExclusionOut = self._post(f"/accounts/{part(account)}/exclusions", facts, idempotency_key)
        return found

    def ask_return(self, account: str, exclusion: str, *, words: str = "", idempotency_key: str = "") -> ExclusionOut:
        """`words`: what the player wrote. Nothing changes by asking."""
        return self._of_return(account, exclusion, "", {"words": words}, idempotency_key)

    def confirm_return(self, account: str, exclusion: str, idempotency_key: str = "") -> ExclusionOut:
        return self._of_return(account, exclusion, "/confirmation", None, idempotency_key)

    def take_back_return(self, account: str, exclusion: str, idempotency_key: str = "") -> ExclusionOut:
        return self._of_return(account, exclusion, "/withdrawal", None, idempotency_key)

    def _of_return(
        self, account: str, exclusion: str, act: str, facts: Mapping[str, Any] | None, idempotency_key: str
    ) -> ExclusionOut:
        path = f"/accounts/{part(account)}/exclusions/{part(exclusion)}/return{act}"
        found: ExclusionOut = self._post(path, facts, idempotency_key)
        return found

    def ask_registers(self, account: str, idempotency_key: str = "") -> list[HeardOut]:
        """Ask the national registers now, at a sign-in where the law says so; then ask the gate."""
        found: list[HeardOut] = self._post(f"/accounts/{part(account)}/register-checks", None, idempotency_key)
        return found

    # ------------------------------------------------------------------------------------------ orders to stop
    def stop_orders(self) -> list[StopOrderOut]:
        """All that you have not confirmed: after an outage."""
        found: list[StopOrderOut] = []
        while True:
            after = {"after": found[-1]["id"]} if found else {}
            page: list[StopOrderOut] = self._get("/stop-orders", {"limit": MOST_ORDERS, **after})
            found += page
            if len(page) < MOST_ORDERS:
                return found

    def confirm_stop(self, order: str, done: Sequence[str]) -> StopOrderOut:
        """What was ended of an `account.stop` event, such as ["sessions"]. It is sent again until nothing is left."""
        found: StopOrderOut = self._post(f"/stop-orders/{part(order)}/confirmations", {"done": list(done)}, "")
        return found
