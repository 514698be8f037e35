"""What was said of each file, in order: by staff, by the product, by checks outside the house. Nothing is ever changed.

A result that a source made before one that we have already is kept and changes nothing (the watermark): messages of a
vendor overtake each other.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db.models import Max
from django.utils import timezone

from audit.actors import Acts, System
from cases.models import Evidence
from cases.types.verification.models import Ruling


def note_verdict(evidence: Evidence, *, by: Acts) -> Ruling:
    """A move of the evidence itself. Called in its transaction."""
    source = "system" if isinstance(by, System) else "staff"
    return _kept(evidence, source, evidence.state, evidence.reasons, said_at=timezone.now(), applied=True, by=by)


def note_result(
    evidence: Evidence, *, source: str, said: str, codes: Sequence[str], said_at: datetime, by: Acts
) -> Ruling:
    """A result from outside. `applied` of the row says whether it is the newest of its source."""
    Evidence.objects.select_for_update(of=("self",)).get(pk=evidence.pk)  # two results wait for each other
    mark = watermark(evidence, source)
    return _kept(evidence, source, said, codes, said_at=said_at, applied=mark is None or said_at > mark, by=by)


def watermark(evidence: Evidence, source: str) -> datetime | None:
    """The newest time of which this source has spoken."""
    found: datetime | None = Ruling.objects.filter(evidence=evidence, source=source).aggregate(at=Max("said_at"))["at"]
    return found


def _kept(
    evidence: Evidence, source: str, said: str, codes: Sequence[str], *, said_at: datetime, applied: bool, by: Acts
) -> Ruling:
    return Ruling.objects.create(
        evidence=evidence,
        source=source,
        said=said,
        codes=list(codes),
        said_at=said_at,
        applied=applied,
        by=str(by.audit_actor),
    )


def of(evidence: Evidence) -> list[Any]:
    rows = Ruling.objects.filter(evidence=evidence).order_by("recorded_at", "id")
    return list(rows.values("source", "said", "codes", "said_at", "recorded_at", "applied", "by"))
