"""Acts that every kind of case shares: open, attach, judge, write, assign. Each is one transaction with its entry."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid4

from django.db import transaction
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from audit.actors import Acts, system
from audit.cards import without_cards
from audit.perform import ConditionsNotMet, Denied, StaleVersion, WrongState, perform
from audit.record import record, record_refusal
from cases import kinds, texts
from cases.happenings import tell
from cases.models import Case, Evidence, Message, Note, Queue
from cases.numbers import next_number
from cases.permissions import VIEW, WORK, is_key, may
from compliance.keys.services import open_sealed, seal
from compliance.outbox.services import post
from compliance.people.duty.services import absence_of
from compliance.people.models import Account, Customer, User
from compliance.people.returning import require_present
from compliance.proposals.services import void_overtaken
from compliance.rulebook.queries import policy_of
from documents.models import Document
from documents.services import kept_already, kept_or_removed, receive

MESSAGE, NOTE = "cases.message", "cases.note"
REVOKED_BECAUSE: dict[str, str | Promise] = {
    "seen_later": _("A fault was seen later"),
    "wrong_item": _("It proves something else"),
    "new_information": _("Something new became known"),
}


_when_opened: list[Callable[[Case], bool]] = []


class NoQueue(ConditionsNotMet):
    """Nobody works on this kind of case for this licensee."""

    def __init__(self) -> None:
        super().__init__(
            [str(_("No team has a queue for this kind of case and licensee. Ask an administrator to open one."))]
        )


def require(permission: str, case: Case, *, by: Acts, action: str) -> None:
    """Refuse, and record the refusal, unless `by` holds the permission on the case."""
    if not may(by, permission, case):
        record_refusal(action, by=by, about=case, reason="no_right")
        raise Denied("no_right")


def open_case(kind: str, account: Account, *, by: Acts, now: datetime, due_at: datetime, **facts: Any) -> Any:
    """A new case of this kind in the licensee's queue, with a tracking number and the policy of the day pinned."""
    require_present(account.customer)
    # Whoever marks the player, or lifts the mark, waits for us or we for them. Before the number, which all wait for.
    Customer.objects.select_for_update(of=("self",), no_key=True).get(pk=account.customer_id)
    licensee = account.licensee
    queue = Queue.objects.filter(licensee=licensee, kind=kind).order_by("team__slug").first()
    if queue is None:
        raise NoQueue
    spec = kinds.lookup(kind)
    policy = policy_of(licensee, on=licensee.day_of(now))
    case = spec.model.objects.create(
        number=next_number(spec.prefix, now=now),
        kind=kind,
        account=account,
        customer=account.customer,
        licensee=licensee,
        jurisdiction=licensee.jurisdiction,
        queue=queue,
        policy_version=policy.version,
        opened_at=now,
        opened_by=str(by.audit_actor),
        due_at=due_at,
        **facts,
    )
    if any(closes(case) for closes in _when_opened):
        case = spec.model.objects.get(pk=case.pk)
    tell(case, "opened", by=by)
    return case


def when_opened(closes: Callable[[Case], bool]) -> None:
    """`closes(case)` may restrict a case in the transaction in which it is opened; whether it did."""
    _when_opened.append(closes)


@transaction.atomic
def attach(case: Case, document: Document, *, purpose: str, document_type: str, by: Acts, also: str = "") -> Evidence:
    """Offer a document for one purpose; `also`: besides this one. An older file not accepted gives way to the newer."""
    case = locked(case)
    if case.merged_into_id is not None:
        raise _merged(case, by=by)
    if case.closed_at is not None:
        raise ConditionsNotMet([str(_("This case is finished. Nothing can be added to it."))])
    if document.customer_id != case.customer_id:
        raise Denied("other_customer", _("This file belongs to another player."))
    if (purpose, document_type) not in kinds.lookup(case.kind).offers(case):
        raise ConditionsNotMet(
            [str(_("purpose: this case does not ask for {item}.")).format(item=f"{purpose}, {document_type}")]
        )
    for older in case.evidence.filter(purpose=purpose, state__in=("pending", "returned", "accepted")).order_by(
        "created_at"
    ):
        if older.state == Evidence.State.ACCEPTED:
            raise ConditionsNotMet([str(_("This was already accepted. Nothing more is needed for it."))])
        _judged(older.supersede, by=system())
    evidence = Evidence.objects.create(case=case, document=document, purpose=purpose, document_type=document_type)
    details = {"purpose": purpose, "document_type": document_type, "document": str(document.pk)}
    details |= {"also": also} if also else {}
    record("evidence.attach", by=by, about=evidence, details=details)
    void_overtaken(case)
    tell(case, "file", by=by)
    kinds.lookup(case.kind).arrived(case, evidence, by=by)
    return evidence


