"""The approvals: what waits for a second person, and the page on which that person decides."""

import tempfile
from typing import Any, cast
from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from audit.access import Rule, rule, when_sent
from audit.perform import ConditionsNotMet
from audit.record import record_read
from audit.selections import CannotExport
from compliance.people.duty.services import absence_of, absences_now, is_named
from compliance.people.models import User
from compliance.people.permissions import on_the_aml_side
from compliance.proposals import acts, exports, queries, services
from compliance.proposals.forms import AskExportForm, SendBackForm
from compliance.proposals.models import Proposal, State, is_the_maker
from compliance.proposals.querysets import ProposalQuerySet
from compliance.proposals.sealed import answer_of, inputs_of, note_of

MOST_NAMED = 50  # persons in the choice of a second person
# Words of compliance.look.STATES that mean something else elsewhere.
LOOKS = {State.RETURNED: "proposal.returned", State.EXPIRED: "proposal.expired"}


@rule(Rule.SIGNED_IN)
@require_safe
def approvals(request: HttpRequest, log: str = "main") -> HttpResponse:
    """What waits for me, what expired undecided, what I submitted. Three queries, whatever the number of rows."""
    me = _in(request, log)
    context = {
        "waiting": _rows(queries.waiting_for(me, log=log)),
        "expired": _rows(queries.expired_for(me, log=log)),
        "submitted": _rows(queries.submitted_by(me, log=log)),
        "space": exports.SPACES[log],
    }
    return render(request, "proposals/list.html", context)


@rule(Rule.SIGNED_IN)
@require_safe
def approval(request: HttpRequest, proposal_id: UUID, log: str = "main") -> HttpResponse:
    proposal, subject = _get(request, proposal_id, log)
    return _page(request, proposal, subject)


@rule(Rule.SIGNED_IN)
@require_POST
def confirm(request: HttpRequest, proposal_id: UUID, log: str = "main") -> HttpResponse:
    proposal, subject = _get(request, proposal_id, log)
    try:
        services.confirm(proposal, by=_me(request))
    except (services.AlreadyDecided, services.EvidenceChanged) as overtaken:
        return _page(request, overtaken.proposal, subject, status=409, overtaken=overtaken)
    except ConditionsNotMet as unmet:
        return _page(request, proposal, subject, status=422, unmet=unmet.reasons)
    messages.success(request, _("Confirmed: %(title)s") % {"title": _title(proposal)})
    return redirect(f"{exports.SPACES[log]}:list")


@rule(Rule.SIGNED_IN)
@require_POST
def send_back(request: HttpRequest, proposal_id: UUID, log: str = "main") -> HttpResponse:
    proposal, subject = _get(request, proposal_id, log)
    form = SendBackForm(request.POST)
    if not form.is_valid():
        return _page(request, proposal, subject, status=422, form=form)
    try:
        services.send_back(proposal, by=_me(request), note=form.cleaned_data["note"])
    except services.AlreadyDecided as overtaken:
        return _page(request, overtaken.proposal, subject, status=409, overtaken=overtaken, form=form)
    messages.success(request, _("Sent back: %(title)s") % {"title": _title(proposal)})
    return redirect(f"{exports.SPACES[log]}:list")


@rule(Rule.SIGNED_IN)
@require_POST
def withdraw(request: HttpRequest, proposal_id: UUID, log: str = "main") -> HttpResponse:
    proposal, subject = _get(request, proposal_id, log)
    try:
        services.withdraw(proposal, by=_me(request))
    except services.AlreadyDecided as overtaken:
        return _page(request, overtaken.proposal, subject, status=409, overtaken=overtaken)
    messages.success(request, _("Withdrawn: %(title)s") % {"title": _title(proposal)})
    return redirect(acts.lookup(proposal.act).page_of(subject, _me(request)))


@rule(Rule.SIGNED_IN)
@require_POST
def name_checker(request: HttpRequest, proposal_id: UUID, log: str = "main") -> HttpResponse:
    """The maker submits it to somebody else, or to nobody by name."""
    proposal, subject = _get(request, proposal_id, log)
    wanted = request.POST.get("checker", "")
    checker = next(
        (one for one in _checkers(acts.lookup(proposal.act), subject, proposal) if str(one.pk) == wanted), None
    )
    if wanted and checker is None:
        return _page(request, proposal, subject, status=422, unmet=[_("Choose somebody who may decide this.")])
    try:
        services.name_checker(proposal, checker=checker, by=_me(request))
    except services.AlreadyDecided as overtaken:
        return _page(request, overtaken.proposal, subject, status=409, overtaken=overtaken)
    messages.success(request, _("Submitted anew. Until somebody decides nothing changes."))
    return redirect(f"{exports.SPACES[log]}:detail", proposal_id)


@rule(exports.EXPORT, fresh=True)
@require_http_methods(["GET", "POST"])
def ask_export(request: HttpRequest) -> HttpResponse:
    """Ask for an export of the log that one person may not make alone. Where the log's own page sends people to."""
    logs = ["main", "aml"] if _me(request).has_perm(exports.VIEW_AML) else ["main"]
    form = AskExportForm(request.POST or None, initial=request.GET.dict(), logs=logs)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            proposal = exports.ask(form.selection(), by=_me(request), reason=given["reason"], note=given["note"])
        except ConditionsNotMet as unmet:
            form.add_error(None, unmet.reasons)
        else:
            messages.success(request, _("Proposed. You can take the export once another person confirmed it."))
            return redirect(f"{exports.SPACES[proposal.log]}:export_request", proposal.subject_id)
    return render(request, "proposals/ask_export.html", {"form": form}, status=422 if form.errors else 200)


