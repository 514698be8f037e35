"""Acts on letters: take one in, put it to a case, set it aside, take it back, move it off the wrong case.

Each is one transaction with its entry. A letter that came twice is one letter.
"""

import hashlib
import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from audit.actors import INSTALLATION, Acts, SubjectRef, system
from audit.cards import without_cards
from audit.perform import ConditionsNotMet, perform
from audit.record import ObjectRef, record
from cases.clocks.services import player_wrote
from cases.contacts import care
from cases.contacts.models import Task
from cases.contacts.wording import hits
from cases.mail import calling, files, matching, parsing
from cases.mail.deliveries import bounced
from cases.mail.models import Letter, LetterFile
from cases.mail.parsing import Parsed
from cases.mail.permissions import licensees_of
from cases.models import Case
from cases.notices.services import tell
from cases.permissions import WORK
from cases.services import in_touch, require
from compliance.keys.services import open_sealed, seal
from compliance.outbox.services import post
from compliance.people.models import Licensee, User

CONTENT = "mail.content"
DISCARDED_KEPT = timedelta(days=30)
UNSORTED_KEPT = timedelta(days=365)
BOUNCES_COME_WITHIN = timedelta(days=10)  # servers try for about five days (RFC 5321, 4.5.4.1)


@dataclass(frozen=True, slots=True)
class Content:
    """What a letter says, as it is kept: without card data, without what is not seen."""

    sender: str
    sender_name: str
    subject: str
    text: str


# ---------------------------------------------------------------------------------------------------- taking in
def take_in(
    raw: bytes, *, licensee: Licensee, size: int, ours: tuple[str, ...] = (), authority: str = ""
) -> Letter | None:
    """Keep a letter as it came; None when it was taken in before. Idempotent: a poll that died is repeated."""
    parsed = parsing.parse(raw, cut=size > len(raw), ours=ours, authority=authority)
    digest = hashlib.sha256(parsed.message_id.encode("utf-8", "replace") or raw).digest()
    if Letter.objects.filter(licensee=licensee, digest=digest).exists():
        return None
    try:
        with transaction.atomic():
            return _kept(parsed, licensee=licensee, digest=digest, size=size)
    except IntegrityError as error:
        if "letter_once" in str(error):  # another worker was quicker
            return None
        raise


def _kept(parsed: Parsed, *, licensee: Licensee, digest: bytes, size: int) -> Letter:
    now = timezone.now()
    content = _clean(parsed)
    found = matching.find(parsed, licensee) if parsed.kind in ("person", "auto") else matching.Found(None)
    # Whatever its headers say of it: they may be wrong, and somebody may be behind the words.
    urgent = bool(hits(f"{content.subject}\n{content.text}", "self_harm", on=licensee.day_of(now)))
    letter = Letter(
        licensee=licensee,
        digest=digest,
        kind=parsed.kind,
        why=found.why,
        suggested=found.suggested,
        urgent=urgent,
        size=size,
        flaws=parsed.flaws,
        arrived_at=now,
    )
    letter.content_sealed = _sealed(letter, content, INSTALLATION)
    letter.save(force_insert=True)
    files.hold(letter, parsed.files)
    facts = {"kind": letter.kind, "why": letter.why, "files": len(parsed.files), "size": size, "flaws": parsed.flaws}
    record("mail.take_in", by=system(), about=letter, details=facts | {"urgent": urgent})
    if found.case is None:
        return _unmatched(letter, parsed)
    return _put(letter, found.case, by=system(), sender_known=True)


def _unmatched(letter: Letter, parsed: Parsed) -> Letter:
    """What no person wrote needs no person to look at it, unless its words may mean self-harm; a bounce tells what
    became of a message that we sent not long ago."""
    since = letter.arrived_at - BOUNCES_COME_WITHIN
    for message in matching.messages_named(parsed.returned, letter.licensee):
        if (message.sent_at or message.written_at) >= since:
            bounced(message, status=parsed.status)
    if letter.urgent:
        post(calling.CALL, payload={"letter_id": str(letter.pk)})
    elif letter.kind != Letter.Kind.PERSON:
        return perform(letter.discard, by=system(), reason=Letter.Reason.AUTOMATIC.value, at=timezone.now())  # type: ignore[no-any-return]
    return letter


def _clean(parsed: Parsed) -> Content:
    return Content(
        sender=parsed.sender,
        sender_name=without_cards(parsed.sender_name),
        subject=without_cards(parsed.subject),
        text=without_cards(parsed.text),
    )


# ---------------------------------------------------------------------------------------------------- sorting
@transaction.atomic
def match(letter: Letter, case: Case, *, by: User, checked: bool = False) -> Letter:
    """Put a letter to a case. `checked`: the person made sure of a sender whose address is not the player's.

    Raises ConditionsNotMet where that is missing, or the case is another licensee's.
    """
    require(WORK, case, by=by, action="mail.match")
    if case.licensee_id != letter.licensee_id:
        raise ConditionsNotMet([_("This case belongs to another licensee.")])
    known = sender_is_players(letter, case)
    if not known and not checked:
        raise ConditionsNotMet([_("The sender’s address is not the player’s. Make sure who wrote, and say so.")])
    return _put(letter, case, by=by, sender_known=known)


