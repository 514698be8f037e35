"""Does this person know this player? Asked wherever somebody sees, works on or decides a player's matter."""

from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from audit.actors import Acts, SubjectRef
from audit.perform import Denied
from audit.record import ObjectRef, record_refusal
from compliance.people.conflicts.models import ConflictOfInterest


class KnowsThePlayer(Denied):
    """They said so themselves, so there is nothing to hide in the answer."""

    def __init__(self) -> None:
        super().__init__("conflict_of_interest", _("You know this player. Somebody else has to do this."))


def declared_by(user: Any) -> "models.QuerySet[ConflictOfInterest]":
    """Under any sign-in of the same person, an API key of theirs included. The product itself knows nobody."""
    rows = ConflictOfInterest.objects.all()
    return rows.filter(user__human_id=user.human_id) if user.human_id else rows.none()


def stands_between(user: Any, subject: SubjectRef | None) -> bool:
    """Whether the person declared that they know the customer whose matter this is."""
    if subject is None or subject.kind != "customer":
        return False
    return declared_by(user).filter(customer_id=subject.id).exists()


def require_stranger(by: Acts, subject: SubjectRef, *, action: str, about: models.Model | ObjectRef) -> None:
    """Refuse, and record the refusal, when `by` knows the customer."""
    if stands_between(by, subject):
        denied = KnowsThePlayer()
        record_refusal(action, by=by, about=about, reason=denied.code)
        raise denied
