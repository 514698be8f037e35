"""What the engine tells of its cases, turned into notices. It may come twice: the key of an event is its id."""

from datetime import timedelta

from cases.contacts import care
from cases.happenings import FOR_THE_PLATFORM, Happening, listen
from cases.models import Case, Note
from cases.notices.models import Notice
from cases.notices.services import mentioned, tell
from cases.relations.services import watchers_of
from cases.services import note_text
from compliance.people.models import User

AROUND = timedelta(seconds=60)  # between the act's beginning and the writing of its note


def heard(happening: Happening) -> None:
    if happening.what in FOR_THE_PLATFORM:
        return
    case = Case.objects.select_related("assignee", "queue", "licensee").filter(pk=happening.case_id).first()
    if case is None:
        return
    to = list(User.objects.filter(pk__in=happening.to, is_active=True))
    by = _actor(happening)
    if happening.what not in ("assigned", "woke"):
        _watchers(case, happening, by=by)
    match happening.what:
        case "assigned":
            tell(
                "assigned", case=case, to=[user for user in to if user.pk == case.assignee_id], key=happening.id, by=by
            )
        case "woke":
            tell("snooze_over", case=case, to=to, key=happening.id, by=by)
        case "note":
            _read_notes(case, happening)


def _watchers(case: Case, happening: Happening, *, by: User | None) -> None:
    """Those who follow it: once, until they look at the case again."""
    unread = Notice.objects.filter(case=case, kind="watched", read_at=None).values("user")
    tell("watched", case=case, to=watchers_of(case.pk).exclude(pk__in=unread), key=happening.id, by=by)


def _read_notes(case: Case, happening: Happening) -> None:
    """Those whom it calls, and words in it that ask for care."""
    written = (happening.at - AROUND, happening.at + AROUND)
    for note in Note.objects.filter(case=case, written_at__range=written).select_related("case", "written_by"):
        text = note_text(note)
        mentioned(text, case, by=note.written_by, key=note.pk)
        care.look(case, text, by=note.written_by)


def _actor(happening: Happening) -> User | None:
    kind, _colon, actor_id = happening.by.partition(":")
    return User.objects.filter(pk=actor_id).first() if kind == "staff" else None


listen(heard)
