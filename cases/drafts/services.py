"""Life of a draft: kept while typing, back on the page whenever its writer returns, gone when the text is saved.

It has no entry of the log: it is its writer's own, changes with every word, and nobody decides by it.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.crypto import salted_hmac

from audit.actors import SubjectRef
from audit.cards import without_cards
from cases.drafts.models import ClosedForm, Draft
from cases.models import Case
from cases.permissions import WORK
from cases.services import require
from compliance.keys.services import Shredded, open_sealed, seal
from compliance.people.access.once import once, remembers
from compliance.people.models import User

PURPOSE = "drafts.text"
PLACES = {"note": "text", "contact": "summary", "message": "line"}  # place: the field of its form
# Fields that keep theirs under one of these names, wherever they are typed in: form.field.
PLACED = {"NoteForm.text": "note", "ContactForm.summary": "contact", "MessageForm.line": "message"}
# Text areas that keep no draft, each with its reason.
UNKEPT = {
    "SuspicionForm.text": "what is reported to the reporting officer leaves nothing on this side, not with its writer",
    "RuleForm.definition": "a file of settings may be longer than a draft, and half of one would come back as a whole",
}
APART = "/aml/"  # every page of the AML side: what is typed there stays in its compartment
FORM = "f-"  # the place of any other field: the name of its form, itself, and what the page is about, keyed
LONGEST = 8000
KEEP = timedelta(days=30)


class UnknownPlace(LookupError):
    """No form keeps its words under this name."""


class FormClosed(Exception):
    """What this form held was saved as what it is; this came late, or its page was brought back."""


class AnotherWindow(Exception):
    """The same person typed something else in another window. `text` and `seen` are of what was kept there."""

    def __init__(self, text: str, seen: str) -> None:
        super().__init__("another window kept a draft")
        self.text, self.seen = text, seen


@transaction.atomic
def keep(
    case: Case | None, place: str, text: str, *, by: User, seen: str | None = None, token: UUID | None = None
) -> Draft | None:
    """Keep what is typed so far, without card data; nothing typed is no draft. None: it belongs to no case.

    `token` names the form on the page: once it was closed, nothing more is kept for it (FormClosed).
    `seen` is `mark_of` the draft that the window knows: another one that holds something else is not written over
    unseen (AnotherWindow). None: do not ask.
    """
    if not is_place(place):
        raise UnknownPlace(place)
    if case is not None:
        require(WORK, case, by=by, action="cases.write_note")
    if token is not None:
        _one_at_a_time(token)
        if ClosedForm.objects.filter(pk=token, user=by).exists():
            raise FormClosed
    text = without_cards(text)[:LONGEST]
    if seen is not None:
        _refuse_unseen(case, place, text, seen, user=by)
    if not text.strip():
        drop(case, place, by=by)
        return None
    facts = {
        "text_sealed": seal(_subject(case, by), PURPOSE, text.encode(), aad=_place(case, place, by)),
        "saved_at": timezone.now(),
    }
    draft, _made = Draft.objects.update_or_create(place=place, defaults=facts, **_owner(case, by))
    return draft


def is_place(place: str) -> bool:
    return place in PLACES or place.startswith(FORM)


def keeps_none(path: str) -> bool:
    """Whether nothing is kept of what is typed on the page of this path."""
    return path.startswith(APART)


def place_of(form: str, field: str, about: Mapping[str, Any]) -> str:
    """Names a field of a form on one page: the same whenever its writer returns, and tells nobody what the page is."""
    page = "|".join([form, field, *(f"{name}={about[name]}" for name in sorted(about))])
    return FORM + salted_hmac("cases.drafts", page).hexdigest()[:18]


def _refuse_unseen(case: Case | None, place: str, text: str, seen: str, *, user: User) -> None:
    known = mark_of(case, place, user=user)
    if not known or known == seen:
        return
    kept = text_of(case, place, user=user)
    if kept.strip() and kept.strip() != text.strip():
        raise AnotherWindow(kept, known)


def mark_of(case: Case | None, place: str, *, user: User) -> str:
    """Names the draft as it is now; "" without one."""
    draft = _kept(case, place, user)
    return draft.saved_at.isoformat() if draft else ""


def text_of(case: Case | None, place: str, *, user: User) -> str:
    """What this person typed there last; "" without a draft."""
    draft = _kept(case, place, user)
    return _opened(draft, case, user) if draft else ""


def kept_there(case: Case | None, place: str, *, user: User) -> tuple[str, str]:
    """What this person typed there last, and what names it: `text_of` and `mark_of` at once."""
    draft = _kept(case, place, user)
    return (_opened(draft, case, user), draft.saved_at.isoformat()) if draft else ("", "")


def _opened(draft: Draft, case: Case | None, user: User) -> str:
    sealed = bytes(draft.text_sealed)
    try:
        return open_sealed(_subject(case, user), PURPOSE, sealed, aad=_place(case, draft.place, user)).decode()
    except Shredded:  # the player was erased, and what was typed about them with them
        return ""


def drop(case: Case | None, place: str, *, by: User) -> None:
    """Nothing is kept there any more."""
    _rows(case, place, by).delete()


@transaction.atomic
def close(case: Case, place: str, *, by: User, token: UUID | None) -> None:
    """The text was saved: its draft goes, and what its form still sends is refused. None: a page of before."""
    _refuse_late(token, by=by)
    drop(case, place, by=by)


@transaction.atomic
def close_field(place: str, *, by: User, token: UUID) -> None:
    """The same for a field that is kept by its form, whatever became of its case by the act."""
    _refuse_late(token, by=by)
    Draft.objects.filter(user=by, place=place).delete()


def _refuse_late(token: UUID | None, *, by: User) -> None:
    if token is not None:
        _one_at_a_time(token)
        closed = ClosedForm(token=token, user=by, closed_at=timezone.now())
        ClosedForm.objects.bulk_create([closed], ignore_conflicts=True)


def token_of(text: str | None) -> UUID | None:
    """The token that a form sent; None when it sent none, or something else."""
    try:
        return UUID(text or "")
    except ValueError:
        return None


def _one_at_a_time(token: UUID) -> None:
    """Keeping and closing the same form wait for each other, until the end of the transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended('drafts|' || %s, 0))", [str(token)])


def forget_old() -> int:
    """Delete what nobody came back to. How many there were."""
    before = timezone.now() - KEEP
    ClosedForm.objects.filter(closed_at__lt=before).delete()
    deleted, _by_model = Draft.objects.filter(saved_at__lt=before).delete()
    return deleted


def _kept(case: Case | None, place: str, user: User) -> Draft | None:
    """What is kept there. A page of a case has several places: it asks for all of them at once."""
    if case is None or not remembers(user):
        return _rows(case, place, user).first()
    of_case = once(user, ("drafts", case.pk), lambda: list(Draft.objects.filter(**_owner(case, user))))
    return next((draft for draft in of_case if draft.place == place), None)


def _rows(case: Case | None, place: str, user: User) -> "QuerySet[Draft]":
    return Draft.objects.filter(place=place, **_owner(case, user))


def _owner(case: Case | None, user: User) -> dict[str, Any]:
    return {"user": user, "case_id": case.pk if case is not None else None}


def _place(case: Case | None, place: str, user: User) -> bytes:
    """A draft moved to another person, case or place does not open."""
    return f"{user.pk}|{case.pk if case is not None else ''}|{place}".encode()


def _subject(case: Case | None, user: User) -> SubjectRef:
    """Whose key seals it: it ends with the player when the player is erased, or is the writer's own."""
    return case.audit_subject if case is not None else user.audit_subject
