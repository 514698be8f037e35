"""Striking through what is wrong in a note or a contact. The original stays as it was written."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from audit.cards import without_cards
from audit.perform import ConditionsNotMet, StaleVersion
from audit.record import record
from cases.contacts.models import Contact
from cases.contacts.services import summary_of
from cases.corrections.models import Correction
from cases.happenings import tell
from cases.models import Case, Note
from cases.permissions import WORK
from cases.services import note_text, require
from compliance.keys.services import open_sealed, seal
from compliance.people.models import User

TEXT: Final = "corrections.text"
LONGEST: Final = 4000
BECAUSE: Final[Mapping[str, str | Promise]] = {
    "mistake": gettext_lazy("It is wrong"),
    "other_case": gettext_lazy("It belongs to another case or player"),
    "too_much": gettext_lazy("It says more than is needed"),
    "twice": gettext_lazy("It was written twice"),
}
ACTIONS: Final[Mapping[str, str]] = {"cases.write_note": "note", "contacts.log": "contact"}


class Overtaken(StaleVersion):
    """Somebody else corrected it meanwhile. `mine` was not saved, `theirs` stands there now: the page shows both."""

    def __init__(self, fresh: Correction, *, mine: str) -> None:
        super().__init__(fresh)
        self.mine, self.theirs = mine, text_of(fresh)


def _note(case: Case, pk: UUID) -> str | None:
    note = Note.objects.filter(case_id=case.pk, pk=pk).select_related("case").first()
    return note_text(note) if note else None


def _contact(case: Case, pk: UUID) -> str | None:
    contact = Contact.objects.filter(case_id=case.pk, pk=pk).select_related("case").first()
    return summary_of(contact) if contact else None


ORIGINALS: Final[Mapping[str, Callable[[Case, UUID], str | None]]] = {"note": _note, "contact": _contact}


def original(case: Case, of: str, pk: UUID) -> str | None:
    """What was first written; None when this case has no such thing."""
    return ORIGINALS[of](case, pk) if of in ORIGINALS else None


@transaction.atomic
def correct(case: Case, of: str, pk: UUID, *, by: User, because: str, text: str = "", number: int) -> Correction:
    """Strike it through, say why, and what should stand there. `number` is of the correction seen last (0: none).

    Raises Overtaken when there is a newer one, with both texts.
    """
    require(WORK, case, by=by, action="corrections.correct")
    text = without_cards(text.strip())
    if original(case, of, pk) is None or because not in BECAUSE or len(text) > LONGEST:
        raise ConditionsNotMet([_("Choose a reason.")])
    last = newest(of, pk)
    if last is not None and last.number != number:
        raise Overtaken(last, mine=text)
    made = Correction(
        case_id=case.pk,
        of=of,
        of_id=pk,
        number=(last.number if last else 0) + 1,
        reason=because,
        corrected_at=timezone.now(),
        corrected_by=by,
    )
    if text:
        made.text_sealed = seal(case.audit_subject, TEXT, text.encode(), aad=made.pk.bytes)
    try:
        with transaction.atomic():
            made.save(force_insert=True)
    except IntegrityError:  # somebody corrected it at this moment
        raise Overtaken(newest(of, pk) or made, mine=text) from None
    details = {"corrected": of, "of": str(pk), "number": made.number} | ({"text": text} if text else {})
    record("corrections.correct", by=by, about=made, reason=because, details=details)
    tell(case, "corrected", by=by)
    return made


def newest(of: str, pk: UUID) -> Correction | None:
    rows = Correction.objects.filter(of=of, of_id=pk).select_related("case", "corrected_by")
    return rows.order_by("-number").first()


def text_of(correction: Correction) -> str:
    """What should stand there; nothing when it was only struck."""
    if correction.text_sealed is None:
        return ""
    sealed = bytes(correction.text_sealed)
    return open_sealed(correction.audit_subject, TEXT, sealed, aad=correction.pk.bytes).decode()


def of_cases(case_ids: Iterable[Any]) -> dict[str, Correction]:
    """The newest correction of each thing written in these cases, by its id. One query."""
    rows = Correction.objects.filter(case__in=list(case_ids)).select_related("case", "corrected_by")
    return {str(row.of_id): row for row in rows.order_by("number")}
