"""The history of a case as people read it: the log itself, in sentences, with the words of notes and messages."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from audit.models import Entry
from audit.names import names
from audit.presenters import sentence_of
from cases.corrections import services as corrections
from cases.corrections.wording import Piece, compared
from cases.models import Case, Message, Note
from cases.services import message_text, note_text

LENGTH = 200
LATER = timedelta(minutes=5)  # what is written down within these was written down at once
RECORDED, HAPPENED = "recorded", "happened"
Words = Callable[[Case, Iterable[UUID]], dict[str, tuple[str, str]]]
_speakers: dict[str, Words] = {}
Times = Callable[[Iterable[UUID]], Mapping[str, datetime]]
_clocks: dict[str, Times] = {}
MERGES = ("relations.merge", "relations.take_in", "relations.unmerge")
READS = ("audit.read", "documents.view", "people.reveal")
# The first prefix that fits says group, icon and kind.
KINDS = [
    ("cases.write_note", ("words", "note", "note")),
    ("cases.write_message", ("words", "send", "sent")),
    ("contacts.log", ("words", "phone", "")),
    ("contacts.", ("words", "key", "")),
    ("tasks.", ("words", "bell", "")),
    ("mail.match", ("words", "send", "")),
    ("mail.", ("system", "send", "")),
    ("cases.send_message", ("system", "send", "")),
    ("audit.read", ("views", "eye", "")),
    ("documents.view", ("views", "eye", "")),
    ("people.reveal", ("views", "eye", "")),
    ("former.", ("words", "history", "")),
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
    happened_at: datetime | None = None  # where that was earlier than `at`, when it was recorded
    recorded_at: datetime | None = None  # where `at` is when it happened
    struck: Any = None  # the newest correction of what was said
    wrong: Sequence[Piece] = ()  # what was said, with the words that were changed
    instead: Sequence[Piece] = ()  # what should stand there, with those that are new
    because: str | Promise = ""
    correct_url: str = ""


def groups() -> list[tuple[str, str]]:
    return [
        ("", _("All")),
        ("words", _("Messages and notes")),
        ("files", _("Files")),
        ("decisions", _("Decisions")),
        ("system", _("System")),
        ("views", _("Views")),
    ]


def of(case: Case, *, user: Any = None, only: str = "", axis: str = RECORDED) -> list[Item]:
    """The newest entries of the case."""
    return page_of(case, user=user, only=only, axis=axis).items


def every(case: Case, *, user: Any, only: str = "") -> list[Item]:
    """All entries of the case, newest first, however many: for what is printed, and must not be cut unsaid."""
    page = page_of(case, user=user, only=only)
    items = [*page.items]
    while page.older:
        page = page_of(case, user=user, only=only, before=page.older)
        items += page.items
    return items


@dataclass(frozen=True, slots=True)
class Page:
    """`older` names the last entry shown, for the address of those before it; "" when there are none."""

    items: list[Item]
    older: str


def page_of(case: Case, *, user: Any, only: str = "", axis: str = RECORDED, before: str = "") -> Page:
    """Entries of the case, newest first, by when they were recorded or by when what they tell of happened.

    With those of the cases merged into it that `user` may see; without a user, of none. `before`: those that were
    recorded before the entry that `older` named. Views are left out of "All": a hundred looks would hide the one
    decision.
    """
    visible = Case.objects.none() if user is None else Case.objects.visible_to(user)
    cases = [case, *visible.filter(merged_into_id=case.pk)]
    entries = Entry.objects.filter(log="main", matter__in=[each.number for each in cases])
    if only != "views":
        entries = entries.exclude(action__in=READS)
    if (last := _event(before)) is not None:
        entries = entries.filter(id__lt=entries.filter(event_id=last).values("id"))
    rows = list(entries.order_by("-id")[: LENGTH + 1])
    older = str(rows[LENGTH - 1].event_id) if len(rows) > LENGTH else ""
    rows = rows[:LENGTH]
    found = names((row.actor_kind, row.actor_id) for row in rows)
    words = {key: said for each in cases for key, said in _words(each, rows).items()}
    struck = corrections.of_cases([each.pk for each in cases])
    then = _happened(rows)
    told = _named(rows, visible)
    items = [_corrected(_item(row, told.get(row.event_id, row.facts), found, words, then), row, struck) for row in rows]
    shown = [item for item in items if only in ("", item.group)]
    if axis == HAPPENED:
        shown = sorted(map(_as_it_happened, shown), key=lambda item: item.at, reverse=True)
    return Page(shown, older)


def _event(text: str) -> UUID | None:
    """What an address names; None for nothing, or for something else."""
    try:
        return UUID(text) if text else None
    except ValueError:
        return None


def _named(rows: list[Entry], visible: "QuerySet[Case]") -> dict[UUID, dict[str, Any]]:
    """What entries of a merge say, by their event, with the other case named to nobody who may not see it."""
    told = {row.event_id: row.facts for row in rows if row.action in MERGES}
    others = {facts["data"]["other"] for facts in told.values()}
    seen = set(visible.filter(number__in=others).values_list("number", flat=True)) if others else set()
    for facts in told.values():
        if facts["data"]["other"] not in seen:
            facts["data"]["other"] = _("another case")
    return told


def _item(
    row: Entry,
    facts: Mapping[str, Any],
    found: dict[tuple[str, str], str],
    words: dict[str, tuple[str, str]],
    then: Mapping[str, datetime],
) -> Item:
    group, icon, kind = next(shown for prefix, shown in KINDS if row.action.startswith(prefix))
    said, language = words.get(row.object_id, ("", "")) if row.action in _speakers else ("", "")
    sentence = sentence_of(facts, actor=found.get((row.actor_kind, row.actor_id), ""))
    kind = "bad" if row.outcome == "refused" else kind
    at = then.get(row.object_id) if row.action in _clocks else None
    happened_at = at if at is not None and row.at - at >= LATER else None
    return Item(row.at, sentence, group, icon, kind, said, language, happened_at)


def _corrected(item: Item, row: Entry, struck: Mapping[str, Any]) -> Item:
    """What was struck through, with what should stand there; and where to strike it."""
    of = corrections.ACTIONS.get(row.action)
    if of is None or not item.said or row.matter is None:
        return item
    url = reverse("cases:correct", args=[row.matter, of, row.object_id])
    last = struck.get(row.object_id)
    if last is None:
        return replace(item, correct_url=url)
    because = corrections.BECAUSE.get(last.reason, last.reason)
    wrong, instead = compared(item.said, corrections.text_of(last))
    return replace(item, correct_url=url, struck=last, wrong=wrong, instead=instead, because=because)


def speaks(action: str, words: Words) -> None:
    """Let `words(case, ids)` say what was written under the ids of such entries: text and language, by id as text."""
    _speakers[action] = words


def _as_it_happened(item: Item) -> Item:
    if item.happened_at is None:
        return item
    return replace(item, at=item.happened_at, happened_at=None, recorded_at=item.at)


def happened(action: str, times: Times) -> None:
    """Let `times(ids)` say when what such entries tell of happened, by id as text: somebody may log it later."""
    _clocks[action] = times


def _happened(rows: list[Entry]) -> dict[str, datetime]:
    found: dict[str, datetime] = {}
    for action, times in _clocks.items():
        if ids := [UUID(row.object_id) for row in rows if row.action == action]:
            found |= times(ids)
    return found


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
