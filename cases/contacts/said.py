"""What contacts add to the timeline of a case: their words, opened from their seal, and the names of channels."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from uuid import UUID

from audit.names import register
from cases import timeline
from cases.contacts.models import Contact
from cases.contacts.services import summary_of
from cases.models import Case


def words_of(case: Case, ids: Iterable[UUID]) -> dict[str, tuple[str, str]]:
    rows = Contact.objects.filter(case_id=case.pk, pk__in=list(ids)).select_related("case")
    return {str(contact.pk): (summary_of(contact), contact.language) for contact in rows}


def times_of(ids: Iterable[UUID]) -> Mapping[str, datetime]:
    found = Contact.objects.filter(pk__in=list(ids)).values_list("pk", "contacted_at")
    return {str(pk): at for pk, at in found}


def names_of_channels(codes: Iterable[str]) -> Mapping[str, str]:
    return {code: str(Contact.Channel(code).label) for code in codes if code in Contact.Channel.values}


register("channel", names_of_channels)
timeline.speaks("contacts.log", words_of)
timeline.happened("contacts.log", times_of)
