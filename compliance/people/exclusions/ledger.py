"""Exclusions outside the database: a file beside the keys that says which began and which ended.

A backup that is older than an exclusion would let its person play again. So each is written to a chained file after its
commit (compliance.keys.chained), and nothing is served while the file knows more than the database:
`manage.py exclusions reconcile` brings them back. A line holds ids, times and keyed digests, nothing that can be read.
"""

from pathlib import Path
from typing import Any

from django.conf import settings

from compliance.keys import chained
from compliance.keys.providers import KeyUnavailable
from compliance.outbox.services import wake
from compliance.people.exclusions.models import Exclusion, LedgerEntry, Suppressed

_PURPOSE = "exclusions"
_counted = chained.Counted()


class NotReconciled(KeyUnavailable):
    """The database is older than the last exclusion: nothing is served before they are reconciled."""


def write(exclusion: Exclusion, what: str) -> None:
    """Remember `what` (started, ended, annulled), in the database now; a worker writes the file after the commit."""
    LedgerEntry.objects.create(exclusion_id=exclusion.pk, what=what, body=_body(exclusion) if what == "started" else {})
    wake("exclusions.sweep")


def _body(exclusion: Exclusion) -> dict[str, Any]:
    moments = ("starts_at", "term_ends_at", "ends_at", "return_from")
    known = Suppressed.objects.filter(person_id=exclusion.person_id).order_by("what", "digest")
    row = exclusion.restriction
    return {
        "person": str(exclusion.person_id),
        "customer": str(exclusion.customer_id or ""),
        "licensee": str(exclusion.licensee_id),
        "kind": exclusion.kind,
        "asked_by": exclusion.asked_by,
        "scope": exclusion.scope,
        "policy": exclusion.policy_version,
        "stops": [effect for effect in type(row).EFFECTS if getattr(row, f"stops_{effect}")],
        "code": row.cover_code,
        **{name: at.isoformat() if (at := getattr(exclusion, name)) else "" for name in moments},
        "known_by": [[one.what, bytes(one.digest).hex()] for one in known],
    }


def sync() -> int:
    """Write down what the database knows and the file does not; return how many. Safe to call twice, or at once."""
    if LedgerEntry.objects.count() == _counted.lines(_file(), _PURPOSE):
        return 0
    return chained.add_missing(_file(), _PURPOSE, _missing)


def _missing(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    known = {line["id"] for line in lines}
    rows = LedgerEntry.objects.order_by("at", "pk")
    return [_line(row) for row in rows if str(row.pk) not in known]


def _line(row: LedgerEntry) -> dict[str, Any]:
    return {
        "id": str(row.pk),
        "exclusion": str(row.exclusion_id),
        "what": row.what,
        "at": row.at.isoformat(),
        "body": row.body,
    }


def unknown() -> list[dict[str, Any]]:
    """Lines of the file that the database does not have, oldest first."""
    lines = [line for line, _mac in chained.read(_file(), _PURPOSE)]
    known = set(map(str, LedgerEntry.objects.values_list("pk", flat=True))) if lines else set()
    return [line for line in lines if line["id"] not in known]


def refuse_if_unreconciled() -> None:
    """NotReconciled while the file holds more than the database."""
    lines = _counted.lines(_file(), _PURPOSE)
    if lines and LedgerEntry.objects.count() < lines:
        raise NotReconciled(
            f"{_file()} holds {lines} lines on exclusions, the database fewer: it was restored from a backup. "
            "Run `manage.py exclusions reconcile` before anything is served."
        )


def _file() -> Path:
    """Beside the file of shreds, so that one backup takes both."""
    shreds = Path(settings.TOMBSTONES_FILE)
    return shreds.with_name("exclusions" + shreds.name.removeprefix("shredded"))
