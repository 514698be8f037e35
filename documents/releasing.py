"""The original leaves the house: with a right, for a reason that is named, and with an entry of its own.

People look at renditions. Who needs the file itself, byte for byte, or marked pages on paper, says why in the log.
"""

from datetime import timedelta
from typing import Final

from django.db import transaction
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from audit.actors import Acts
from audit.models import Entry
from audit.perform import ConditionsNotMet, Denied
from audit.record import record, record_refusal
from compliance.people.models import User
from documents.models import Document, State
from documents.permissions import DOWNLOAD_ORIGINAL
from documents.refusals import NotReady

PRINTS_WITHIN: Final = timedelta(minutes=10)  # from the reason to the last page that a browser fetches
REASONS: dict[str, str | Promise] = {
    "authority": _("An authority or a court asks for it"),
    "dispute": _("A dispute or a complaint is about it"),
    "examination": _("A specialist examines whether it is genuine"),
    "player_asked": _("The player asks for a copy of their data"),
    "audit": _("An auditor asks for it"),
    "other": _("Something else"),
}


def may_take(user: User) -> bool:
    return bool(user.has_perm(DOWNLOAD_ORIGINAL))


def require_right(document: Document, *, by: User, matter: str) -> None:
    """Raise Denied, and record the refusal, unless `by` may take originals. Whether they may see the matter is asked
    above.
    """
    if not may_take(by):
        record_refusal("documents.release_original", by=by, about=document, matter=matter, reason="no_right")
        raise Denied("no_right")


@transaction.atomic
def release(document: Document, *, by: Acts, reason: str, note: str, matter: str) -> None:
    """Record why the original is taken. `note` is sealed; where the reason is "other" it must say which.

    Raises ConditionsNotMet, NotReady.
    """
    _leave("documents.release_original", document, by=by, reason=reason, note=note, matter=matter)


@transaction.atomic
def release_print(document: Document, *, by: Acts, reason: str, note: str, matter: str) -> None:
    """Record why watermarked pages go on paper. Whether they may work on the matter is asked above. As `release`."""
    _leave("documents.print", document, by=by, reason=reason, note=note, matter=matter)


def may_print(document: Document, *, by: User, matter: str) -> bool:
    """Whether they said why within the time that a link holds; a page on paper is asked for right after."""
    since = timezone.now() - PRINTS_WITHIN
    said = Entry.objects.filter(log="main", matter=matter, action="documents.print", outcome="done", at__gt=since)
    return said.filter(object_id=str(document.pk), actor_id=str(by.pk)).exists()


def _leave(action: str, document: Document, *, by: Acts, reason: str, note: str, matter: str) -> None:
    if reason not in REASONS:
        raise ConditionsNotMet([str(_("Choose a reason."))])
    if reason == "other" and not note.strip():
        raise ConditionsNotMet([str(_("Say what it is needed for."))])
    if document.state != State.READY:
        raise NotReady(f"the document is {document.state}")
    record(action, by=by, about=document, matter=matter, reason=reason, note=note.strip() or None)
