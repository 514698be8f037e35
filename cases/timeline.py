"""The history of a case as people read it: the log itself, in sentences, with the words of notes and messages."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from audit.models import Entry
from audit.names import names
from audit.presenters import sentence_of
from cases.models import Case, Message, Note
from cases.services import message_text, note_text

LENGTH = 200
Words = Callable[[Case, Iterable[UUID]], dict[str, tuple[str, str]]]
_speakers: dict[str, Words] = {}
READS = ("audit.read", "documents.view", "people.reveal")
# The first prefix that fits says group, icon and kind.
KINDS = [
    ("cases.write_note", ("words", "note", "note")),
    ("cases.write_message", ("words", "send", "sent")),
    ("contacts.log", ("words", "phone", "")),
    ("contacts.", ("words", "key", "")),
    ("tasks.", ("words", "bell", "")),
    ("cases.send_message", ("system", "send", "")),
    ("audit.read", ("views", "eye", "")),
    ("documents.view", ("views", "eye", "")),
    ("people.reveal", ("views", "eye", "")),
    ("evidence.", ("files", "doc", "")),
    ("documents.", ("files", "upload", "")),
    ("proposals.", ("decisions", "check", "")),
    ("cases.", ("system", "history", "")),
    ("", ("decisions", "history", "")),
]


@dataclass(frozen=True, slots=True)
class Item:
    """One line, as components/_timeline_item.html takes it. Its title names who did it."""

    at: datetime
    title: str
    group: str
    icon: str
    kind: str
    said: str = ""
    lang: str = ""


def groups() -> list[tuple[str, str]]:
    return [
        ("", _("All")),
        ("words", _("Messages and notes")),
        ("files", _("Files")),
        ("decisions", _("Decisions")),
        ("system", _("System")),
        ("views", _("Views")),
    ]


def of(case: Case, *, only: str = "") -> list[Item]:
    """The newest entries of the case. Views are left out of "All": a hundred looks would hide the one decision."""
    entries = Entry.objects.filter(log="main", matter=case.number)
    if only != "views":
        entries = entries.exclude(action__in=READS)
    rows = list(entries.order_by("-id")[:LENGTH])
    found, words = names((row.actor_kind, row.actor_id) for row in rows), _words(case, rows)
    items = [_item(row, found, words) for row in rows]
    return [item for item in items if only in ("", item.group)]


def _item(row: Entry, found: dict[tuple[str, str], str], words: dict[str, tuple[str, str]]) -> Item:
    group, icon, kind = next(shown for prefix, shown in KINDS if row.action.startswith(prefix))
    said, language = words.get(row.object_id, ("", "")) if row.action in _speakers else ("", "")
    sentence = sentence_of(row.facts, actor=found.get((row.actor_kind, row.actor_id), ""))
    return Item(row.at, sentence, group, icon, "bad" if row.outcome == "refused" else kind, said, language)


def speaks(action: str, words: Words) -> None:
    """Let `words(case, ids)` say what was written under the ids of such entries: text and language, by id as text."""
    _speakers[action] = words


def _words(case: Case, rows: list[Entry]) -> dict[str, tuple[str, str]]:
    """What was written, opened from its seal, by the id of the note, message or contact."""
    found: dict[str, tuple[str, str]] = {}
    for action, words in _speakers.items():
        if ids := [UUID(row.object_id) for row in rows if row.action == action]:
            found |= words(case, ids)
    return found


def _notes(case: Case, ids: Iterable[UUID]) -> dict[str, tuple[str, str]]:
    notes: Any = Note.objects.filter(case_id=case.pk, pk__in=list(ids)).select_related("case")
    return {str(note.pk): (note_text(note), "") for note in notes}


def _messages(case: Case, ids: Iterable[UUID]) -> dict[str, tuple[str, str]]:
    messages: Any = Message.objects.filter(case_id=case.pk, pk__in=list(ids)).select_related("case")
    return {str(message.pk): (message_text(message), message.language) for message in messages}


speaks("cases.write_note", _notes)
speaks("cases.write_message", _messages)
