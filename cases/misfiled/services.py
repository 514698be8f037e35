"""A file that lies with the wrong player is moved to the right one, with a trace on both sides.

Its bytes are opened under the one key and sealed under the other; the old copy loses its key in the same transaction,
so nobody sees it with the wrong player again, in a picture or as a file. What of it stays: both entries, and the seal
of its name in the log, under the wrong player's key. One person is enough: it protects.
"""

import logging
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from audit.actors import Acts, system
from audit.models import Entry
from audit.perform import ConditionsNotMet, Denied, perform
from audit.record import record
from cases.models import Case, Evidence
from cases.permissions import WORK, may
from cases.services import attach, require, write_note
from compliance.people.models import User
from compliance.proposals.services import void_overtaken
from documents.models import Document
from documents.services import Refused, kept_or_removed, name_of, opened, receive, remove_file
from documents.uploads import SealedUpload, seal_file

log = logging.getLogger(__name__)
OUTSIDE = ("key", "player")


@dataclass(frozen=True, slots=True)
class Seen:
    """Who saw a file where it did not belong. `told`: the player was written to about it."""

    staff: int
    outside: int
    told: bool

    @property
    def left_the_house(self) -> bool:
        return bool(self.outside or self.told)


@dataclass(frozen=True, slots=True)
class Moved:
    """`document` is the copy with the right player, None where that player had the file already. `why_not` says why it
    was not offered in the case, if it was not."""

    document: Document | None
    why_not: str


def seen(evidence: Evidence) -> Seen:
    """By the log: persons of the staff who looked at it, and how often it was given out to anybody else."""
    reads = Entry.objects.filter(log="main", object_id=str(evidence.document_id), outcome="done")
    reads = reads.filter(action__in=("audit.read", "documents.release_original", "documents.print"))
    staff = reads.filter(actor_kind="staff").order_by().values("actor_id").distinct().count()
    told = Evidence.objects.filter(document=evidence.document_id, told=True).exists()
    return Seen(staff, reads.filter(actor_kind__in=OUTSIDE).count(), told)


def move(evidence: Evidence, to: Case, *, by: User, purpose: str, document_type: str) -> Moved:
    """Move the file to the case `to` of another player of the same licensee, and offer it there.

    Raises ConditionsNotMet, Denied (recorded), NotReady when the file cannot be read.
    """
    wrong = evidence.case
    for case in (wrong, to):
        require(WORK, case, by=by, action="evidence.move_away")
    if unmet := _unmet(evidence, to):
        raise ConditionsNotMet([unmet])
    upload = _resealed(evidence.document, to)
    try:
        with transaction.atomic():
            _lock(wrong, to)
            return _moved(evidence, to, upload, by=by, purpose=purpose, document_type=document_type)
    finally:
        upload.close()


def _unmet(evidence: Evidence, to: Case) -> str:
    if to.customer_id == evidence.case.customer_id:
        return _("This case is of the same player. Offer the file there instead.")
    if to.licensee_id != evidence.case.licensee_id:
        return _("This case belongs to another licensee.")
    if evidence.document.state == "destroyed":
        return _("This file is not there any more.")
    return ""


def _resealed(document: Document, to: Case) -> SealedUpload:
    """The same bytes under the other player's key, not yet stored. They pass through memory only."""
    file, reader = opened(document, by=system(), whole=True)
    with closing(file):
        stream: Any = _Pieces(reader.read(0, document.size))
        return seal_file(customer=to.customer, name=name_of(document), stream=stream)


class _Pieces:
    """What `seal_file` reads: the next piece, whatever its size."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces

    def read(self, size: int = -1) -> bytes:
        return next(self._pieces, b"")


def _lock(*cases: Case) -> None:
    """In the order of their ids, so that two moves in opposite directions wait for each other."""
    list(Case.objects.select_for_update(of=("self",)).filter(pk__in=[case.pk for case in cases]).order_by("pk"))


def _moved(evidence: Evidence, to: Case, upload: SealedUpload, *, by: User, purpose: str, document_type: str) -> Moved:
    wrong, old, before = evidence.case, evidence.document, seen(evidence)
    facts = {
        "other": _number(to),
        "document": str(old.pk),
        "staff": before.staff,
        "outside": before.outside,
        "told_wrongly": before.told,
    }
    for row in Evidence.objects.filter(document=old).exclude(state="superseded").select_related("case"):
        # Their right was asked on this case. In those that they may not work on, or see, the product takes it away.
        mover = by if may(by, WORK, row.case) else system()
        perform(row.move_away, by=mover, details=facts | {"purpose": row.purpose})
        void_overtaken(row.case)
    # The old copy goes first: it must not count as the same file handed in by two players.
    perform(old.destroy, by=system(), reason="misfiled")
    transaction.on_commit(partial(remove_file, old), robust=True)
    document = _received(upload, to, by=by)
    why_not = _offered(document, to, by=by, purpose=purpose, document_type=document_type)
    about = document or to
    details = facts | {"other": _number(wrong), "offered": not why_not}
    record("evidence.move_in", by=by, about=about, subject=to.audit_subject, matter=to.number, details=details)
    write_note(wrong, by=by, text=_note(before, to, wrong))
    return Moved(document, why_not)


def _received(upload: SealedUpload, to: Case, *, by: Acts) -> Document | None:
    try:
        with kept_or_removed(upload):
            return receive(customer=to.customer, upload=upload, by=by, matter=to.number)
    except Refused as refused:
        if refused.code == "same_file":
            return None
        raise


def _offered(document: Document | None, to: Case, *, by: User, purpose: str, document_type: str) -> str:
    """ "" when it stands in the case now, else why not: it lies with the right player all the same."""
    if document is None:
        return _("This player had handed in the same file already.")
    try:
        with transaction.atomic():
            attach(to, document, purpose=purpose, document_type=document_type, by=by)
    except (ConditionsNotMet, Denied) as error:
        return str(error)
    return ""


def _number(case: Case) -> str:
    """What the other case says of this one: of a restricted one no number, for its reader may not know of it."""
    return "…" if case.restricted else case.number


def _note(before: Seen, to: Case, wrong: Case) -> str:
    """What whoever looks into it later needs: an incident where it left the house, a slip where it did not."""
    lines = [_("A file of another player lay in this case and was moved to %(number)s.") % {"number": _number(to)}]
    count = {"n": before.staff}
    lines.append(
        ngettext("%(n)d member of staff saw it here.", "%(n)d members of staff saw it here.", before.staff) % count
    )
    if before.left_the_house:
        lines[0] = _("Incident:") + " " + lines[0]
        if before.outside:
            lines.append(_("It was given out of the house: %(n)d times.") % {"n": before.outside})
        if before.told:
            lines.append(_("This player was written to about it."))
        lines.append(_("Tell the privacy officer today."))
    if wrong.closed_at is not None:
        lines.append(_("This case was finished while it lay here: see whether its outcome rests on it."))
    return " ".join(lines)
