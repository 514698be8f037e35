"""Answers that come later, as signed messages (compliance.platform.inbound).

A vendor names the check, its own version of the answer, and the answer; a bank names who paid. A version that is not
newer than what came before changes nothing.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from cases.types.verification.checks import adapters, services
from cases.types.verification.checks.models import Check, Kind, Result
from compliance.people.alike import compare
from compliance.platform.inbound.kinds import Incoming, register
from compliance.platform.inbound.services import advance

VENDOR, BANK = "verification.idv", "verification.transfer"


def from_a_vendor(message: Incoming) -> str:
    """{"check": id, "version": 3, "result": "match", "codes": [], "said_at": "2026-11-22T10:00:00+00:00"}"""
    return _worked(message, Kind.IDV, adapters.read)


def from_a_bank(message: Incoming) -> str:
    """{"check": id, "version": 1, "payer": "AYŞE YILMAZ", "said_at": ...}: who paid, as the bank knows them."""
    return _worked(message, Kind.VERIFICATION_TRANSFER, None)


def _worked(message: Incoming, kind: str, read: Any) -> str:
    check = _check(message, kind)
    version = message.body.get("version")
    if check is None or not isinstance(version, int) or isinstance(version, bool) or not 0 <= version < 2**62:
        return "unknown"
    try:
        answer = read(message.body) if read else _payer(check, message.body)
    except adapters.NotAnswered:
        return "unknown"
    if not advance(message.sender, str(check.pk), version):
        return "late"
    return "applied" if services.answered(check, answer) else "late"


def _check(message: Incoming, kind: str) -> Check | None:
    """The check named, of the sender's own licensee and kind; nobody speaks of another's."""
    try:
        check_id = UUID(str(message.body.get("check")))
    except ValueError:
        return None
    mine = Check.objects.filter(case__licensee_id=message.sender.licensee_id, kind=kind)
    return mine.select_related("case__customer").filter(pk=check_id).first()


def _payer(check: Check, said: Any) -> adapters.Answer:
    """Whether the payer's name is the player's, by the stated fold; what is only alike is unclear."""
    payer = said.get("payer")
    if not isinstance(payer, str) or not 0 < len(payer) <= 200:
        raise adapters.NotAnswered("not_understood")
    like = compare(check.case.customer.full_name, payer)
    result = {"same": Result.MATCH, "other": Result.DIFFERS}.get(like.kind, Result.UNCLEAR)
    read = adapters.read({"result": result.value, "codes": [f"name_{like.kind}"], "said_at": said.get("said_at")})
    return adapters.Answer(read.result, read.codes, datetime.fromisoformat(said["said_at"]))


register(VENDOR, from_a_vendor)
register(BANK, from_a_bank)