def accept(
    evidence: Evidence,
    *,
    by: Acts,
    version: int | None = None,
    issued_on: date | None = None,
    valid_until: date | None = None,
) -> Evidence:
    """The file proves what it was offered for; until when, follows from its dates and the policy.

    A paper that is out of date, or older than the policy takes, is refused with ConditionsNotMet.
    """
    case, now = evidence.case, timezone.now()
    today = case.licensee.day_of(now)
    by_policy, unmet = kinds.lookup(case.kind).age(evidence, issued_on, today)
    if issued_on and issued_on > today:
        unmet = [str(_("The day of issue lies in the future. Check the date."))]
    if valid_until and valid_until < today:
        unmet = [*unmet, str(_("This paper is out of date. Ask again for one that is still good."))]
    if unmet:
        raise ConditionsNotMet(unmet)
    good_until = min((day for day in (by_policy, valid_until) if day), default=None)
    dates = {"issued_on": issued_on, "valid_until": valid_until, "good_until": good_until}
    return _judged(evidence.accept, by=by, version=version, at=now, **dates)


def ask_again(evidence: Evidence, *, by: Acts, reasons: Sequence[str], version: int | None = None) -> Evidence:
    """Ask for this one item again. All its faults at once; the player is told when the whole request is sent."""
    _check_reasons(evidence, reasons, "ask_again")
    return _judged(evidence.ask_again, by=by, version=version, reasons=list(reasons), at=timezone.now())


def reject(evidence: Evidence, *, by: Acts, reasons: Sequence[str], version: int | None = None) -> Evidence:
    _check_reasons(evidence, reasons, "final")
    return _judged(evidence.reject, by=by, version=version, reasons=list(reasons), at=timezone.now())


def reconsider(evidence: Evidence, *, by: Acts, version: int | None = None) -> Evidence:
    return _judged(evidence.reconsider, by=by, version=version)


def revoke(
    evidence: Evidence, *, by: Acts, reason: str, note: str | None = None, version: int | None = None
) -> Evidence:
    """An officer takes an acceptance back; whatever was proposed on it is void."""
    if reason not in REVOKED_BECAUSE:
        raise ConditionsNotMet([str(_("Choose a reason."))])
    return _judged(evidence.revoke, by=by, version=version, reason=reason, note=note or None)


def expire_overdue() -> int:
    """Every accepted file whose last good day passed in its licensee's zone. How many."""
    # No zone is more than a day ahead of UTC; the move itself asks for the licensee's day.
    late = Evidence.objects.filter(state="accepted", good_until__lte=timezone.now().date())
    expired = 0
    for evidence in late.select_related("case__licensee").order_by("good_until", "id"):
        by_paper = evidence.valid_until == evidence.good_until
        with suppress(ConditionsNotMet, WrongState):  # still good there, or judged anew a moment ago
            _judged(evidence.expire, by=system(), reasons=["doc_expired" if by_paper else "doc_too_old"])
            expired += 1
    return expired


@transaction.atomic
def _judged(move: Any, **inputs: Any) -> Evidence:
    """Make the move and name the item in its entry, so that the history says what was judged.

    A proposal that rests on the former verdict is void at once. The case is locked first: a decision that is being
    confirmed now waits for this verdict, or this one for it.
    """
    case = Case.objects.select_for_update(of=("self",)).get(pk=move.__self__.case_id)
    evidence: Evidence = perform(move, details={"purpose": move.__self__.purpose}, **inputs)
    void_overtaken(case)
    kinds.lookup(case.kind).ruled(case, evidence, by=inputs["by"])
    return evidence


