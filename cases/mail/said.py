"""What letters add to the timeline of a case: their words, opened from their seal."""

from collections.abc import Iterable
from uuid import UUID

from cases import timeline
from cases.mail.letters import content_of
from cases.mail.models import Letter
from cases.models import Case


def words_of(case: Case, ids: Iterable[UUID]) -> dict[str, tuple[str, str]]:
    rows = Letter.objects.filter(case_id=case.pk, pk__in=list(ids)).select_related("case")
    found = ((letter, content_of(letter)) for letter in rows)
    return {str(letter.pk): (f"{said.subject}\n\n{said.text}".strip(), "") for letter, said in found}


timeline.speaks("mail.match", words_of)
