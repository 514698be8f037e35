"""Entries in words: the sentence that an action was registered with, filled with what the entry says."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from audit.canonical import moment
from audit.names import names
from audit.queries import Row
from audit.registry import UnregisteredAction, lookup
from audit.words import field_word

_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")


class _Filling(dict[str, str]):
    """A sentence that names a fact this entry does not have shows an ellipsis, never an error."""

    def __missing__(self, key: str) -> str:
        return "…"


Known = Mapping[tuple[str, str], str]  # names by kind and id, found for many rows at once


def sentence_of(facts: Mapping[str, Any], *, actor: str = "", about: str = "", known: Known | None = None) -> str:
    """The sentence for an entry. `actor` and `about` are the names to show; without them, kinds and short ids."""
    known = names(_values(facts)) if known is None else known
    action = str(facts.get("action", ""))
    try:
        template = str(lookup(action).sentence)
    except UnregisteredAction:
        template = "{actor}: " + action.replace("{", "(").replace("}", ")")
    given = {key: _named(key, value, known) for key, value in (facts.get("data") or {}).items()}
    given |= {key: _named(key, change[1], known) for key, change in (facts.get("diff") or {}).items()}
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
    """Rows for a page or a report: the row, its sentence, what changed, names for actor, object and values; one query a
    kind of name, whatever the number of rows.
    """
    rows = list(rows)
    wanted = [pair for row in rows for pair in _pairs(row)]
    found = names([*wanted, *(pair for row in rows for pair in _values(row.facts))])
    shown = []
    for row in rows:
        actor, about = (found.get(pair, "") for pair in _pairs(row))
        shown.append(
            {
                "row": row,
                "sentence": sentence_of(row.facts or {"action": row.action}, actor=actor, about=about, known=found),
                "actor": actor or _unnamed({"t": row.actor_kind, "id": row.actor_id}),
                "about": about or _unnamed({"t": row.object_kind, "id": row.object_id}),
                "changes": changes(row, found),
                "details": details(row, found),
            }
        )
    return shown


def changes(row: Row, known: Known) -> list[tuple[str, str, str]]:
    """(field, old, new) of the public fields that changed, in words."""
    diff = row.facts.get("diff", {})
    return [(field_word(name), _named(name, old, known), _named(name, new, known)) for name, (old, new) in diff.items()]


def details(row: Row, known: Known) -> list[tuple[str, str]]:
    """(name, value) of the public details, in words."""
    return [(field_word(name), _named(name, value, known)) for name, value in row.facts.get("data", {}).items()]


def _values(facts: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What may have a name: values of fields whose name is a kind of name, such as a purpose."""
    pairs = [(name, value) for name, value in (facts.get("data") or {}).items()]
    pairs += [(name, value) for name, change in (facts.get("diff") or {}).items() for value in change]
    return [(name, value) for name, value in pairs if isinstance(value, str)]


def _named(field: str, value: Any, known: Known) -> str:
    """The value by its name where its field is a kind of name; a time in the reader's zone; any other in words."""
    if isinstance(value, str):
        if name := known.get((field, value)):
            return name
        if _MOMENT.fullmatch(value):
            return moment(value).astimezone(timezone.get_current_timezone()).strftime("%Y-%m-%d %H:%M:%S")
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