def _check_reasons(evidence: Evidence, reasons: Sequence[str], kind: texts.Kind) -> None:
    if not reasons:
        raise ConditionsNotMet([str(_("Choose at least one reason."))])
    allowed = {reason.code for reason in texts.reasons(purpose=evidence.purpose, kind=kind)}
    if unknown := [code for code in reasons if code not in allowed]:
        raise ConditionsNotMet([str(_("This reason does not belong here: {codes}.")).format(codes=", ".join(unknown))])


def write_message(
    case: Case,
    code: str,
    *,
    by: Acts,
    text: str,
    tells_of: Sequence[Evidence] = (),
    message_id: UUID | None = None,
) -> Message:
    """Keep what the player is told, sealed, and leave an outbox row that sends it after the commit.

    `tells_of` are the verdicts that the player learns of with it: they are told from now on, and its entry names them.
    """
    written_in = getattr(text, "language", case.account.language)
    version = {"version": text.version} if isinstance(text, texts.Text) else {}
    text = without_cards(text)
    message = Message(
        id=message_id or uuid4(),
        case=case,
        code=code,
        language=written_in,
        written_at=timezone.now(),
        written_by=str(by.audit_actor),
    )
    message.text_sealed = seal(case.audit_subject, MESSAGE, text.encode(), aad=message.pk.bytes)
    message.save(force_insert=True)
    if isinstance(by, User):
        in_touch(case, at=message.written_at)
    told = sorted(str(evidence.pk) for evidence in tells_of)
    case.evidence.filter(pk__in=told).update(told=True)
    details = {"code": code, "language": message.language, "text": text} | version | ({"told": told} if told else {})
    record("cases.write_message", by=by, about=message, details=details)
    post(MESSAGE, payload={"message_id": str(message.pk)})
    tell(case, "message", by=by)
    for evidence in tells_of:
        tell(case, "refused", by=by, about=evidence)
    return message


def in_touch(case: Case, *, at: datetime) -> None:
    """The player and somebody of the house were in touch at this moment: in the transaction of the entry that says so.
    What the product writes by itself is no contact. An earlier moment than the one known changes nothing.
    """
    Case.objects.filter(pk=case.pk).update(last_contact_at=at)


def leave_word_of_end(case: Case, *, by: Acts) -> None:
    """The case is over, and with it the player learns which files were refused for good."""
    for evidence in case.evidence.filter(state=Evidence.State.REJECTED).order_by("created_at", "id"):
        tell(case, "refused", by=by, about=evidence)
    tell(case, "ended", by=by)


def message_text(message: Message) -> str:
    return open_sealed(message.audit_subject, MESSAGE, bytes(message.text_sealed), aad=message.pk.bytes).decode()


@transaction.atomic
def write_note(case: Case, *, by: User, text: str, batch: str = "") -> Note:
    require(WORK, case, by=by, action="cases.write_note")
    text = without_cards(text)
    note = Note(case=case, written_at=timezone.now(), written_by=by)
    note.text_sealed = seal(case.audit_subject, NOTE, text.encode(), aad=note.pk.bytes)
    note.save()
    details = {"batch": batch} if batch else None
    record("cases.write_note", by=by, about=note, note=text, details=details)
    tell(case, "note", by=by)
    return note


def note_text(note: Note) -> str:
    return open_sealed(note.audit_subject, NOTE, bytes(note.text_sealed), aad=note.pk.bytes).decode()


@transaction.atomic
def assign(case: Case, *, to: User | None, by: User, version: int | None = None, batch: str = "") -> Case:
    """Give the case to a member of staff who may work on it and is not away, or to nobody."""
    require(WORK, case, by=by, action="cases.assign")
    case = locked(case)
    if version is not None and version != case.version:
        raise StaleVersion(case)
    if to is not None and (wrong := cannot_have(case, to, by=by)):
        raise ConditionsNotMet(wrong)
    give(case, to, by=by, batch=batch)
    return case


