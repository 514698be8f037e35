"""Names for clocks in the log's sentences."""

from collections.abc import Iterable, Mapping

from audit.names import register
from cases.clocks.models import Kind


def names_of_clocks(codes: Iterable[str]) -> Mapping[str, str]:
    return {code: str(Kind(code).label) for code in codes if code in Kind.values}


register("clock", names_of_clocks)
