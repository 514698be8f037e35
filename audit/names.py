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
_same: dict[str, str] = {}  # field -> the kind of its ids


def register(kind: str, names_of: NamesOf, find: Find = lambda text: ()) -> None:
    if kind in _kinds:
        raise ValueError(f"names for {kind} are registered twice")
    _kinds[kind] = Kind(names_of, find)


def also(kind: str, *others: str) -> None:
    """Fields that hold ids of `kind` under other names, such as an assignee_id: found with the same query."""
    for other in others:
        if other in _kinds or other in _same:
            raise ValueError(f"names for {other} are registered twice")
        _same[other] = kind


def names(wanted: Iterable[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """Names for (kind, id) pairs, one query a kind; a pair that nobody knows is absent."""
    wanted = set(wanted)
    by_kind: dict[str, set[str]] = {}
    for kind, identity in wanted:
        by_kind.setdefault(_same.get(kind, kind), set()).add(identity)
    known = {kind: _kinds[kind].names_of(sorted(ids)) for kind, ids in by_kind.items() if kind in _kinds}
    found = {(kind, identity): known.get(_same.get(kind, kind), {}).get(identity) for kind, identity in wanted}
    return {pair: name for pair, name in found.items() if name}


def find(kind: str, text: str) -> list[str]:
    """The ids of this kind that `text` may mean; the text itself is always one of them."""
    known = _kinds.get(kind)
    return [text, *(known.find(text) if known else ())]