def cannot_have(case: Case, to: User, *, by: Acts) -> list[str]:
    """Why the case cannot be given to this person, in words. Whoever is away names a deputy; they take for themselves
    what they like.
    """
    if not may(to, WORK, case):
        return [str(_("This person may not work on this case."))]
    absence = absence_of(to) if to.human_id != by.human_id else None
    if absence is None:
        return []
    facts = {"name": to.name, "deputy": absence.deputy.name if absence.deputy else ""}
    if absence.deputy:
        return [str(_("%(name)s is away. %(deputy)s stands in: give it to them.")) % facts]
    return [str(_("%(name)s is away and named nobody.")) % facts]


@transaction.atomic
def release(case: Case, *, by: Acts) -> None:
    """Nobody is responsible any more: whoever was must not work on it."""
    give(locked(case), None, by=by)


def give(case: Case, to: User | None, *, by: Acts, batch: str = "") -> None:
    """Change who is responsible for a locked case. Whether they may was asked."""
    if case.assignee_id != (to.pk if to else None):
        before, case.assignee = case.assignee_id, to
        case.version += 1
        case.save(update_fields=["assignee", "version"])
        details = {"batch": batch} if batch else None
        record(
            "cases.assign",
            by=by,
            about=case,
            changes={"assignee_id": (before, case.assignee_id)},
            details=details,
        )
        tell(case, "assigned", by=by, to=[to])


@transaction.atomic
def take_next(*, by: User, kind: str) -> Case | None:
    """The most urgent case of this kind that nobody has; two people who ask at once get two cases."""
    free = Case.objects.allowed_to(by, WORK).open().free().filter(kind=kind)
    next_one = free.order_by("-priority", "due_at", "id").select_for_update(of=("self",), skip_locked=True).first()
    return assign(next_one, to=by, by=by) if next_one else None


def locked(case: Case) -> Any:
    """The case, fresh, of its own kind, and locked until the transaction ends."""
    return type(case).objects.select_for_update(of=("self",)).get(pk=case.pk)


def require_to_bring(case: Case, *, by: Acts) -> Case:
    """Who works on the case brings files; so does the platform, whose key's scope was asked at the door.

    The case that takes them: what a key brings to a merged one goes to the case in which the matter goes on. Staff are
    told where that is, with ConditionsNotMet.
    """
    if case.merged_into_id is not None and may(by, VIEW, case):
        goes_on: Case = kinds.lookup(case.kind).model.objects.get(pk=case.merged_into_id)
        if is_key(by) and may(by, VIEW, goes_on):
            return goes_on
        raise _merged(case, by=by)
    if not is_key(by):
        require(WORK, case, by=by, action="evidence.attach")
    return case


def _merged(case: Case, *, by: Acts) -> ConditionsNotMet:
    """Why a merged case takes nothing. The other's number is for who may see the other."""
    other = case.merged_into
    if other is not None and may(by, VIEW, other):
        said = _("This case was merged into %(number)s. Hand the file in there.") % {"number": other.number}
    else:
        said = str(_("This case was merged into another one. It takes no file any more."))
    return ConditionsNotMet([said])


@transaction.atomic
def bring(case: Case, file: Any, *, purpose: str, document_type: str, by: Acts) -> Evidence:
    """Take a file in and offer it for a purpose, both or neither. `file` is what the sealing upload handler left.

    A file that this case has for another purpose is kept once, and offered for this one too.
    """
    case = require_to_bring(case, by=by)
    document = kept_already(customer=case.customer, upload=file)
    if document is not None and _proves_something_else(case, document, purpose):
        evidence = attach(case, document, purpose=purpose, document_type=document_type, by=by)
        file.close()
        return evidence
    with kept_or_removed(file):
        document = receive(customer=case.customer, upload=file, by=by, matter=case.number)
        return attach(case, document, purpose=purpose, document_type=document_type, by=by)


def _proves_something_else(case: Case, document: Document, purpose: str) -> bool:
    """In this very case, and not what it is offered for now: the same again is refused as before."""
    purposes = set(case.evidence.filter(document=document).values_list("purpose", flat=True))
    return bool(purposes) and purpose not in purposes
