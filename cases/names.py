"""Names for the codes of evidence in the log's sentences."""

from collections.abc import Iterable, Mapping

from audit.names import register
from cases import texts


def names_of_purposes(codes: Iterable[str]) -> Mapping[str, str]:
    known = texts.catalogue().names.purpose
    return {code: texts.purpose_title(code) for code in codes if code in known}


def names_of_documents(codes: Iterable[str]) -> Mapping[str, str]:
    known = texts.catalogue().names.document
    return {code: texts.document_name(code) for code in codes if code in known}


register("purpose", names_of_purposes)
register("document_type", names_of_documents)
