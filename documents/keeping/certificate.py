"""The certificate of an erasure: what was destroyed, by whose decision, and since when every copy is dead.

A JSON object; the log keeps its SHA-256, so that an export of the log proves it. `pdf` says the same on a page.
"""

import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import typst
from django.conf import settings
from django.db import transaction
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from audit.actors import Acts
from audit.models import Entry
from audit.record import record
from compliance.keys.models import EpochEnd
from compliance.keys.providers import provider
from compliance.policy import PolicyMissing, PolicyNotVerified
from compliance.rulebook.queries import policy_of
from documents.keeping.models import Erasure

FORMAT = "mizan-erasure/1"
TEMPLATE = Path(settings.BASE_DIR) / "templates" / "keeping" / "certificate.typ"
REMAINS = (
    "entries of the log, whose sealed parts nobody can read any more",
    "ids without a name, and the operator's account reference",
    "restrictions, which keep an excluded person out",
)


def backups(erasure: Erasure) -> dict[str, Any]:
    """Whether the key is dead in every backup, and since when; else which epochs still have to be destroyed.

    A backup may hold the key as it was wrapped under any epoch up to the last one, so all of these must have ended.
    """
    keys = provider()
    if keys.name != erasure.provider:
        return {"dead": False, "since": None, "waiting_for": [f"{erasure.provider}: another provider is in use"]}
    living = [epoch for epoch in keys.epochs() if epoch <= erasure.epoch]
    if living:
        return {"dead": False, "since": None, "waiting_for": [f"{keys.name}: epoch {epoch}" for epoch in living]}
    ends = EpochEnd.objects.filter(provider=erasure.provider, epoch__lte=erasure.epoch).values_list(
        "final_at", flat=True
    )
    since = max([erasure.shredded_at, *ends])
    return {"dead": since <= datetime.now(UTC), "since": since.isoformat(timespec="seconds"), "waiting_for": []}


def certificate(erasure: Erasure) -> dict[str, Any]:
    customer = erasure.customer
    return {
        "format": FORMAT,
        "erasure": str(erasure.pk),
        "customer": str(customer.pk),
        "licensee": {"name": customer.licensee.name, "jurisdiction": customer.licensee.jurisdiction},
        "reason": erasure.reason,
        "lawful": {"rule": erasure.rule, "policy": erasure.policy, "kept_until": _text(erasure.kept_until)},
        "decided": {
            "proposed_by": erasure.maker,
            "confirmed_by": erasure.decided_by,
            "proposal": str(erasure.proposal_id or ""),
        },
        "key_destroyed_at": erasure.shredded_at.isoformat(timespec="seconds"),
        "files_removed_at": _text(erasure.finished_at),
        "destroyed": {
            "keys": erasure.keys,
            "through_version": erasure.through_version,
            "documents": erasure.documents,
            "rows": erasure.rows,
        },
        "backups": backups(erasure) | {"condition": _condition(erasure), "removed": _removed(erasure)},
        "remains": list(REMAINS),
    }


def _removed(erasure: Erasure) -> dict[str, str] | None:
    """The day from which no backup holds the player any more, by the operator's rule of that day; None without one."""
    licensee = erasure.customer.licensee
    day = licensee.day_of(erasure.finished_at or erasure.shredded_at)
    try:
        policy = policy_of(licensee, on=day)
        rule = policy.retention.backups
    except (PolicyMissing, PolicyNotVerified):
        return None
    return {"on": rule.value.after(day).isoformat(), "rule": rule.id, "policy": policy.version} if rule else None


def _condition(erasure: Erasure) -> str:
    """What no program can see: copies of the wrapping key outside the provider."""
    if erasure.provider != "file":
        return ""
    escrows = [
        row.facts["data"]["escrow"]
        for row in Entry.objects.filter(action="keys.escrow").order_by("id")
        if any(epoch <= erasure.epoch for epoch in row.facts["data"]["epochs"])
    ]
    kept = f" and of the escrow files {', '.join(escrows)}" if escrows else ""
    return f"Every copy of the key file that holds epoch {erasure.epoch} or an older one{kept} was destroyed too."


def issue(erasure: Erasure, *, by: Acts) -> tuple[bytes, str]:
    """The certificate's bytes and their SHA-256, which an entry of the log keeps."""
    made = certificate(erasure)
    text = json.dumps(made, indent=1, sort_keys=True).encode() + b"\n"
    digest = hashlib.sha256(text).hexdigest()
    facts = {"erasure": str(erasure.pk), "digest": digest, "backups_dead": made["backups"]["dead"]}
    if made["backups"]["since"]:
        facts["dead_since"] = made["backups"]["since"]
    with transaction.atomic():
        record("keeping.certify", by=by, about=erasure, details=facts)
    return text, digest


def pdf(text: bytes, digest: str) -> bytes:
    """The same on one page, as PDF/A-2b, in the active language."""
    data = json.dumps(_page(json.loads(text), digest), ensure_ascii=False)
    return bytes(typst.compile(TEMPLATE.read_bytes(), sys_inputs={"data": data}, pdf_standards=["a-2b"]))


def _page(facts: dict[str, Any], digest: str) -> dict[str, Any]:
    now, destroyed, dead = datetime.now(UTC), facts["destroyed"], facts["backups"]
    removed = dead["removed"]
    waiting = _("Not yet. These epochs still open old backups: {epochs}").format(epochs=", ".join(dead["waiting_for"]))
    rows = [
        (_("Licensee"), f"{facts['licensee']['name']} ({facts['licensee']['jurisdiction']})"),
        (_("Player"), facts["customer"]),
        (_("Reason"), facts["reason"]),
        (_("Rule"), f"{facts['lawful']['rule']} ({facts['lawful']['policy']})"),
        (_("Kept until"), facts["lawful"]["kept_until"] or ""),
        (_("Decided by"), f"{facts['decided']['proposed_by']} {facts['decided']['confirmed_by']}".strip()),
        (_("Key destroyed at"), facts["key_destroyed_at"]),
        (_("Files removed at"), facts["files_removed_at"] or ""),
        (_("Documents"), str(destroyed["documents"])),
        (_("Dead in every backup since"), dead["since"] or waiting),
        (_("Provided that"), dead["condition"]),
        (_("Last backup removed by"), f"{removed['on']} ({removed['rule']})" if removed else ""),
        (_("What remains"), "; ".join(facts["remains"])),
    ]
    return {
        "language": get_language() or "en",
        "title": _("Certificate of erasure"),
        "lead": _(
            "The log of this installation keeps the SHA-256 of the certificate, so that an export of it proves this."
        ),
        "rows": [[name, value] for name, value in rows if value],
        "digest": f"SHA-256 {digest}",
        "made": [now.year, now.month, now.day],
    }


def _text(value: Any) -> str | None:
    return value.isoformat() if value else None
