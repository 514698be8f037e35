"""What acts are called where the log names one."""

from collections.abc import Iterable

from audit.names import register
from compliance.proposals.acts import acts


def titles(names: Iterable[str]) -> dict[str, str]:
    known = acts()
    return {name: str(known[name].title) for name in names if name in known}


register("act", titles)
