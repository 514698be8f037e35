"""Who answers electronic checks: one interface, an adapter for a bridge over HTTPS, and a simulator that ships.

An adapter fails closed: whatever is no clear answer is an exception or `unclear`, and neither proves anything. It is
called from the outbox, never in a request.
"""

import json
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Protocol

from django.conf import settings
from django.utils import timezone

from cases.types.verification.checks.models import Result
from compliance.people.queries import fold
from compliance.platform.webhooks import sending, signing

SIMULATOR: Final = "simulator"
MOST_CODES: Final = 10


class NotAnswered(Exception):
    """The other side could not be asked, or said nothing that we understand. `code` is for the log."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Question:
    """What leaves the house for a check; nothing more does."""

    check: str
    kind: str
    full_name: str
    birth_date: str
    nationality: str
    national_id: str


@dataclass(frozen=True, slots=True)
class Answer:
    result: str
    codes: tuple[str, ...]
    said_at: datetime


class Adapter(Protocol):
    def ask(self, question: Question) -> Answer | None:
        """The answer, or None when it comes later as a signed message. Raises NotAnswered."""


def adapter_of(kind: str) -> Adapter | None:
    """Who is set up for this kind; None: nobody, so a person looks at papers."""
    named = settings.CHECKS.get(kind, "")
    if not named:
        return None
    return Simulator() if named == SIMULATOR else Bridge(named)


def is_set_up(kind: str) -> bool:
    return adapter_of(kind) is not None


def read(said: Mapping[str, Any]) -> Answer:
    """An answer as JSON: result, codes, said_at. NotAnswered for anything else: it is not guessed at."""
    codes = said.get("codes", [])
    if said.get("result") not in Result.values or not isinstance(codes, list) or len(codes) > MOST_CODES:
        raise NotAnswered("not_understood")
    if not all(isinstance(code, str) and code.isidentifier() and len(code) <= 40 for code in codes):
        raise NotAnswered("not_understood")
    try:
        said_at = datetime.fromisoformat(str(said.get("said_at")))
    except ValueError:
        raise NotAnswered("not_understood") from None
    if said_at.tzinfo is None or said_at > timezone.now() + timedelta(minutes=5):
        raise NotAnswered("not_understood")
    return Answer(said["result"], tuple(codes), said_at)


class Bridge:
    """The operator's bridge to a register, bank or vendor, signed as Standard Webhooks. 200 answers; 202: later."""

    def __init__(self, url: str) -> None:
        self.url = url

    def ask(self, question: Question) -> Answer | None:
        if not settings.CHECKS_SECRET:
            raise NotAnswered("no_secret")
        body = json.dumps(asdict(question)).encode()
        headers = signing.headers([settings.CHECKS_SECRET], question.check, int(time.time()), body)
        outcome = sending.post(self.url, headers | {"Content-Type": "application/json"}, body)
        if not outcome.delivered:
            raise NotAnswered("unreachable")
        if outcome.status == 202:
            return None
        try:
            said = json.loads(outcome.reply)
        except ValueError:
            raise NotAnswered("not_understood") from None
        return read(said if isinstance(said, dict) else {})


class Simulator:
    """Answers by the player's surname, so that every way can be tried: Differs, Unclear, Down, Later; else it fits."""

    def ask(self, question: Question) -> Answer | None:
        last = fold(question.full_name).split()[-1:]
        if last == ["down"]:
            raise NotAnswered("unreachable")
        if last == ["later"]:
            return None
        result = {"differs": Result.DIFFERS, "unclear": Result.UNCLEAR}.get("".join(last), Result.MATCH)
        codes = ("name",) if result == Result.DIFFERS else ()
        return Answer(result.value, codes, timezone.now())
