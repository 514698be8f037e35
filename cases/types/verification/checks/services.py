"""Life of a check: ordered on the case -> asked from the outbox -> answered, at once or by a signed message.

An answer helps whoever judges. Where the pinned policy says so it stands in place of a document, if it confirms; it
accepts no file. What stands against an approval is in rules.py.
"""

from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from audit.actors import Acts, system
from audit.perform import ConditionsNotMet, perform
from audit.record import record
from cases import services as engine
from cases.models import Case
from cases.permissions import WORK
from cases.types.verification import going_on, history
from cases.types.verification.checks import adapters
from cases.types.verification.checks.models import Check, Kind, Result
from compliance.outbox.kinds import register
from compliance.outbox.models import OutboxRow
from compliance.outbox.services import post
from compliance.people import correcting
from compliance.people.models import Customer, User
from compliance.people.services import known_of

ASK, DOUBTS = "checks.ask", "checks.doubted"
CORRECTED, DOUBTED = "declared_corrected", "checks"
TRIES = 3
PROVES = ("identity_front", "identity_back", "selfie")  # the files that a vendor's result speaks of


@transaction.atomic
def order(case: Any, kind: str, *, by: User) -> Check:
    """Ask once more about this player. One open question of a kind at a time."""
    engine.require(WORK, case, by=by, action="checks.order")
    if kind not in Kind.values or not adapters.is_set_up(kind):
        raise ConditionsNotMet([str(_("Nobody is set up to answer this check. Look at papers instead."))])
    case = engine.locked(case)
    if case.closed_at is not None:
        raise ConditionsNotMet([str(_("This case is finished. Nothing can be added to it."))])
    if Check.objects.filter(case_id=case.pk, kind=kind, state=Check.State.ASKED).exists():
        raise ConditionsNotMet([str(_("This was asked already and waits for its answer."))])
    check = Check.objects.create(case_id=case.pk, kind=kind, asked_at=timezone.now(), asked_by=str(by.audit_actor))
    record("checks.order", by=by, about=check, details={"kind": kind})
    post(ASK, payload={"check_id": check.pk})
    going_on.checked(case)  # what the former answer met is open until this one is there
    return check


@transaction.atomic
def again(check: Check, *, by: User) -> Check:
    check = perform(check.ask_again, by=by)
    post(ASK, payload={"check_id": check.pk})
    return check


def ask(row: OutboxRow) -> None:
    """A worker asks. What cannot be reached is tried some times, and then fails for all to see."""
    check = Check.objects.select_related("case__customer").get(pk=row.payload["check_id"])
    if check.state == Check.State.ASKED:
        ask_now(check, last=row.attempts >= TRIES)


def ask_now(check: Check, *, last: bool = True) -> None:
    """Ask once. `last`: what cannot be reached now fails; else NotAnswered goes on, for another try."""
    adapter = adapters.adapter_of(check.kind)
    if adapter is None:
        perform(check.fail, by=system(), error="nobody_set_up")
        return
    record("checks.send", by=system(), about=check, details={"kind": check.kind})
    try:
        answer = adapter.ask(_question(check))
    except adapters.NotAnswered as trouble:
        if trouble.code == "unreachable" and not last:
            raise
        perform(check.fail, by=system(), error=trouble.code)
        return
    if answer is not None:
        answered(check, answer)


def _question(check: Check) -> adapters.Question:
    customer = check.case.customer
    return adapters.Question(
        check=str(check.pk),
        kind=check.kind,
        full_name=customer.full_name,
        birth_date=known_of(customer, "birth_date"),
        nationality=customer.nationality,
        national_id=known_of(customer, "national_id"),
    )


@transaction.atomic
def answered(check: Check, answer: adapters.Answer) -> bool:
    """Keep what they said; whether it is the newest. An older one stays in the files' history and changes nothing."""
    check = Check.objects.select_for_update(of=("self",)).select_related("case").get(pk=check.pk)
    said: dict[str, Any] = {
        "source": check.kind,
        "said": answer.result,
        "codes": answer.codes,
        "said_at": answer.said_at,
    }
    if check.kind == Kind.IDV:
        for evidence in check.case.evidence.filter(purpose__in=PROVES).exclude(state="superseded").order_by("id"):
            history.note_result(evidence, by=system(), **said)
    if CORRECTED in check.codes or (check.said_at is not None and answer.said_at <= check.said_at):
        return False
    perform(check.answer, by=system(), result=answer.result, codes=list(answer.codes), said_at=answer.said_at)
    going_on.checked(check.case)
    return True


def doubt(customer: Customer, fields: frozenset[str], by: Acts) -> str:
    """What confirms the former data of a player confirms nothing of the right ones, nor what is still to be said of
    them: somebody orders it again. In a finished case too, which may be opened again; its outcome stays.

    What follows in the case is left to a worker: the player is locked here, and a case is locked before its player.
    """
    of_former = Q(result=Result.MATCH) | Q(state=Check.State.ASKED)
    rows = Check.objects.select_related("case").filter(of_former, case__customer=customer)
    found = list(rows.order_by("pk"))
    for check in found:
        perform(check.answer, by=system(), result=Result.UNCLEAR, codes=[CORRECTED], said_at=timezone.now())
    running = {check.case_id for check in found if check.case.closed_at is None}
    for case_id in sorted(running):
        post(DOUBTS, payload={"case_id": case_id})
    return DOUBTED if running else ""


def doubted(row: OutboxRow) -> None:
    """What the former data met is open again. Twice does what once does."""
    case = Case.objects.filter(pk=row.payload["case_id"], closed_at=None).first()
    if case is not None:
        going_on.checked(case)


register(ASK, ask)
register(DOUBTS, doubted)
correcting.also(doubt)
