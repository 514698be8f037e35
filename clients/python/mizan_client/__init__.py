"""A small typed client for Mizan's API. Standard library only; copy the folder, or install it with pip.

    mizan = Mizan("https://mizan.example.com", key="mzn_...")
    gate = mizan.gate("P-88213")
    if gate["stop"]: ...

It sends an `Idempotency-Key` with everything that changes something, and the same one when it tries again, so nothing
happens twice. The gate fails closed: without an answer nothing is allowed.
"""

import base64
import hmac
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from hashlib import sha256

from mizan_client.calls import Problem, part
from mizan_client.files import Files
from mizan_client.play import Play
from mizan_client.types import (
    AccountOut,
    AccountRead,
    BrandOut,
    CaseOut,
    CaseRead,
    Comparison,
    ContactOut,
    CountOut,
    CustomerRead,
    EventOut,
    Gate,
    LicenseeOut,
    Permission,
    PersonRead,
    PolicyOut,
    Pong,
    ProposalOut,
    RestrictedAccount,
)

Account, Case, Event = AccountRead, CaseOut, EventOut

__all__ = ["Account", "Case", "Event", "Gate", "Mizan", "NotGenuine", "Permission", "Problem", "verify"]

EFFECTS = ("sign_in", "deposit", "play", "withdraw", "marketing")


class NotGenuine(Exception):
    """A webhook that we did not send, that was changed on its way, or that is older than five minutes."""