def _put(letter: Letter, case: Case, *, by: Acts, sender_known: bool) -> Letter:
    now, content = timezone.now(), content_of(letter)
    sealed = _sealed(letter, content, case.audit_subject)
    files.reseal(letter, case.audit_subject)
    details = {"sender_known": sender_known, "kind": letter.kind}
    letter = perform(letter.match, by=by, case=case, content=sealed, at=now, details=details)
    if letter.files.filter(standing=LetterFile.State.HELD).exists():
        post(files.KEEP, payload={"letter_id": str(letter.pk)})
    care.look(case, f"{content.subject}\n{content.text}", by=by)
    if letter.kind == Letter.Kind.PERSON:
        player_wrote(case, by=by, at=letter.arrived_at)
        in_touch(case, at=letter.arrived_at)
        tell("player_wrote", case=case, to=[case.assignee] if case.assignee else [], key=letter.pk, by=by)
    return letter


def sender_is_players(letter: Letter, case: Case) -> bool:
    accounts = matching.accounts_with(content_of(letter).sender, letter.licensee)
    return any(account.customer_id == case.customer_id for account in accounts)


def discard(letter: Letter, *, by: Acts, reason: str, outcome: str = "", version: int | None = None) -> Letter:
    """Set a letter aside: it is kept 30 days and then emptied. `restore` takes it back.

    Raises ConditionsNotMet without a reason, and without an outcome (as of an urgent task) where its words may mean
    self-harm.
    """
    if reason not in Letter.Reason.values:
        raise ConditionsNotMet([_("Choose a reason.")])
    if letter.urgent and outcome not in dict(Task.OUTCOMES["care"]):
        raise ConditionsNotMet([_("Choose an outcome.")])
    details = {"outcome": outcome} if letter.urgent else {}
    return perform(letter.discard, by=by, version=version, reason=reason, at=timezone.now(), details=details)  # type: ignore[no-any-return]


def restore(letter: Letter, *, by: Acts) -> Letter:
    return perform(letter.restore, by=by)  # type: ignore[no-any-return]


@transaction.atomic
def move_away(letter: Letter, *, by: User) -> Letter:
    """Take a letter off the wrong case. Its files that the vault took are moved one by one (cases.misfiled) first."""
    assert letter.case is not None
    require(WORK, letter.case, by=by, action="mail.move_away")
    if letter.files.filter(standing=LetterFile.State.RECEIVED).exclude(document__state="destroyed").exists():
        raise ConditionsNotMet([_("Its files lie with this player. Move them to the right case first.")])
    content = content_of(letter)
    matter, subject = letter.case.number, letter.case.audit_subject
    files.reseal(letter, INSTALLATION)
    record("mail.move_away", by=by, about=ObjectRef("letter", str(letter.pk)), subject=subject, matter=matter)
    return perform(letter.move_away, by=by, content=_sealed(letter, content, INSTALLATION))  # type: ignore[no-any-return]


# ---------------------------------------------------------------------------------------------------- content
def content_of(letter: Letter) -> Content:
    """What it says; empty once it was emptied."""
    if not letter.content_sealed:
        return Content("", "", "", "")
    opened = open_sealed(letter.audit_subject, CONTENT, bytes(letter.content_sealed), aad=letter.pk.bytes)
    return Content(**json.loads(opened))


def _sealed(letter: Letter, content: Content, subject: SubjectRef) -> bytes:
    said: dict[str, Any] = {name: getattr(content, name) for name in Content.__slots__}
    return seal(subject, CONTENT, json.dumps(said).encode(), aad=letter.pk.bytes)


@transaction.atomic
def empty_old() -> int:
    """Remove what letters say that belong to nobody, after their time. How many."""
    now = timezone.now()
    old = Letter.objects.filter(emptied_at=None, state="discarded", arrived_at__lt=now - DISCARDED_KEPT)
    old |= Letter.objects.filter(emptied_at=None, state="unmatched", arrived_at__lt=now - UNSORTED_KEPT)
    # Whoever sorts one at this moment holds its lock, and what was sorted just now no longer fits: both are left.
    ids = [letter.pk for letter in old.select_for_update(skip_locked=True, of=("self",)).only("pk")[:1000]]
    if ids:
        LetterFile.objects.filter(letter__in=ids).update(
            data_sealed=None, name_sealed=b"", standing=LetterFile.State.REFUSED, refusal="emptied"
        )
        Letter.objects.filter(pk__in=ids).update(content_sealed=b"", emptied_at=now)
        record("mail.empty", by=system(), about=ObjectRef("list", "letters"), details={"rows": len(ids)})
    return len(ids)


def letters_to_sort(user: Any, *, up_to: int) -> int:
    """How many letters wait for somebody to say whose they are, counted no further than one more than `up_to`."""
    rows = Letter.objects.filter(licensee__in=licensees_of(user), state="unmatched", emptied_at=None)
    return int(rows.order_by().values("pk")[: up_to + 1].count())
