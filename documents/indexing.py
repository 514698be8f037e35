"""Filling the index of papers that were read before there was one: the last four of their own number."""

from compliance.keys.services import IndexPurpose, blind_index
from compliance.people.contacts import tail
from compliance.people.indexing import BATCH, Filled, Say, fill, nothing
from documents.models import Document
from documents.services import reading_of


def fill_documents(*, say: Say = nothing, batch: int = BATCH) -> Filled:
    """A run that was cut off goes on with the papers that lack it; those that bear no number are read again."""
    lacking = Document.objects.filter(reading_sealed__isnull=False, number_tail_index=None)
    return fill(lacking.exclude(state="destroyed"), _index, ["number_tail_index"], say=say, batch=batch)


def _index(document: Document) -> bool:
    number = reading_of(document).get("number")
    if number:
        document.number_tail_index = blind_index(IndexPurpose.NUMBER_TAIL, tail(number))
    return bool(number)