class Mizan(Play, Files):
    """`tries` is how often a request is sent at most; `time_out` in seconds is for each of them."""

    # ------------------------------------------------------------------------------------------ what changes something
    def register_customer(
        self, *, full_name: str, birth_date: date | str, nationality: str, idempotency_key: str = "", **more: str
    ) -> str:
        """The customer's id. `more`: national_id, address."""
        facts = {"full_name": full_name, "birth_date": str(birth_date), "nationality": nationality, **more}
        return str(self._post("/customers", facts, idempotency_key)["id"])

    def open_account(
        self, *, customer: str, brand: str, reference: str, idempotency_key: str = "", **more: str
    ) -> AccountOut:
        """`more`: email, phone, language, time_zone."""
        facts = {"customer": customer, "brand": brand, "reference": reference, **more}
        found: AccountOut = self._post("/accounts", facts, idempotency_key)
        return found

    def change_contact(self, account: str, **contact: str) -> AccountRead:
        """`contact`: email, phone ("" takes it away), language, time_zone. Ask the gate afterwards.

        The key needs the scope accounts:change.
        """
        body = json.dumps(contact).encode()
        found: AccountRead = self._json(self._send("PATCH", f"/accounts/{part(account)}", body))
        return found

    def open_verification(self, *, account: str, level: str, idempotency_key: str = "", **more: str) -> CaseOut:
        """`more`: because, crossed_at, knowable_at."""
        found: CaseOut = self._post("/verifications", {"account": account, "level": level, **more}, idempotency_key)
        return found

    def report_counts(self, day: date | str, counts: Mapping[str, int], **references: Sequence[str]) -> Comparison:
        facts = {"day": str(day), "counts": dict(counts), "references": {k: list(v) for k, v in references.items()}}
        found: Comparison = self._post("/daily-counts", facts, "")
        return found

    def withdraw_verification(self, number: str, idempotency_key: str = "") -> CaseOut:
        """The player wants no verification."""
        found: CaseOut = self._post(f"/verifications/{part(number)}/withdraw", None, idempotency_key)
        return found

    def report_trait(self, account: str, *, what: str, value: str, idempotency_key: str = "") -> None:
        """`what`: device or payment_instrument; `value`: your own token of it, never a card number."""
        self._post(f"/accounts/{part(account)}/traits", {"what": what, "value": value}, idempotency_key)

    # ------------------------------------------------------------------------------------------ the gate
    def gate(self, account: str) -> Gate:
        """What the account may do now. Ask at every sign-in, deposit and withdrawal; keep no answer.

        Without an answer of 200 nothing is allowed. An account that is not known raises Problem.
        """
        try:
            found: Gate = self._get(f"/accounts/{part(account)}/gate")
        except (Problem, OSError, ValueError) as error:  # what is no JSON is no answer either
            if isinstance(error, Problem) and error.status < 500 and error.status != 429:
                raise
            closed = Permission(allowed=False, code=None, until=None)
            found = Gate(
                account=account,
                stop=True,
                sign_in=closed,
                deposit=closed,
                play=closed,
                withdraw=closed,
                marketing=closed,
            )
        return found

    def restrictions(self, **filters: str | int) -> Iterator[RestrictedAccount]:
        """Accounts that may not do something now: for setting a platform right after an outage."""
        return self._all("/restrictions", filters)

    def restriction(self, account: str) -> RestrictedAccount:
        """As in the list; without restrictions while nothing is against the account."""
        found: RestrictedAccount = self._get(f"/restrictions/{part(account)}")
        return found

    # ------------------------------------------------------------------------------------------ what is read
    def ping(self) -> Pong:
        found: Pong = self._get("/ping")
        return found

    def licensee(self) -> LicenseeOut:
        found: LicenseeOut = self._get("/licensees")["items"][0]
        return found

    def brands(self) -> list[BrandOut]:
        found: list[BrandOut] = self._get("/brands")["items"]
        return found

    def policies(self, **filters: str) -> list[PolicyOut]:
        """`on`: only the one that holds on this day."""
        found: list[PolicyOut] = self._get("/policies", filters)["items"]
        return found

    def accounts(self, **filters: str | int) -> Iterator[AccountRead]:
        """Every account, the newest first, page by page."""
        return self._all("/accounts", filters)

    def account(self, reference: str, *, expand: str = "") -> AccountRead:
        found: AccountRead = self._get(f"/accounts/{part(reference)}", {"expand": expand})
        return found

    def customers(self, **filters: str | int) -> Iterator[CustomerRead]:
        return self._all("/customers", filters)

    def customer(self, id: str, *, expand: str = "") -> CustomerRead:
        found: CustomerRead = self._get(f"/customers/{part(id)}", {"expand": expand})
        return found

    def person(self, id: str) -> PersonRead:
        found: PersonRead = self._get(f"/persons/{part(id)}")
        return found

    def cases(self, **filters: str | int) -> Iterator[CaseRead]:
        """Every case, the newest first, page by page."""
        return self._all("/cases", filters)

    def case(self, number: str, *, expand: str = "") -> CaseRead:
        """`expand`: documents."""
        found: CaseRead = self._get(f"/cases/{part(number)}", {"expand": expand})
        return found

    def contacts(self, **filters: str | int) -> Iterator[ContactOut]:
        return self._all("/contacts", filters)

    def proposals(self, **filters: str | int) -> Iterator[ProposalOut]:
        return self._all("/proposals", filters)

    def daily_counts(self, **filters: str | int) -> Iterator[CountOut]:
        return self._all("/daily-counts", filters)

    def events(self, after: str = "", **filters: str) -> Iterator[EventOut]:
        """What happened after the event named, the oldest first, to the newest there is. Keep the last id you saw."""
        while True:
            page = self._get("/events", {**filters, "limit": 100, **({"after": after} if after else {})})
            yield from page["items"]
            if not page["has_more"]:
                return
            after = page["next"]


def verify(
    secrets: str | Sequence[str], headers: Mapping[str, str], body: bytes, *, now: float | None = None
) -> EventOut:
    """The event, when one of the secrets signed exactly these bytes within five minutes; else NotGenuine.

    Hand in the body as it came, not as it was parsed. While you exchange the secret, hand in both.
    """
    given = {name.lower(): value for name, value in headers.items()}
    name, moment = given.get("webhook-id", ""), given.get("webhook-timestamp", "")
    if not name or not (moment.isascii() and moment.isdigit() and len(moment) <= 12):
        raise NotGenuine("unsigned")
    signed = f"{name}.{moment}.".encode() + body
    expected = [
        base64.b64encode(hmac.new(base64.b64decode(secret.removeprefix("whsec_")), signed, sha256).digest())
        for secret in ([secrets] if isinstance(secrets, str) else secrets)
    ]
    offered = [one[3:].encode() for one in given.get("webhook-signature", "").split(" ") if one.startswith("v1,")]
    if True not in [hmac.compare_digest(one, other) for one in expected for other in offered]:
        raise NotGenuine("wrong signature")
    if abs((time.time() if now is None else now) - int(moment)) > 300:
        raise NotGenuine("not now")
    event: EventOut = json.loads(body)
    return event
