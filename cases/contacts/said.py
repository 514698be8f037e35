"""What contacts add to the timeline of a case: their words, opened from their seal."""

from collections.abc import Iterable
from uuid import UUID

from cases import timeline
from cases.contacts.models import Contact
from cases.contacts.services import summary_of
from cases.models import Case


def words_of(case: Case, ids: Iterable[UUID]) -> dict[str, tuple[str, str]]:
    rows = Contact.objects.filter(case_id=case.pk, pk__in=list(ids)).select_related("case")
    return {str(contact.pk): (summary_of(contact), contact.language) for contact in rows}


timeline.speaks("contacts.log", words_of)
