"""What a person reads on a paper, where no machine did or it read wrongly: kept beside what was read, never over it."""

import json
from collections.abc import Mapping

from django.db import transaction

from audit.actors import Acts
from audit.record import record
from compliance.keys.services import seal
from documents.models import Document, State
from documents.refusals import NotReady
from documents.services import reading_of

FIELDS = ("full_name", "birth_date", "national_id")
_PREFIX = "eye:"  # before the names of what a person read, beside those of the zone


def seen_in(reading: Mapping[str, str]) -> dict[str, str]:
    """By field what a person read, of all that `reading_of` gives."""
    return {field: reading[_PREFIX + field] for field in FIELDS if _PREFIX + field in reading}


@transaction.atomic
def keep(document: Document, said: Mapping[str, str], *, by: Acts, matter: str) -> None:
    """Keep what `by` reads in these fields; an empty one takes back what was kept. The log keeps both, sealed.

    Whether they may work on the matter, and what a value must look like, is asked above. Raises NotReady.
    """
    held = Document.objects.select_for_update(of=("self",)).select_related("customer").get(pk=document.pk)
    if held.state != State.READY:
        raise NotReady(f"the document is {held.state}")
    reading = reading_of(held)
    before = seen_in(reading)
    after = {field: value for field, value in (before | dict(said)).items() if value}
    if after == before:
        return
    others = {name: value for name, value in reading.items() if not name.startswith(_PREFIX)}
    whole = json.dumps(others | {_PREFIX + field: value for field, value in after.items()}).encode()
    sealed = seal(held.audit_subject, "document_reading", whole, aad=held.pk.bytes)
    changed = sorted(field for field in FIELDS if before.get(field) != after.get(field))
    details = {"fields": changed, "before": json.dumps(before), "after": json.dumps(after)}
    record("documents.read_by_eye", by=by, about=held, matter=matter, details=details)
    Document.objects.filter(pk=held.pk).update(reading_sealed=sealed)
