"""Acts that every kind of case shares: open, attach, judge, write, assign. Each is one transaction with its entry."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from audit.actors import Acts, system
from audit.cards import without_cards
from audit.perform import ConditionsNotMet, Denied, StaleVersion, WrongState, perform
from audit.record import record, record_refusal
from cases import kinds, texts
from cases.models import Case, Evidence, Message, Note, Queue
from cases.numbers import next_number
from cases.permissions import WORK, is_key, may
from compliance.keys.services import open_sealed, seal
from compliance.outbox.services import post
from compliance.people.models import Account, Licensee, User
from compliance.policy import policy_for
from compliance.proposals.services import void_overtaken
from documents.models import Document
from documents.services import kept_or_removed, receive

MESSAGE, NOTE = "cases.message", "cases.note"
REVOKED_BECAUSE: dict[str, str | Promise] = {
    "seen_later": _("A fault was seen later"),
    "wrong_item": _("It proves something else"),
    "new_information": _("Something new became known"),
}


class NoQueue(ConditionsNotMet):
    """Nobody works on this kind of case for this licensee."""

    def __init__(self) -> None:
        super().__init__(
            [str(_("No team has a queue for this kind of case and licensee. Ask an administrator to open one."))]
        )


def actor_text(by: Acts) -> str:
    return f"{by.audit_actor.kind}:{by.audit_actor.id}"


def require(permission: str, case: Case, *, by: Acts, action: str) -> None:
    """Refuse, and record the refusal, unless `by` holds the permission on the case."""
    if not may(by, permission, case):
        record_refusal(action, by=by, about=case, reason="no_right")
        raise Denied("no_right")


def day_of(licensee: Licensee, moment: datetime) -> date:
    """The licensee's day: the one that policies, deadlines and windows go by."""
    return timezone.localdate(moment, ZoneInfo(licensee.time_zone))


def open_case(kind: str, account: Account, *, by: Acts, now: datetime, due_at: datetime, **facts: Any) -> Any:
    """A new case of this kind in the licensee's queue, with a tracking number and the policy of the day pinned."""
    licensee = account.licensee
    queue = Queue.objects.filter(licensee=licensee, kind=kind).order_by("team__slug").first()
    if queue is None:
        raise NoQueue
    spec = kinds.lookup(kind)
    policy = policy_for(licensee.jurisdiction, on=day_of(licensee, now))
    return spec.model.objects.create(
        number=next_number(spec.prefix, now=now),
        kind=kind,
        account=account,
        customer=account.customer,
        licensee=licensee,
        jurisdiction=licensee.jurisdiction,
        queue=queue,
        policy_version=policy.version,
        opened_at=now,
        opened_by=actor_text(by),
        due_at=due_at,
        **facts,
    )


@transaction.atomic
def attach(case: Case, document: Document, *, purpose: str, document_type: str, by: Acts) -> Evidence:
    """Offer a document for one purpose. An older file that is not accepted gives way to the newer."""
    case = _locked(case)
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
    record("evidence.attach", by=by, about=evidence, details=details)
    void_overtaken(case)
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
    today = day_of(case.licensee, now)
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
    return evidence


def _check_reasons(evidence: Evidence, reasons: Sequence[str], kind: texts.Kind) -> None:
    if not reasons:
        raise ConditionsNotMet([str(_("Choose at least one reason."))])
    allowed = {reason.code for reason in texts.reasons(purpose=evidence.purpose, kind=kind)}
    if unknown := [code for code in reasons if code not in allowed]:
        raise ConditionsNotMet([str(_("This reason does not belong here: {codes}.")).format(codes=", ".join(unknown))])


def write_message(case: Case, code: str, *, by: Acts, text: str, tells_of: Sequence[Evidence] = ()) -> Message:
    """Keep what the player is told, sealed, and leave an outbox row that sends it after the commit.

    `tells_of` are the verdicts that the player learns of with it: they are told from now on, and its entry names them.
    """
    text = without_cards(text)
    message = Message(
        case=case, code=code, language=case.account.language, written_at=timezone.now(), written_by=actor_text(by)
    )
    message.text_sealed = seal(case.audit_subject, MESSAGE, text.encode(), aad=message.pk.bytes)
    message.save()
    told = sorted(str(evidence.pk) for evidence in tells_of)
    case.evidence.filter(pk__in=told).update(told=True)
    details = {"code": code, "language": message.language, "text": text} | ({"told": told} if told else {})
    record("cases.write_message", by=by, about=message, details=details)
    post(MESSAGE, payload={"message_id": str(message.pk)})
    return message


def message_text(message: Message) -> str:
    return open_sealed(message.audit_subject, MESSAGE, bytes(message.text_sealed), aad=message.pk.bytes).decode()


@transaction.atomic
def write_note(case: Case, *, by: User, text: str) -> Note:
    require(WORK, case, by=by, action="cases.write_note")
    text = without_cards(text)
    note = Note(case=case, written_at=timezone.now(), written_by=by)
    note.text_sealed = seal(case.audit_subject, NOTE, text.encode(), aad=note.pk.bytes)
    note.save()
    record("cases.write_note", by=by, about=note, note=text)
    return note


def note_text(note: Note) -> str:
    return open_sealed(note.audit_subject, NOTE, bytes(note.text_sealed), aad=note.pk.bytes).decode()


@transaction.atomic
def assign(case: Case, *, to: User | None, by: User, version: int | None = None) -> Case:
    """Give the case to a member of staff who may work on it, or to nobody."""
    require(WORK, case, by=by, action="cases.assign")
    case = _locked(case)
    if version is not None and version != case.version:
        raise StaleVersion(case)
    if to is not None and not may(to, WORK, case):
        raise ConditionsNotMet([str(_("This person may not work on this case."))])
    _give(case, to, by=by)
    return case


@transaction.atomic
def release(case: Case, *, by: Acts) -> None:
    """Nobody is responsible any more: whoever was must not work on it."""
    _give(_locked(case), None, by=by)


def _give(case: Case, to: User | None, *, by: Acts) -> None:
    if case.assignee_id != (to.pk if to else None):
        before, case.assignee = case.assignee_id, to
        case.version += 1
        case.save(update_fields=["assignee", "version"])
        record("cases.assign", by=by, about=case, changes={"assignee_id": (before, case.assignee_id)})


@transaction.atomic
def take_next(*, by: User, kind: str) -> Case | None:
    """The most urgent case of this kind that nobody has; two people who ask at once get two cases."""
    free = (
        Case.objects.allowed_to(by, WORK)
        .open()
        .filter(kind=kind, assignee=None, waiting_for="")
        .order_by("-priority", "due_at", "id")
        .select_for_update(of=("self",), skip_locked=True)
        .first()
    )
    return assign(free, to=by, by=by) if free else None


def _locked(case: Case) -> Any:
    return type(case).objects.select_for_update(of=("self",)).get(pk=case.pk)


def require_to_bring(case: Case, *, by: Acts) -> None:
    """Who works on the case brings files; so does the platform, whose key's scope was asked at the door."""
    if not is_key(by):
        require(WORK, case, by=by, action="evidence.attach")


@transaction.atomic
def bring(case: Case, file: Any, *, purpose: str, document_type: str, by: Acts) -> Evidence:
    """Take a file in and offer it for a purpose, both or neither. `file` is what the sealing upload handler left."""
    require_to_bring(case, by=by)
    with kept_or_removed(file):
        document = receive(customer=case.customer, upload=file, by=by, matter=case.number)
        return attach(case, document, purpose=purpose, document_type=document_type, by=by)
