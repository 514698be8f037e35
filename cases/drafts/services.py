"""Life of a draft: kept while typing, back on the page whenever its writer returns, gone when the text is saved.

It has no entry of the log: it is its writer's own, changes with every word, and nobody decides by it.
"""

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from audit.cards import without_cards
from cases.drafts.models import Draft
from cases.models import Case
from cases.permissions import WORK
from cases.services import require
from compliance.keys.services import open_sealed, seal
from compliance.people.models import User

PURPOSE = "drafts.text"
PLACES = {"note": "text", "contact": "summary"}  # place: the field of its form
LONGEST = 8000
KEEP = timedelta(days=30)


class UnknownPlace(LookupError):
    """No form keeps its words under this name."""


@transaction.atomic
def keep(case: Case, place: str, text: str, *, by: User) -> Draft | None:
    """Keep what is typed so far, without card data; nothing typed is no draft."""
    if place not in PLACES:
        raise UnknownPlace(place)
    require(WORK, case, by=by, action="cases.write_note")
    text = without_cards(text)[:LONGEST]
    if not text.strip():
        drop(case, place, by=by)
        return None
    facts = {
        "text_sealed": seal(case.audit_subject, PURPOSE, text.encode(), aad=_place(case, place, by)),
        "saved_at": timezone.now(),
    }
    draft, _made = Draft.objects.update_or_create(user=by, case_id=case.pk, place=place, defaults=facts)
    return draft


def text_of(case: Case, place: str, *, user: User) -> str:
    """What this person typed there last; "" without a draft."""
    draft = Draft.objects.filter(user=user, case_id=case.pk, place=place).first()
    if draft is None:
        return ""
    sealed = bytes(draft.text_sealed)
    return open_sealed(case.audit_subject, PURPOSE, sealed, aad=_place(case, place, user)).decode()


def drop(case: Case, place: str, *, by: User) -> None:
    """The text was saved as what it is, or thrown away."""
    Draft.objects.filter(user=by, case_id=case.pk, place=place).delete()


def forget_old() -> int:
    """Delete what nobody came back to. How many there were."""
    deleted, _by_model = Draft.objects.filter(saved_at__lt=timezone.now() - KEEP).delete()
    return deleted


def _place(case: Case, place: str, user: User) -> bytes:
    """A draft moved to another person, case or place does not open."""
    return f"{user.pk}|{case.pk}|{place}".encode()