@rule(exports.EXPORT, fresh=when_sent)
@require_http_methods(["GET", "POST"])
def export_request(request: HttpRequest, request_id: UUID, log: str = "main") -> HttpResponseBase:
    """How a request for an export stands; once confirmed, the export itself."""
    asked = exports.get_request(request_id, user=_me(request), log=log)
    refused = ""
    if request.method == "POST":
        out = tempfile.TemporaryFile()  # noqa: SIM115 - the response closes it
        try:
            exports.take(asked, out, by=_me(request))
        except CannotExport as why:
            out.close()
            refused = str(why)
        else:
            out.seek(0)
            name = f"mizan-log-{asked.selection.title or asked.log}.zip"
            return FileResponse(out, as_attachment=True, filename=name, content_type="application/zip")
    proposal = exports.decided(asked)
    context = {
        "asked": asked,
        "facts": acts.lookup(exports.ACT).facts(asked),
        "proposal": proposal,
        "state": LOOKS.get(State(proposal.state), proposal.state) if proposal else "",
        "ready": proposal is not None and proposal.state == State.PERFORMED,
        "refused": refused,
        "space": exports.SPACES[log],
    }
    return render(request, "proposals/export_request.html", context, status=422 if refused else 200)


@rule(Rule.SIGNED_IN, fresh=lambda request: request.method == "POST" and on_the_aml_side(request.user))
@require_http_methods(["GET", "POST"])
def aml_export_request(request: HttpRequest, request_id: UUID) -> HttpResponseBase:
    """The same for the AML side's log. Not by a right in its rule: its refusal would be an entry of the main log."""
    _in(request, "aml")
    return export_request(request, request_id, log="aml")


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
    if proposal.key_kind == "customer" or proposal.log == "aml":
        with transaction.atomic():
            record_read(
                by=_me(request),
                subject=proposal.audit_subject,
                purpose="approval",
                about=proposal,
                matter=proposal.audit_matter,
            )
    inputs = inputs_of(proposal)
    parked = proposal.state == State.PARKED
    mine = is_the_maker(proposal, _me(request))
    named = proposal.named_checker
    theirs = named is None or is_named(named, _me(request))
    context = {
        "proposal": proposal,
        "space": exports.SPACES[proposal.log],
        "title": act.title,
        "state": LOOKS.get(State(proposal.state), proposal.state),
        "subject_url": act.page_of(subject, _me(request)),
        "reason": act.reason_text(proposal.reason) if proposal.reason else "",
        "note": note_of(proposal),
        "answer": answer_of(proposal),
        "facts": act.facts(subject),
        "consequence": act.consequence(subject, **inputs) if parked else "",
        "need": act.need(subject, **inputs) if parked else None,
        "unmet": unmet or (act.unmet(subject, **inputs) if parked else []),
        "may_decide": parked and not mine and theirs,
        "mine": mine,
        "named_other": parked and not mine and not theirs,
        "stands_in": parked and theirs and named is not None and named.human_id != _me(request).human_id,
        "named_away": absence_of(named) if parked and named is not None else None,
        "checkers": _checkers(act, subject, proposal) if parked and mine else [],
        "overtaken": overtaken,
        "changed": services.changes_of(proposal),
        "form": form or SendBackForm(),
    }
    return render(request, "proposals/detail.html", context, status=status)


def _checkers(act: acts.Act, subject: Any, proposal: Proposal) -> list[User]:
    """Whom the maker may name instead: everybody else who may confirm it, and is here."""
    if not act.names(subject, proposal.maker):
        return []
    away = absences_now().values("user__human_id")
    others = User.objects.filter(is_active=True).exclude(human_id=proposal.maker_human_id).exclude(human_id__in=away)
    colleagues = others.filter(memberships__team__memberships__user__human_id=proposal.maker_human_id).distinct()
    return [user for user in colleagues.order_by("name", "email")[:MOST_NAMED] if act.may_confirm(subject, user)]


def _in(request: HttpRequest, log: str) -> User:
    """Whoever signed in. Outside the AML side there is no such page as that side's."""
    me = _me(request)
    if log == "aml" and not on_the_aml_side(me):
        raise Http404("no such page")
    return me


def _get(request: HttpRequest, proposal_id: UUID, log: str) -> tuple[Proposal, Any]:
    return queries.get_proposal(proposal_id, user=_in(request, log), log=log)


def _me(request: HttpRequest) -> User:
    """Whoever signed in: the rule of every view here lets nobody else in."""
    return cast(User, request.user)


def _rows(proposals: ProposalQuerySet) -> list[tuple[Proposal, Any]]:
    return [(proposal, acts.lookup(proposal.act).title) for proposal in proposals]


def _title(proposal: Proposal) -> str:
    return f"{acts.lookup(proposal.act).title} {proposal.matter}".strip()
