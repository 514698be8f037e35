"""Questions about proposals, for pages and for the acts themselves."""

from typing import Any
from uuid import UUID

from django.contrib.postgres.functions import TransactionNow
from django.core.exceptions import ObjectDoesNotExist
from django.db import transaction
from django.http import Http404
from django.utils.translation import gettext as _

from audit.perform import ConditionsNotMet
from compliance.people.access.once import once
from compliance.people.conflicts.queries import stands_between
from compliance.proposals import acts
from compliance.proposals.models import Proposal, State
from compliance.proposals.querysets import ProposalQuerySet


class SecondPersonNeeded(ConditionsNotMet):
    """The policy asks for two persons: propose it. `why` says which rule asks."""

    def __init__(self, why: str) -> None:
        super().__init__([str(_("A second person has to confirm this: propose it. %(why)s")) % {"why": why}])
        self.why = why


def require_second_person(act_name: str, subject: Any, *, proposal: str | UUID | None, **inputs: Any) -> None:
    """The first line of every heavy act: SecondPersonNeeded, unless one is enough by policy or a second confirms now.

    `proposal` is the id that `confirm` hands to the act. It counts only inside the transaction that confirms it, so
    neither a made-up id nor one that was used before opens this door.
    """
    need = acts.lookup(act_name).need(subject, **inputs)
    if need.two and not (proposal and _is_being_confirmed(act_name, subject, proposal)):
        raise SecondPersonNeeded(need.why)


def _is_being_confirmed(act_name: str, subject: Any, proposal: str | UUID) -> bool:
    rows: ProposalQuerySet = Proposal.objects.filter(act=act_name, subject_id=subject.pk, state=State.PERFORMED)
    return rows.filter(pk=proposal, decided_at=TransactionNow()).exists()


def open_proposal(subject: Any) -> Proposal | None:
    """The proposal that waits on this subject, the oldest if several acts were proposed."""
    waiting: ProposalQuerySet = (
        Proposal.objects.of_log(str(getattr(subject, "audit_log", "main"))).parked().filter(subject_id=subject.pk)
    )
    return waiting.for_list().order_by("created_at").first()


def waiting_for(user: Any, *, log: str = "main") -> ProposalQuerySet:
    """What waits for this person's approval, oldest first. Two queries, whatever the number of acts and rows."""
    parked: ProposalQuerySet = Proposal.objects.of_log(log).parked()
    # Most of the house's acts wait for nobody at a time: the question of each would be most of a page's work.
    acts_now = once(user, ("parked", log), lambda: set(parked.order_by().values_list("act", flat=True).distinct()))
    waiting = parked.confirmable_by(user, of=acts_now)
    return waiting.for_list().order_by("created_at")


def expired_for(user: Any, *, log: str = "main") -> ProposalQuerySet:
    """What expired without a decision and was not proposed again: it stays in sight of those who could have decided."""
    expired: ProposalQuerySet = Proposal.objects.of_log(log).filter(state=State.EXPIRED).without_successor()
    expired = expired.confirmable_by(user)
    return expired.for_list().order_by("created_at")


def submitted_by(user: Any, *, log: str = "main") -> ProposalQuerySet:
    """What this person proposed and nobody decided yet."""
    mine: ProposalQuerySet = Proposal.objects.of_log(log).parked().made_by(user)
    return mine.for_list().order_by("created_at")


def get_proposal(proposal_id: UUID, *, user: Any, log: str = "main") -> tuple[Proposal, Any]:
    """The proposal and its subject, for who may decide on it, or made it and still may; Http404 to strangers.

    One of the AML side is found under its own addresses (`log`) only.
    """
    rows = Proposal.objects.of_log(log).select_related("maker", "checker", "named_checker", "licensee")
    row = rows.filter(pk=proposal_id).first()
    act = acts.acts().get(row.act) if row else None
    if row is None or act is None:
        raise Http404("no such proposal")
    try:
        with transaction.atomic():  # `load` locks; the lock goes at once, `confirm` takes its own
            subject = act.load(row.subject_id)
    except ObjectDoesNotExist:
        raise Http404("no such proposal") from None
    allowed = act.may_confirm(subject, user) or (row.maker_human_id == user.human_id and act.may_propose(subject, user))
    if not user.is_active or not allowed or stands_between(user, row.audit_subject):
        raise Http404("no such proposal")
    return row, subject
