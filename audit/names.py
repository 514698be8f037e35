"""Names for ids, and ids for what people type. The log keeps ids only; packages above say whose they are.

To add a kind (of actor, object or subject): in your package's AppConfig.ready, `names.register("staff", names_of,
find)`. `names_of(ids)` returns {id: name} for those it knows; `find(text)` the ids that a person may mean by `text`.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

NamesOf = Callable[[Iterable[str]], Mapping[str, str]]
Find = Callable[[str], Iterable[str]]


@dataclass(frozen=True, slots=True)
class Kind:
    names_of: NamesOf
    find: Find


_kinds: dict[str, Kind] = {}


def register(kind: str, names_of: NamesOf, find: Find = lambda text: ()) -> None:
    if kind in _kinds:
        raise ValueError(f"names for {kind} are registered twice")
    _kinds[kind] = Kind(names_of, find)


def names(wanted: Iterable[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """Names for (kind, id) pairs, one query a kind; a pair that nobody knows is absent."""
    by_kind: dict[str, set[str]] = {}
    for kind, identity in wanted:
        by_kind.setdefault(kind, set()).add(identity)
    found = {}
    for kind, ids in by_kind.items():
        if kind in _kinds:
            found.update({(kind, identity): name for identity, name in _kinds[kind].names_of(sorted(ids)).items()})
    return found


def find(kind: str, text: str) -> list[str]:
    """The ids of this kind that `text` may mean; the text itself is always one of them."""
    known = _kinds.get(kind)
    return [text, *(known.find(text) if known else ())]
