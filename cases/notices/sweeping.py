"""What is told because its time came, found from the rows themselves: a message that a worker lost is told anyway."""

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import CharField, Exists, OuterRef, Q
from django.db.models.functions import Cast
from django.utils import timezone

from cases.contacts.models import Task
from cases.models import Case
from cases.notices.models import Notice
from cases.notices.services import carers_of, deciders_of, managers_of, responsible_for, tell
from compliance.proposals.models import Proposal, State

LOOK_BACK = timedelta(days=2)  # what is older was told, or happened before there were notices
BATCH = 500


def sweep(*, now: datetime | None = None) -> int:
    """Tell of call-backs and contacts that fell due, care, proposals that wait or came back. How many notices."""
    now = now or timezone.now()
    with transaction.atomic():
        return _tasks(now) + _waiting(now) + _returned(now)


def _tasks(now: datetime) -> int:
    due = Task.objects.filter(closed_at=None, due_at__lte=now, due_at__gte=now - LOOK_BACK)
    told = 0
    for task in _untold(due, ("call_back", "care", "contact")).select_related("case__assignee", "case__queue"):
        if task.kind == Task.Kind.CARE:  # whoever sees it first
            told += tell("care", case=task.case, to=[*responsible_for(task.case), *managers_of(task.case)], key=task.pk)
        elif task.kind == Task.Kind.CONTACT:
            told += tell("contact", case=task.case, to=carers_of(task.case), key=task.pk)
        else:
            told += tell("call_back", case=task.case, to=responsible_for(task.case), key=task.pk)
    return told


def _waiting(now: datetime) -> int:
    told = 0
    rows = Proposal.objects.of_log("main").parked().filter(created_at__gte=now - LOOK_BACK)
    for proposal, case in _with_cases(_untold(rows, ("proposal_waiting",))):
        named = [proposal.named_checker] if proposal.named_checker else deciders_of(case)
        others = [user for user in named if user.human_id != proposal.maker_human_id]
        told += tell("proposal_waiting", case=case, to=others, key=proposal.pk)
    return told


def _returned(now: datetime) -> int:
    back = Q(state__in=(State.RETURNED, State.EXPIRED, State.VOIDED), created_at__gte=now - 15 * LOOK_BACK)
    rows = _untold(Proposal.objects.of_log("main").filter(back), ("returned",))
    return sum(
        tell("returned", case=case, to=[proposal.maker], key=proposal.pk) for proposal, case in _with_cases(rows)
    )


def _untold(rows: Any, kinds: tuple[str, ...]) -> Any:
    """Those of which nobody was told yet."""
    told = Notice.objects.filter(kind__in=kinds, key=Cast(OuterRef("pk"), CharField()))
    return rows.filter(~Exists(told))[:BATCH]


def _with_cases(proposals: Any) -> list[tuple[Any, Case]]:
    found = list(proposals.select_related("maker", "named_checker"))
    numbers = {proposal.matter for proposal in found if proposal.matter}
    cases = {case.number: case for case in Case.objects.filter(number__in=numbers).select_related("queue", "assignee")}
    return [(proposal, cases[proposal.matter]) for proposal in found if proposal.matter in cases]
