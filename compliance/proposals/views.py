"""The approvals: what waits for a second person, and the page on which that person decides."""

from typing import Any, cast
from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from audit.access import Rule, rule
from audit.perform import ConditionsNotMet
from audit.record import record_read
from compliance.people.models import User
from compliance.proposals import acts, queries, services
from compliance.proposals.forms import SendBackForm
from compliance.proposals.models import Proposal, State, is_the_maker
from compliance.proposals.querysets import ProposalQuerySet

# Words of compliance.look.STATES that mean something else elsewhere.
LOOKS = {State.RETURNED: "proposal.returned", State.EXPIRED: "proposal.expired"}


@rule(Rule.SIGNED_IN)
@require_safe
def approvals(request: HttpRequest) -> HttpResponse:
    """What waits for me, what expired undecided, what I submitted. Three queries, whatever the number of rows."""
    context = {
        "waiting": _rows(queries.waiting_for(_me(request))),
        "expired": _rows(queries.expired_for(_me(request))),
        "submitted": _rows(queries.submitted_by(_me(request))),
    }
    return render(request, "proposals/list.html", context)


@rule(Rule.SIGNED_IN)
@require_safe
def approval(request: HttpRequest, proposal_id: UUID) -> HttpResponse:
    proposal, subject = queries.get_proposal(proposal_id, user=_me(request))
    return _page(request, proposal, subject)


@rule(Rule.SIGNED_IN)
@require_POST
def confirm(request: HttpRequest, proposal_id: UUID) -> HttpResponse:
    proposal, subject = queries.get_proposal(proposal_id, user=_me(request))
    try:
        services.confirm(proposal, by=_me(request))
    except (services.AlreadyDecided, services.EvidenceChanged) as overtaken:
        return _page(request, overtaken.proposal, subject, status=409, overtaken=overtaken)
    except ConditionsNotMet as unmet:
        return _page(request, proposal, subject, status=422, unmet=unmet.reasons)
    messages.success(request, _("Confirmed: %(title)s") % {"title": _title(proposal)})
    return redirect("proposals:list")


@rule(Rule.SIGNED_IN)
@require_POST
def send_back(request: HttpRequest, proposal_id: UUID) -> HttpResponse:
    proposal, subject = queries.get_proposal(proposal_id, user=_me(request))
    form = SendBackForm(request.POST)
    if not form.is_valid():
        return _page(request, proposal, subject, status=422, form=form)
    try:
        services.send_back(proposal, by=_me(request), note=form.cleaned_data["note"])
    except services.AlreadyDecided as overtaken:
        return _page(request, overtaken.proposal, subject, status=409, overtaken=overtaken, form=form)
    messages.success(request, _("Sent back: %(title)s") % {"title": _title(proposal)})
    return redirect("proposals:list")


@rule(Rule.SIGNED_IN)
@require_POST
def withdraw(request: HttpRequest, proposal_id: UUID) -> HttpResponse:
    proposal, subject = queries.get_proposal(proposal_id, user=_me(request))
    try:
        services.withdraw(proposal, by=_me(request))
    except services.AlreadyDecided as overtaken:
        return _page(request, overtaken.proposal, subject, status=409, overtaken=overtaken)
    messages.success(request, _("Withdrawn: %(title)s") % {"title": _title(proposal)})
    return redirect(acts.lookup(proposal.act).subject_url(subject))


def _page(
    request: HttpRequest,
    proposal: Proposal,
    subject: Any,
    *,
    status: int = 200,
    form: SendBackForm | None = None,
    overtaken: Exception | None = None,
    unmet: list[str] | None = None,
) -> HttpResponse:
    """Facts and consequences in words, then the viewer's buttons. Looking is recorded: it shows a player's matter."""
    act = acts.lookup(proposal.act)
    if proposal.key_kind == "customer":
        with transaction.atomic():
            record_read(
                by=_me(request),
                subject=proposal.audit_subject,
                purpose="approval",
                about=proposal,
                matter=proposal.audit_matter,
            )
    inputs = services.inputs_of(proposal)
    parked = proposal.state == State.PARKED
    mine = is_the_maker(proposal, _me(request))
    named = proposal.named_checker
    context = {
        "proposal": proposal,
        "title": act.title,
        "state": LOOKS.get(State(proposal.state), proposal.state),
        "subject_url": act.subject_url(subject),
        "reason": act.reason_text(proposal.reason) if proposal.reason else "",
        "note": services.note_of(proposal),
        "answer": services.answer_of(proposal),
        "facts": act.facts(subject),
        "consequence": act.consequence(subject, **inputs) if parked else "",
        "need": act.need(subject, **inputs) if parked else None,
        "unmet": unmet or (act.unmet(subject, **inputs) if parked else []),
        "may_decide": parked and not mine and (named is None or named.human_id == _me(request).human_id),
        "mine": mine,
        "named_other": parked and not mine and named is not None and named.human_id != _me(request).human_id,
        "overtaken": overtaken,
        "changed": services.changes_of(proposal),
        "form": form or SendBackForm(),
    }
    return render(request, "proposals/detail.html", context, status=status)


def _me(request: HttpRequest) -> User:
    """Whoever signed in: the rule of every view here lets nobody else in."""
    return cast(User, request.user)


def _rows(proposals: ProposalQuerySet) -> list[tuple[Proposal, Any]]:
    return [(proposal, acts.lookup(proposal.act).title) for proposal in proposals]


def _title(proposal: Proposal) -> str:
    return f"{acts.lookup(proposal.act).title} {proposal.matter}".strip()
