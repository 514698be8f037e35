"""Entries in words: the sentence that an action was registered with, filled with what the entry says."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.translation import gettext as _

from audit.names import names
from audit.queries import Row
from audit.registry import UnregisteredAction, lookup


class _Filling(dict[str, str]):
    """A sentence that names a fact this entry does not have shows an ellipsis, never an error."""

    def __missing__(self, key: str) -> str:
        return "…"


def sentence_of(facts: Mapping[str, Any], *, actor: str = "", about: str = "") -> str:
    """The sentence for an entry. `actor` and `about` are the names to show; without them, kinds and short ids."""
    action = str(facts.get("action", ""))
    try:
        template = str(lookup(action).sentence)
    except UnregisteredAction:
        template = "{actor}: " + action.replace("{", "(").replace("}", ")")
    given = {key: _named(key, value) for key, value in (facts.get("data") or {}).items()}
    given |= {key: _named(key, change[1]) for key, change in (facts.get("diff") or {}).items()}
    return template.format_map(
        _Filling(
            given
            | {
                "actor": actor or _unnamed(facts.get("actor") or {}),
                "object": about or str(facts.get("matter") or "") or _unnamed(facts.get("object") or {}),
                "matter": str(facts.get("matter") or "…"),
                "reason": str((facts.get("reason") or {}).get("code", "…")),
            }
        )
    )


def present(rows: Iterable[Row]) -> list[dict[str, Any]]:
    """Rows for a page or a report: the row, its sentence, and names for actor and object, one query a kind."""
    rows = list(rows)
    found = names((kind, identity) for row in rows for kind, identity in _pairs(row))
    shown = []
    for row in rows:
        actor, about = (found.get(pair, "") for pair in _pairs(row))
        shown.append(
            {
                "row": row,
                "sentence": sentence_of(row.facts or {"action": row.action}, actor=actor, about=about),
                "actor": actor or _unnamed({"t": row.actor_kind, "id": row.actor_id}),
                "about": about or _unnamed({"t": row.object_kind, "id": row.object_id}),
                "changes": changes(row),
                "details": details(row),
            }
        )
    return shown


def changes(row: Row) -> list[tuple[str, str, str]]:
    """(field, old, new) of the public fields that changed, in words."""
    return [(name, worded(old), worded(new)) for name, (old, new) in row.facts.get("diff", {}).items()]


def details(row: Row) -> list[tuple[str, str]]:
    """(name, value) of the public details, in words."""
    return [(name, worded(value)) for name, value in row.facts.get("data", {}).items()]


def _named(field: str, value: Any) -> str:
    """The value of a field whose name is a kind of name, such as a purpose, by that name; any other in words."""
    if isinstance(value, str) and (name := names([(field, value)]).get((field, value))):
        return name
    return worded(value)


def worded(value: Any) -> str:
    match value:
        case None:
            return "–"
        case True:
            return _("yes")
        case False:
            return _("no")
        case list():
            return ", ".join(map(worded, value))
        case dict():
            return ", ".join(f"{key}: {worded(item)}" for key, item in value.items())
    return str(value)


def _pairs(row: Row) -> tuple[tuple[str, str], tuple[str, str]]:
    return (row.actor_kind, row.actor_id), (row.object_kind, row.object_id)


def _unnamed(reference: Mapping[str, Any]) -> str:
    kind, identity = str(reference.get("t", "")), str(reference.get("id", ""))
    match kind:
        case "system":
            return "Mizan"
        case "anonymous":
            return _("Somebody not signed in")
        case "staff":
            return _("member of staff {id}").format(id=identity[:8])
        case "key":
            return _("API key {id}").format(id=identity[:8])
    return f"{kind} {identity[:8]}" if len(identity) == 36 else f"{kind} {identity}".strip()
