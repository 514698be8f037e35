"""What else ends with a sign-in or a role. Packages above name it; a member of staff who leaves takes nothing along."""

from collections.abc import Callable

from audit.actors import Acts
from compliance.people.models import User

Ending = Callable[..., int]
_endings: dict[str, Ending] = {}
_borne: list[Ending] = []


def register(name: str, ending: Ending) -> None:
    """`ending(user, by=)` ends in the caller's transaction what the user left; it returns how many."""
    if name in _endings:
        raise ValueError(f"The ending {name} is registered twice")
    _endings[name] = ending


def end_all(user: User, *, by: Acts) -> dict[str, int]:
    """How many of each ended, by name."""
    return {name: ending(user, by=by) for name, ending in sorted(_endings.items())}


def with_roles(ending: Ending) -> None:
    """`ending(user, by=)` takes, in the transaction in which a role went, what only that role bore; how many."""
    _borne.append(ending)


def end_what_roles_bore(user: User, *, by: Acts) -> int:
    return sum(ending(user, by=by) for ending in _borne)
